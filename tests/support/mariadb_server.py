# SPDX-License-Identifier: Apache-2.0
"""A MariaDB server of the test's own: Debian's programs, its files in a temporary folder, a free port on 127.0.0.1.

    with MariadbServer() as server:
        start_host("--database", server.url)

It ends with the `with` block, and is killed with the process that made it.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MariadbServer:
    user = "sub0"
    password = "a;b=c@d/e %"  # what a URL and a connection string would read as something else
    user_in_url = "sub0:a%3Bb%3Dc%40d%2Fe%20%25"

    def __init__(self):
        for program in ("mariadbd", "mariadb-install-db", "mariadb"):
            if shutil.which(program, path=self._path()) is None:
                raise RuntimeError(f"no {program}: packages mariadb-server-core and mariadb-client-core")
        self._folder = tempfile.mkdtemp(prefix="sub0-maria-")
        self._server = None
        self.port = 0
        self._run(["mariadb-install-db", "--no-defaults", f"--datadir={self._folder}/data", "--skip-test-db", "--skip-name-resolve",
                   "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M", *self._as_user()])

    @staticmethod
    def _path():
        return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

    @staticmethod
    def _as_user():
        return ["--user=root"] if os.geteuid() == 0 else []

    def _environment(self):
        # A server that starts deletes what it takes for its own temporary tables: each has its own place for them.
        return {**os.environ, "PATH": self._path(), "TMPDIR": self._folder}

    def _run(self, words, text=None):
        done = subprocess.run(words, input=text, capture_output=True, text=True, env=self._environment(), check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{words[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    @property
    def url(self):
        return f"mariadb://{self.user_in_url}@127.0.0.1:{self.port}/app"

    @property
    def socket(self):
        return self._folder + "/socket"

    def start(self):
        """Starts the server, after the first time on the same port."""
        is_new = self.port == 0
        for _ in range(5):
            self.port = self.port or _free_port()
            with open(self._folder + "/log", "ab") as log:
                self._server = subprocess.Popen(
                    ["mariadbd", "--no-defaults", f"--datadir={self._folder}/data", f"--socket={self.socket}",
                     f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-log-file-size=8M",
                     "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--innodb-use-native-aio=0",
                     "--performance-schema=off", "--max-allowed-packet=256M", "--max-connections=60", *self._as_user()],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self._environment())
            until = time.monotonic() + 30
            while time.monotonic() < until and self._server.poll() is None:
                try:
                    self._client("SELECT 1")
                except RuntimeError:
                    time.sleep(0.02)
                    continue
                if is_new:
                    self._client(f"CREATE DATABASE app CHARACTER SET utf8mb4; CREATE USER '{self.user}'@'%' IDENTIFIED BY "
                                 f"'{self.password}'; GRANT ALL ON *.* TO '{self.user}'@'%'")
                return self
            self.stop()
            self.port = 0
        raise RuntimeError("MariaDB does not start: " + open(self._folder + "/log", encoding="utf-8").read()[-2000:])

    def stop(self):
        """Stops the server at once; connections are cut."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def _client(self, sql, database=""):
        return self._run(["mariadb", "--no-defaults", "-u", "root", f"--socket={self.socket}", "-N", "-B", database], sql)

    def execute(self, sql, database="app"):
        """Runs SQL as root; the output of the client: tabs between columns, rows only."""
        return self._client(sql, database).strip()

    def kill_connections(self):
        """Ends the connections of the tests' user."""
        for number in self.execute("SELECT id FROM information_schema.processlist WHERE user = 'sub0'").split():
            self.execute(f"KILL {number}")

    def remove(self):
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()
