# SPDX-License-Identifier: Apache-2.0
"""The real sub0-host as the tests of this folder start it: a free port, a temporary folder, its log kept as JSON lines.

    with Host(project, env={...}) as host:
        reply = host.call("echo", {"a": 1})

Nothing here sleeps: tests wait for events of the log or for bytes, each with a deadline. A host ends by SIGTERM to its own
pid, must leave with 0, and its log must name none of the secrets that it was given.
"""

import collections
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[2]
BUILD = pathlib.Path(os.environ.get("SUB0_BUILD_DIR", ROOT / "build/release"))
PROGRAM = BUILD / "bin/sub0-host"
WALLET = ROOT / "sample-resources/wallet"
TOKEN_KEY = "key-of-the-tests-0123456789abcdef-0123456789"
PATIENCE_S = 40  # the longest wait for anything; only reached when a test fails

sys.path.insert(0, str(ROOT / "tests/support"))


def environment(extra=None):
    """A host sees these variables and no others, so that the machine's own do not reach a test. A value None unsets."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "LLVM_PROFILE_FILE") or name.endswith("SAN_OPTIONS")}
    given = {**kept, "SUB0_LOG": "json", "ALLOW_WEBSOCKET_CONNECTIONS": "true", "WALLET_TOKEN_KEY": TOKEN_KEY,
             **(extra or {})}
    return {name: value for name, value in given.items() if value is not None}


def is_sanitized():
    """Whether the program was built with a sanitizer: it is slow then, and keeps what was freed."""
    program = PROGRAM.read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def run_program(*words, env=None, **more):
    """A command that ends by itself, in a folder of its own unless `cwd` says where."""
    if "cwd" not in more:
        with tempfile.TemporaryDirectory(prefix="sub0-clients-") as folder:
            return run_program(*words, env=env, cwd=folder, **more)
    return subprocess.run([str(PROGRAM), *map(str, words)], env=environment(env), capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL, **more)


class Folder:
    """A temporary folder with files; a value that is no text is written as JSON."""

    def __init__(self, files=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="sub0-clients-"))
        for name, content in (files or {}).items():
            self.write(name, content)

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Host:
    """One process. `resources`: a project's folder. `arguments`: further words of `run`."""

    def __init__(self, resources=WALLET, *arguments, env=None, secrets=(), program=PROGRAM):
        self._folder = Folder()
        self.state = self._folder.path / "state"
        self.env = environment(env)
        self._secrets = [TOKEN_KEY, *secrets]
        self._words = [str(program), "run", "--resources", str(resources), "--port", "0", "--state", str(self.state),
                       *map(str, arguments)]
        self._lines = []
        self._counts = collections.Counter()  # of events
        self._changed = threading.Condition()
        self.process = None
        self.port = 0

    # ---- life
    def start(self, event="ready"):
        """Starts and waits for `event` (None: does not wait)."""
        self.process = subprocess.Popen(self._words, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, cwd=self._folder.path)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if event:
            self.port = self.wait_for(event)["port"]
        return self

    def _read(self):
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self._changed:
                self._lines.append(line)
                self._counts[_object(line).get("event")] += 1
                self._changed.notify_all()
        with self._changed:
            self._lines.append(None)
            self._changed.notify_all()

    def wait_for(self, event):
        """The first log line with this event, as an object."""
        seen = 0
        until = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    seen += 1
                    if line is None:
                        raise AssertionError(f"the host ended without event {event!r}:\n{self.log()}")
                    entry = _object(line)
                    if entry.get("event") == event:
                        return entry
                if not self._changed.wait(max(0.0, until - time.monotonic())):
                    raise AssertionError(f"no event {event!r} in time:\n{self.log()}")

    def count(self, event):
        """How many log lines have this event so far."""
        with self._changed:
            return self._counts[event]

    def wait_for_count(self, event, count):
        """Waits until so many log lines have this event."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._counts[event] >= count or None in self._lines[-1:], PATIENCE_S) or \
                    self._counts[event] < count:
                raise AssertionError(f"{self._counts[event]} events {event!r}, not {count}:\n{self.log()[-4000:]}")

    # ---- what it holds
    def memory_bytes(self):
        """What of it is in memory."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log(self):
        return "\n".join(line for line in self._lines if line is not None)

    def events(self):
        return [entry for entry in map(_object, [line for line in self._lines if line]) if entry]

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end of the process; its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        self.process.stderr.close()
        return code

    def stop(self):
        """SIGTERM, exit code 0, and a log without secrets or reports of sanitizers."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"the host did not end after SIGTERM:\n{self.log()}") from None
        finally:
            self._folder.remove()
            self.process = None
        self.check_log()
        if code != 0:
            raise AssertionError(f"exit code {code}:\n{self.log()}")

    def check_log(self):
        for secret in self._secrets:
            if secret in self.log():
                raise AssertionError("a secret stands in the log: " + self.log().replace(secret, "<<SECRET>>"))

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is not None and self.process is not None:
            print(self.log(), file=sys.stderr)
        self.stop()

    # ---- use
    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def websocket_url(self, query=""):
        return f"ws://127.0.0.1:{self.port}/ws{query}"

    def request(self, method, path, body=None, headers=None):
        """One HTTP request on its own connection: status, headers, text."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        wanted = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        if data is not None and not wanted.has_header("Content-type"):
            wanted.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(wanted, timeout=PATIENCE_S) as reply:
                return reply.status, reply.headers, reply.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read().decode()

    def call(self, resource, payload=None, headers=None):
        """POST; the reply's object, with its status as `status`."""
        status, _, text = self.request("POST", "/" + resource, {} if payload is None else payload, headers)
        return {**json.loads(text), "status": status}

    def wait_until_readyz(self, status):
        """Asks /readyz until it answers so; each question waits for its answer, so this does not spin idly."""
        until = time.monotonic() + PATIENCE_S
        pause = threading.Event()
        while time.monotonic() < until:
            if self.request("GET", "/readyz")[0] == status:
                return
            pause.wait(0.02)
        raise AssertionError(f"/readyz never said {status}:\n{self.log()}")


