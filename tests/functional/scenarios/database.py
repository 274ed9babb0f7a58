# SPDX-License-Identifier: Apache-2.0
"""A database of its own for each replay: a SQLite file, or a database in a server of PostgreSQL (also by
ODBC) or MariaDB.

A CTest fixture keeps one server of a kind for the whole run (`database.py start KIND STATE`, `database.py stop KIND STATE`;
STATE is a file, named to the tests by SUB0_TEST_POSTGRES or SUB0_TEST_MARIADB). Without one, the first scenario that needs
a server starts it.
"""
import glob
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import mariadb_server  # noqa: E402
import postgres_cluster  # noqa: E402

SERVERS = {"postgres": postgres_cluster.PostgresCluster, "mariadb": mariadb_server.MariadbServer}
_own_servers = {}
_made = 0


def _new_name():
    global _made
    _made += 1
    return f"scenario_{os.getpid()}_{_made}"


class SqliteDatabase:
    def __init__(self, folder):
        self.url = f"sqlite:{folder}/database.db"

    def remove(self):
        pass


class PostgresDatabase:
    def __init__(self, url):
        self._admin = url
        self._name = _new_name()
        self._psql(f"CREATE DATABASE {self._name} TEMPLATE template0 ENCODING 'UTF8'")
        self.url = url.rsplit("/", 1)[0] + "/" + self._name

    def remove(self):
        self._psql(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _psql(self, sql):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self._admin, "-c", sql], check=True,
                       stdout=subprocess.DEVNULL)


class OdbcDatabase(PostgresDatabase):
    """PostgreSQL behind its ODBC driver, which no file of the system names."""

    def __init__(self, url):
        super().__init__(url)
        address = urllib.parse.urlsplit(url)
        driver = sorted(glob.glob("/usr/lib/*/odbc/psqlodbcw.so"))[-1]
        self.url = (f"odbc:Driver={driver};Servername={address.hostname};Port={address.port};Database={self._name};"
                    f"UID={address.username};BoolsAsChar=0;UseDeclareFetch=1;ConnSettings=SET TIMEZONE='UTC'")


class MariadbDatabase:
    def __init__(self, url):
        self._name = _new_name()
        self._admin = urllib.parse.urlsplit(url)
        self._client(f"CREATE DATABASE {self._name} CHARACTER SET utf8mb4")
        self.url = url.rsplit("/", 1)[0] + "/" + self._name

    def remove(self):
        self._client(f"DROP DATABASE {self._name}")

    def _client(self, sql):
        address = self._admin
        subprocess.run(["mariadb", "--no-defaults", "-h", address.hostname, "-P", str(address.port), "-u", address.username,
                        "-e", sql], check=True, env={**os.environ, "MYSQL_PWD": urllib.parse.unquote(address.password)})


def create(engine, folder):
    if engine == "sqlite":
        return SqliteDatabase(folder)
    kind = {"postgres": PostgresDatabase, "mariadb": MariadbDatabase, "odbc": OdbcDatabase}[engine]
    return kind(_server_url("mariadb" if engine == "mariadb" else "postgres"))


def _server_url(kind):
    state = os.environ.get("SUB0_TEST_" + kind.upper())
    if state and pathlib.Path(state).exists():
        return json.loads(pathlib.Path(state).read_text())["url"]
    if kind not in _own_servers:
        _own_servers[kind] = SERVERS[kind]().start()
    return _own_servers[kind].url


def remove_own_servers():
    for server in _own_servers.values():
        server.remove()


def start(kind, state):
    stop(kind, state)  # one that an interrupted run left behind
    server = SERVERS[kind]().start()
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({"url": server.url, "pid": server._server.pid, "folder": server._folder}))


def stop(kind, state):
    if not state.exists():
        return
    kept = json.loads(state.read_text())
    command = pathlib.Path(f"/proc/{kept['pid']}/cmdline")
    if command.exists() and kept["folder"] in command.read_text():
        os.kill(kept["pid"], signal.SIGQUIT if kind == "postgres" else signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until and command.exists() and command.read_text():
            time.sleep(0.02)
    shutil.rmtree(kept["folder"], ignore_errors=True)
    state.unlink()


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]](sys.argv[2], pathlib.Path(sys.argv[3]))
