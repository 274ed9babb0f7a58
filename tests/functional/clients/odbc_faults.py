# SPDX-License-Identifier: Apache-2.0
"""A database behind an ODBC driver (PostgreSQL) that is slow, cut off or away. What waits does so for a lock that the test holds."""

import glob
import time
import unittest

import host as hosts
from databases import Lock, query
from wire import call_text, frame, open_socket

PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    query("read", "SELECT a FROM held"),
    query("write", "UPDATE held SET a = a + 1"),
    query("one", "SELECT 1 AS one"),
    query("rows", "SELECT n, $1::text AS filler FROM generate_series(1, 100000) AS n", parameters=["$PAYLOAD.filler"]),
    {"id": "both", "resource": "both", "transaction": True, "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": "INSERT INTO journal VALUES (1)"}},
        {"id": 2, "mode": "QUERY", "sql_query": {"query": "UPDATE held SET a = a + 1"}}]},
]}
SETUP = "CREATE TABLE held (a INTEGER); INSERT INTO held VALUES (0); CREATE TABLE journal (n INTEGER)"


class OdbcFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(hosts.Postgres()).cluster
        cls.cluster.execute(SETUP)
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        driver = sorted(glob.glob("/usr/lib/*/odbc/psqlodbcw.so"))[-1]
        cls.url = (f"odbc:Driver={driver};Servername=127.0.0.1;Port={cls.cluster.port};Database=postgres;UID=postgres;"
                   "PWD=hunter2secret;BoolsAsChar=0;UseDeclareFetch=1")

    def start(self, **env):
        self.host = self.enterContext(hosts.Host(self.folder.path, "--database", self.url, "--loops", "2", env=env,
                                                 secrets=["hunter2secret"]))
        self.host.wait_until_readyz(200)

    def number(self, sql):
        return int(self.cluster.execute(sql))

    def wait_until_blocked(self, count=1):
        until = time.monotonic() + hosts.PATIENCE_S
        while time.monotonic() < until:
            found = self.cluster.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'").split()
            if len(found) == count:
                return found
        raise AssertionError(f"there are no {count} statements that wait for the lock")

    def expect_back(self):
        self.host.wait_until_readyz(200)
        self.assertEqual(self.host.call("one")["data"], {"one": 1})

    def test_deadline(self):
        # S-52: a statement past its deadline is cancelled on the server as well, and the threads serve on
        self.start(SUB0_CALL_DEADLINE_MS="300", SUB0_DATABASE_CONNECTIONS="1")
        before = self.number("SELECT a FROM held")
        with Lock(self.cluster, "LOCK TABLE held"):
            for name in ("read", "write", "both"):
                reply = self.host.call(name)
                self.assertEqual((reply["status"], reply["error"]["code"]), (504, "timeout"), reply)
            self.wait_until_blocked(0)
            self.expect_back()
        self.assertEqual(self.number("SELECT a FROM held"), before)
        self.assertEqual(self.number("SELECT count(*) FROM journal"), 0)

    def test_connection_is_killed_in_the_middle_of_a_statement(self):
        # a clear error, the next call works, nothing is doubled; a transaction is undone
        self.start(SUB0_CALL_DEADLINE_MS="600000")
        before = self.number("SELECT a FROM held")
        for resource in ("read", "write", "both"):
            with self.subTest(resource):
                wire = open_socket(self, self.host.port)
                with Lock(self.cluster, "LOCK TABLE held"):
                    wire.send(frame(call_text(resource, action="a")))
                    for pid in self.wait_until_blocked():
                        self.cluster.execute(f"SELECT pg_terminate_backend({pid})")
                    reply = wire.text()
                    self.assertEqual((reply["success"], reply["status"], reply["error"]["code"]), (False, 503, "unavailable"), reply)
                    self.assertEqual("not known" in reply["message"], resource == "write", reply)
                    self.assertNotIn("held", reply["message"])
                    self.expect_back()
                self.assertEqual(self.number("SELECT a FROM held"), before)
                self.assertEqual(self.number("SELECT count(*) FROM journal"), 0)

    def test_results_are_bounded(self):
        # an error that names the setting
        self.start(SUB0_RESULT_LIMIT="1000000")
        for payload in ({"filler": "x" * 1000}, {"filler": "x" * 1000000}):
            reply = self.host.call("rows", payload)
            self.assertEqual((reply["status"], reply["error"]["code"]), (500, "result_too_large"), reply)
            self.assertIn("SUB0_RESULT_LIMIT", reply["message"])
        self.expect_back()

    def test_server_stops_and_starts(self):
        # away: /readyz 503 though nobody calls, calls fail with a clear error; it recovers by itself
        self.start()
        for _ in range(3):
            self.expect_back()
        self.cluster.stop()
        try:
            self.host.wait_until_readyz(503)
            reply = self.host.call("one")
            self.assertEqual((reply["status"], reply["error"]["code"]), (503, "unavailable"))
            self.assertEqual(self.host.call("echo", 3)["data"], 3)
        finally:
            self.cluster.start()
        for _ in range(3):
            self.expect_back()

    def test_server_comes_later(self):
        # away at start; the log does not show the password
        self.cluster.stop()
        host = hosts.Host(self.folder.path, "--database", self.url, secrets=["hunter2secret"])
        host.port = host.start("database_away").wait_for("database_away")["port"]
        self.host = host
        try:
            self.assertEqual(host.request("GET", "/readyz")[0], 503)
            self.assertEqual(host.call("read")["error"]["code"], "unavailable")
            self.cluster.start()
            host.wait_for("ready")
            self.expect_back()
        finally:
            host.stop()

    def test_password_is_masked(self):
        # S-14: config does not show it
        done = hosts.run_program("config", "--resources", self.folder.path, "--database", self.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("DATABASE_URL", done.stdout)
        self.assertNotIn("hunter2secret", done.stdout)
        done = hosts.run_program("sql", "--resources", self.folder.path, "--database", self.url.replace("hunter", "no"),
                                 "SELECT 1 AS one")
        self.assertNotIn("no2secret", done.stdout + done.stderr)


if __name__ == "__main__":
    hosts.main()