def _object(line):
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


class Sqlite:
    """A database file of the test's own."""

    name = "sqlite"

    def __enter__(self):
        self._folder = Folder()
        self.url = f"sqlite:{self._folder.path}/wallet.db"
        return self

    def __exit__(self, *_):
        self._folder.remove()


class Postgres:
    """A cluster of the test's own."""

    name = "postgres"

    def __enter__(self):
        from postgres_cluster import PostgresCluster
        self.cluster = PostgresCluster().start()
        self.url = self.cluster.url
        return self

    def __exit__(self, *_):
        self.cluster.remove()


class Mariadb:
    """A MariaDB server of the test's own."""

    name = "mariadb"

    def __enter__(self):
        from mariadb_server import MariadbServer
        self.server = MariadbServer().start()
        self.url = self.server.url
        return self

    def __exit__(self, *_):
        self.server.remove()


DATABASES = {"sqlite": Sqlite, "postgres": Postgres}


def chosen_database():
    """What CTest chose by SUB0_TEST_DATABASE."""
    return DATABASES[os.environ.get("SUB0_TEST_DATABASE", "sqlite")]()


def run_sql(database_url, *words, resources=WALLET):
    done = run_program("sql", "--resources", resources, "--database", database_url, *words)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def mint_token(uid="user_12345", resources=WALLET, resource="fetch-balance"):
    done = run_program("token", "mint", resource, "--resources", resources, "--claim", f"id={uid}")
    if done.returncode != 0 or len(done.stdout.split()) != 1:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout.strip()


def assert_key_is_refused(test, resource, env, says):
    """`resource` has an encryption_key that does not fit: `check` says so with its place, and a host does not start.
    What the two printed, which must not hold the key."""
    with Folder({"resources/bad.json": json.dumps(resource)}) as folder:  # one line
        checked = run_program("check", folder.path, env=env)
        test.assertEqual(checked.returncode, 78, checked.stdout)
        test.assertRegex(checked.stdout, r"resources/bad\.json:1:\d+: error: .*" + says)
        test.assertIn("[/tokenize/encryption_key]", checked.stdout)
        started = run_program("run", "--resources", folder.path, "--port", "0", env=env)
        test.assertEqual(started.returncode, 78)
        test.assertIn(says, started.stderr)
        return checked.stdout + checked.stderr + started.stderr


def main():
    unittest.main(verbosity=2)
