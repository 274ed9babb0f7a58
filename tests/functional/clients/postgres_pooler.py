# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL behind PgBouncer (Debian's, transaction pooling): SUB0_POSTGRES_NAMED_STATEMENTS=false keeps nothing in a session."""

import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame


def query(name, sql, **more):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {"query": sql, **more}}]}


PROJECT = {"resources/all.json": [
    query("read", "SELECT a, now()::text AS now, '2024-01-02T03:04:05Z'::timestamptz AS at FROM held WHERE id = 1"),
    query("zone", "SELECT current_setting('TimeZone') AS zone, current_setting('DateStyle') AS style"),
    query("write", "UPDATE held SET a = a + $1 WHERE id = 1 RETURNING a", parameters=["$PAYLOAD.n"]),
    query("next", "SELECT nextval('numbers') AS n"),
    query("untyped", "SELECT json_build_object('v', $1) AS o", parameters=["$PAYLOAD.v"]),
    query("slow", "SELECT 1 AS a FROM pg_sleep(0.2)"),
    query("wrong", "SELECT 1 / 0"),
    query("readonly", "SELECT current_setting('transaction_read_only') AS r, current_setting('statement_timeout') AS t"),
    {"id": "transfer", "resource": "transfer", "transaction": True, "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": "UPDATE held SET a = a - 1 WHERE id = 1"}},
        {"id": 2, "mode": "QUERY", "sql_query": {"query": "UPDATE held SET a = a + 1 WHERE id = 2 RETURNING a"}}]},
]}
SETUP = """
    CREATE TABLE held (id int PRIMARY KEY, a int); INSERT INTO held VALUES (1, 0), (2, 0);
    CREATE SEQUENCE numbers; ALTER SYSTEM SET timezone = 'Asia/Tokyo'; SELECT pg_reload_conf();
"""
SERVER_CONNECTIONS = 3


class PgBouncer:
    """A pooler of the test's own before a cluster."""

    def __init__(self, cluster):
        self._folder = hosts.Folder()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder.write("users.txt", '"postgres" ""\n')
        settings = self._folder.write("pgbouncer.ini", f"""
[databases]
postgres = host=127.0.0.1 port={cluster.port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {self._folder.path}/users.txt
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = 100
""")
        more = {}
        if os.geteuid() == 0:  # it refuses root
            user = pwd.getpwnam("postgres")
            for path in [self._folder.path, *self._folder.path.iterdir()]:
                shutil.chown(path, user.pw_uid, user.pw_gid)
            more = {"user": "postgres", "group": "postgres", "extra_groups": []}
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        assert program, "pgbouncer is not installed"
        self._process = subprocess.Popen([program, "-q", str(settings)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL, cwd=self._folder.path, **more)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        until = time.monotonic() + hosts.PATIENCE_S
        while True:
            assert self._process.poll() is None and time.monotonic() < until, "pgbouncer does not start"
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=hosts.PATIENCE_S).close()
                return
            except OSError:
                threading.Event().wait(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(hosts.PATIENCE_S)
        self._folder.remove()


class BehindPgBouncer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(hosts.Postgres()).cluster
        for statement in filter(str.strip, SETUP.split(";")):
            cls.cluster.execute(statement)
        cls.pooler = cls.enterClassContext(PgBouncer(cls.cluster))
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, "--database", cls.pooler.url, "--loops", "2",
                                                    env={"SUB0_POSTGRES_NAMED_STATEMENTS": "false"}))

    def stored(self):
        return [int(a) for a in self.cluster.execute("SELECT a FROM held ORDER BY id").split()]

    def test_reads_and_writes(self):
        # S-30: values in, values out, second preparation; more connections of ours than the pooler has
        before = self.stored()[0]
        wires = [Wire(self.host.port) for _ in range(6)]
        for wire in wires:
            self.addCleanup(wire.socket.close)
            wire.upgrade()
            wire.send((frame(call_text("write", payload={"n": 1}, action="w")) + frame(call_text("read", action="r")) +
                       frame(call_text("untyped", payload={"v": "x"}, action="u"))) * 5)
        for wire in wires:
            for _ in range(5):
                self.assertIsInstance(wire.text()["data"]["a"], int)
                self.assertEqual(wire.text()["data"]["at"], "2024-01-02T03:04:05.000Z")
                self.assertEqual(wire.text()["data"], {"o": {"v": "x"}})
        self.assertEqual(self.stored()[0], before + 30)
        backends = self.cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND "
                                        "pid <> pg_backend_pid()")
        self.assertLessEqual(int(backends), SERVER_CONNECTIONS)

    def test_the_session_is_ours(self):
        # S-30: UTC on every connection, although the server says otherwise
        self.assertEqual(self.cluster.execute("SHOW timezone"), "Asia/Tokyo")
        for _ in range(20):
            self.assertEqual(self.host.call("zone")["data"], {"zone": "UTC", "style": "ISO, MDY"})

    def test_reads_cannot_write_and_give_up_in_time(self):
        # S-50: what is shared is read-only and bounded in each transaction, and only there
        self.assertEqual(self.host.call("readonly")["data"], {"r": "on", "t": "50ms"})
        self.assertEqual(self.host.request("GET", "/next")[0], 405)
        first = self.host.call("next")["data"]["n"]
        self.assertEqual(self.host.call("next")["data"]["n"], first + 1)
        self.assertEqual(self.host.call("slow")["data"], {"a": 1})
        self.assertEqual(self.cluster.execute("SHOW statement_timeout"), "0")

    def test_an_error_concerns_its_statement_alone(self):
        with Wire(self.host.port) as wire:
            wire.upgrade()
            wire.send((frame(call_text("read", action="r")) + frame(call_text("wrong", action="x"))) * 5)
            for _ in range(5):
                self.assertEqual(wire.text()["action"], "r")
                self.assertEqual(wire.text()["error"]["code"], "action_failed")

    def test_transactions(self):
        before = self.stored()
        for _ in range(10):
            self.assertEqual(self.host.call("transfer")["status"], 200)
        self.assertEqual(self.stored(), [before[0] - 10, before[1] + 10])


if __name__ == "__main__":
    hosts.main()
