# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the test's own: Debian's programs, a cluster in a temporary folder, a free port on 127.0.0.1.

    with PostgresCluster() as cluster:
        start_host("--database", cluster.url)

The server refuses root, so a test that is root starts it as user `postgres`. It ends with the `with` block.
"""

import contextlib
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresCluster:
    def __init__(self, is_durable=False):
        """`is_durable`: commits wait for the disk, which tests have no use for."""
        self._sync = [] if is_durable else ["-F"]
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not found:
            raise RuntimeError("no PostgreSQL server below /usr/lib/postgresql")
        self._programs = found[-1]
        self._folder = tempfile.mkdtemp(prefix="sub0-pg-")
        self._user = {}
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
            self._user = {"user": "postgres", "group": "postgres", "extra_groups": []}
        self._server = None
        self._frozen = []
        self.port = 0
        subprocess.run(
            [self._programs + "/initdb", "-D", self._folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"],
            check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._user)

    @property
    def url(self):
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def require_tls(self):
        """Before the start: takes who has a password over TLS alone, besides the user of `execute`; the path of its certificate."""
        data = pathlib.Path(self._folder, "data")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", data / "server.key", "-out",
                        data / "server.crt", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True, cwd=self._folder, **self._user)
        (data / "server.key").chmod(0o600)
        (data / "pg_hba.conf").write_text("host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")
        self._sync += ["-c", "ssl=on"]
        return data / "server.crt"

    def start(self):
        """Starts the server, after the first time on the same port."""
        for _ in range(5):
            self.port = self.port or _free_port()
            with open(self._folder + "/log", "ab") as log:
                self._server = subprocess.Popen(
                    [self._programs + "/postgres", "-D", self._folder + "/data", *self._sync, "-p", str(self.port), "-k",
                     self._folder, "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder, **self._user)
            until = time.monotonic() + 20
            while time.monotonic() < until and self._server.poll() is None:
                ready = subprocess.run([self._programs + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                       check=False)
                if ready.returncode == 0:
                    return self
                time.sleep(0.02)
            self.stop()
            self.port = 0
        raise RuntimeError("PostgreSQL does not start: see " + self._folder + "/log")

    def stop(self):
        """Stops the server at once; connections are cut."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
            self._server = None

    def execute(self, sql):
        """Runs SQL; the output of psql, unaligned, rows only."""
        return subprocess.run(
            [self._programs + "/psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
             str(self.port), "-U", "postgres", "-d", "postgres", "-c", sql],
            check=True, capture_output=True, text=True).stdout.strip()

    def kill_backends(self):
        """Terminates every other connection's server process; returns when they are gone."""
        self.execute("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                     "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")

    def freeze(self):
        """Nothing of the server runs until `thaw`; connections stay, and new ones are taken by the kernel."""
        children = pathlib.Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text()
        self._frozen = [self._server.pid, *map(int, children.split())]
        for pid in self._frozen:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._frozen = []

    def remove(self):
        self.thaw()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()
