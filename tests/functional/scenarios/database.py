# SPDX-License-Identifier: Apache-2.0
"""A database of its own for each replay: a SQLite file, or a database in a PostgreSQL cluster.

A CTest fixture keeps one cluster for the whole run (`database.py start STATE`, `database.py stop STATE`; STATE is a
file, named to the tests by SUB0_TEST_POSTGRES). Without one, the first scenario that needs a cluster starts it.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import postgres_cluster  # noqa: E402

_own_cluster = None
_made = 0


class SqliteDatabase:
    def __init__(self, folder):
        self.url = f"sqlite:{folder}/database.db"

    def remove(self):
        pass


class PostgresDatabase:
    def __init__(self, url):
        global _made
        _made += 1
        self._admin = url
        self._name = f"scenario_{os.getpid()}_{_made}"
        self._psql(f"CREATE DATABASE {self._name} TEMPLATE template0 ENCODING 'UTF8'")
        self.url = url.rsplit("/", 1)[0] + "/" + self._name

    def remove(self):
        self._psql(f"DROP DATABASE {self._name} WITH (FORCE)")

    def _psql(self, sql):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self._admin, "-c", sql], check=True,
                       stdout=subprocess.DEVNULL)


def create(engine, folder):
    return SqliteDatabase(folder) if engine == "sqlite" else PostgresDatabase(_cluster_url())


def _cluster_url():
    global _own_cluster
    state = os.environ.get("SUB0_TEST_POSTGRES")
    if state and pathlib.Path(state).exists():
        return json.loads(pathlib.Path(state).read_text())["url"]
    if _own_cluster is None:
        _own_cluster = postgres_cluster.PostgresCluster().start()
    return _own_cluster.url


def remove_own_cluster():
    if _own_cluster is not None:
        _own_cluster.remove()


def start(state):
    stop(state)  # one that an interrupted run left behind
    cluster = postgres_cluster.PostgresCluster().start()
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({"url": cluster.url, "pid": cluster._server.pid, "folder": cluster._folder}))


def stop(state):
    if not state.exists():
        return
    kept = json.loads(state.read_text())
    command = pathlib.Path(f"/proc/{kept['pid']}/cmdline")
    if command.exists() and kept["folder"] in command.read_text():
        os.kill(kept["pid"], signal.SIGQUIT)
        until = time.monotonic() + 20
        while time.monotonic() < until and command.exists() and command.read_text():
            time.sleep(0.02)
    shutil.rmtree(kept["folder"], ignore_errors=True)
    state.unlink()


if __name__ == "__main__":
    {"start": start, "stop": stop}[sys.argv[1]](pathlib.Path(sys.argv[2]))
