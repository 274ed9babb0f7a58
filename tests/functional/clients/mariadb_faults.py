# SPDX-License-Identifier: Apache-2.0
"""MariaDB that is slow, cut off or away, and results that are too large. What waits does so for a lock that the test holds, so
that order, not time, decides."""

import json
import subprocess
import time
import unittest

import host as hosts
from database_away import Relay
from databases import query
from wire import call_text, frame, open_socket

PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    query("read", "SELECT a FROM held"),
    query("write", "UPDATE held SET a = a + 1"),
    query("one", "SELECT 1 AS one"),
    query("touch", "SELECT touch() AS a"),
    query("rows", "SELECT seq, $1 AS filler FROM seq_1_to_100000", parameters=["$PAYLOAD.filler"]),
    query("row", "SELECT REPEAT('x', $1) AS long_text", parameters=["$PAYLOAD.size"]),
    query("insert-much", "INSERT INTO many SELECT seq FROM seq_1_to_100000 RETURNING n, 'filler, filler, filler, filler' AS t"),
    query("count", "SELECT count(*) AS n FROM many"),
    {"id": "both", "resource": "both", "transaction": True, "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": "INSERT INTO journal VALUES (1)"}},
        {"id": 2, "mode": "QUERY", "sql_query": {"query": "UPDATE held SET a = a + 1"}}]},
    query("journal", "SELECT count(*) AS n FROM journal"),
    query("add", "INSERT INTO whole (n) VALUES ($1)", parameters=["$PAYLOAD.n"]),
]}
SETUP = """
    CREATE TABLE held (a INTEGER) ENGINE = InnoDB;
    INSERT INTO held VALUES (0);
    CREATE TABLE many (n INTEGER);
    CREATE TABLE journal (n INTEGER);
    CREATE TABLE whole (n INTEGER);
    CREATE FUNCTION touch() RETURNS INTEGER BEGIN UPDATE held SET a = a + 100; RETURN (SELECT a FROM held); END
"""


class Lock:
    """A session of root that holds a table."""

    def __init__(self, server):
        self._session = subprocess.Popen(
            ["mariadb", "--no-defaults", "-n", "-N", "-B", "-u", "root", f"--socket={server.socket}", "app"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self._session.stdin.write("LOCK TABLES held WRITE; SELECT 'locked';\n")
        self._session.stdin.flush()
        assert self._session.stdout.readline() == "locked\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.communicate("UNLOCK TABLES;\n", timeout=hosts.PATIENCE_S)


class FailingRelay(Relay):
    """Statements that hold `words`, while there are some, do not reach the server: they fail with what interrupts a statement."""

    words = None

    def _hand_on(self, data, one, other):
        if self.words and self.words in data:
            error = b"\xff" + (1317).to_bytes(2, "little") + b"#70100Query execution was interrupted"
            one.sendall(len(error).to_bytes(3, "little") + b"\x01" + error)
        else:
            other.sendall(data)


class MariadbTest(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(hosts.Mariadb()).server
        for statement in SETUP.split(";\n"):
            cls.server.execute("DELIMITER //\n" + statement + "//")
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))

    def start(self, url=None, **env):
        self.host = self.enterContext(hosts.Host(self.folder.path, "--database", url or self.server.url, "--loops", "2", env=env,
                                                 secrets=[self.server.password, self.server.user_in_url]))
        self.host.wait_until_readyz(200)

    def open(self):
        return open_socket(self, self.host.port)

    def number(self, sql):
        return int(self.server.execute(sql))

    def blocked(self):
        return self.server.execute("SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'").split()

    def wait_until_blocked(self, count=1):
        until = time.monotonic() + hosts.PATIENCE_S
        while time.monotonic() < until:
            if len(found := self.blocked()) >= count:
                return found
        raise AssertionError("no statement waits for the lock")


class Faults(MariadbTest):
    def test_slow_statements(self):
        # more statements wait than there are connections: the rest of the host goes on; then all are answered
        self.start(SUB0_CALL_DEADLINE_MS="600000", SUB0_DATABASE_CONNECTIONS="3", SUB0_DATABASE_WAIT_MS="600000")
        wires = [self.open() for _ in range(3)]
        with Lock(self.server):
            for wire in wires:
                wire.send(frame(call_text("read", action="slow")) * 8)
            self.wait_until_blocked(3)
            for wire in wires:
                wire.send(frame(call_text("echo", payload=1, action="e", id=1)) + frame(b"p", 9))
                self.assertEqual(wire.text(), {"uid": None, "action": "e", "data": 1, "id": 1})
                self.assertEqual(wire.frame(), (10, b"p"))
            self.assertEqual(self.host.request("GET", "/readyz")[0], 200)
            self.assertEqual(len(self.blocked()), 3)
        for wire in wires:
            self.assertEqual([wire.text()["action"] for _ in range(8)], ["slow"] * 8)

    def test_no_connection_is_free(self):
        # what finds no connection in time is busy
        self.start(SUB0_CALL_DEADLINE_MS="600000", SUB0_DATABASE_CONNECTIONS="1", SUB0_DATABASE_WAIT_MS="100")
        wire = self.open()
        with Lock(self.server):
            wire.send(frame(call_text("read", action="slow")))
            self.wait_until_blocked()
            for name in ("one", "both"):
                reply = self.host.call(name)
                self.assertEqual((reply["status"], reply["error"]["code"]), (503, "busy"), reply)
        self.assertEqual(wire.text()["action"], "slow")
        self.assertEqual(self.host.call("one")["data"], {"one": 1})

    def test_deadline(self):
        # S-52: a statement past its deadline ends, on the server as well, and its connection serves on
        self.start(SUB0_CALL_DEADLINE_MS="300", SUB0_DATABASE_CONNECTIONS="1")
        before = self.number("SELECT a FROM held")
        with Lock(self.server):
            for name in ("read", "write", "both"):
                reply = self.host.call(name)
                self.assertEqual((reply["status"], reply["error"]["code"]), (504, "timeout"), reply)
            until = time.monotonic() + hosts.PATIENCE_S
            while self.blocked() and time.monotonic() < until:
                pass
            self.assertEqual(self.blocked(), [])
            self.assertEqual(self.host.call("one")["data"], {"one": 1})
        self.assertEqual(self.number("SELECT a FROM held"), before)
        self.assertEqual(self.number("SELECT count(*) FROM journal"), 0)

    def test_connection_is_killed_in_the_middle_of_a_statement(self):
        # a clear error, the next call works, nothing is doubled; a transaction is undone
        self.start(SUB0_CALL_DEADLINE_MS="600000")
        before = self.number("SELECT a FROM held")
        for resource in ("read", "write", "both"):
            with self.subTest(resource):
                wire = self.open()
                with Lock(self.server):
                    wire.send(frame(call_text(resource, action="a")))
                    for number in self.wait_until_blocked():
                        self.server.execute(f"KILL {number}")
                    reply = wire.text()
                    self.assertEqual((reply["success"], reply["status"], reply["error"]["code"]), (False, 503, "unavailable"), reply)
                    self.assertEqual("not known" in reply["message"], resource == "write", reply)
                    self.assertNotIn("held", reply["message"])
                    self.host.wait_until_readyz(200)
                    wire.send(frame(call_text("one")))
                    self.assertEqual(wire.text()["data"], {"one": 1})
                self.assertEqual(self.number("SELECT a FROM held"), before)
                self.assertEqual(self.number("SELECT count(*) FROM journal"), 0)

    def test_idle_connections_are_killed(self):
        # nobody notices
        self.start()
        for _ in range(3):
            self.assertEqual(self.host.call("one")["data"], {"one": 1})
            self.server.kill_connections()
            self.assertEqual(self.host.call("one")["data"], {"one": 1})

    def test_get_never_writes(self):
        # S-50: GET on a function that writes: 405, and nothing is written; POST writes
        self.start(SUB0_DATABASE_CONNECTIONS="1")
        before = self.number("SELECT a FROM held")
        for method, status, more in (("GET", 405, 0), ("POST", 200, 100), ("GET", 405, 100)):
            got, _, text = self.host.request(method, "/touch")
            self.assertEqual(got, status, text)
            self.assertEqual(self.number("SELECT a FROM held"), before + more)
        self.assertEqual(self.host.request("GET", "/read")[0], 200)

    def test_results_are_bounded(self):
        # too many rows, and one row that is too large: an error that names the setting, memory stays bounded
        self.start(SUB0_RESULT_LIMIT="1000000")
        self.host.call("one")
        before = self.host.memory_bytes()
        for _ in range(3):
            for name, payload in (("rows", {"filler": "x" * 1000}), ("row", {"size": 5000000}), ("row", {"size": 60000000})):
                reply = self.host.call(name, payload)
                self.assertEqual((reply["status"], reply["error"]["code"]), (500, "result_too_large"), reply)
                self.assertIn("SUB0_RESULT_LIMIT", reply["message"])
        self.assertLess(self.host.memory_bytes() - before, 100000000)
        reply = self.host.call("insert-much")
        self.assertEqual((reply["status"], reply["error"]["code"]), (500, "result_too_large"), reply)
        self.assertIn("the change was made", reply["message"])
        self.assertEqual(self.host.call("count")["data"], {"n": 100000})
        self.assertEqual(len(self.host.call("row", {"size": 900000})["data"]["long_text"]), 900000)

    def test_a_look_at_a_column_fails(self):
        # S-30: whether a column rounds cannot be found out: the call fails with that, nothing is written, and it is asked for again
        relay = FailingRelay(self.server.port)
        self.addCleanup(relay.close)
        self.start(self.server.url.replace(f":{self.server.port}/", f":{relay.port}/"), SUB0_DATABASE_CONNECTIONS="1")
        relay.words = b"information_schema.columns"
        reply = self.host.call("add", {"n": 4.5})
        self.assertEqual((reply["status"], reply["error"]["code"]), (504, "timeout"), reply)
        relay.words = None
        reply = self.host.call("add", {"n": 4.5})
        self.assertEqual((reply["status"], reply["error"]["code"]), (500, "action_failed"), reply)
        self.assertIn("does not fit", reply["message"])
        self.assertEqual(self.number("SELECT count(*) FROM whole"), 0)

    def test_password_is_masked(self):
        # S-14: config never shows it, however it is written
        done = hosts.run_program("config", "--resources", self.folder.path, "--database", self.server.url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("DATABASE_URL", done.stdout)
        for secret in (self.server.password, self.server.user_in_url):
            self.assertNotIn(secret, done.stdout)
        wrong = self.server.url.replace("%25@", "wrong@")
        done = hosts.run_program("sql", "--resources", self.folder.path, "--database", wrong, "SELECT 1")
        self.assertNotEqual(done.returncode, 0)
        self.assertNotIn("wrong", done.stdout + done.stderr)


class Away(MariadbTest):
    def expect_back(self):
        self.host.wait_until_readyz(200)
        self.assertEqual(self.host.call("one")["data"], {"one": 1})

    def test_server_stops_and_starts(self):
        # away: /readyz 503 though nobody calls, calls fail with a clear error, the rest goes on; it recovers by itself
        self.start()
        self.expect_back()
        for _ in range(2):
            self.server.stop()
            try:
                self.host.wait_until_readyz(503)
                reply = self.host.call("one")
                self.assertEqual((reply["status"], reply["error"]["code"]), (503, "unavailable"))
                self.assertNotIn(str(self.server.port), json.dumps(reply))
                self.assertEqual(self.host.call("echo", 3)["data"], 3)
            finally:
                self.server.start()
            self.expect_back()

    def test_server_does_not_answer(self):
        # connections stay open and nothing comes: calls end in bounded time
        relay = Relay(self.server.port)
        self.addCleanup(relay.close)
        self.start(self.server.url.replace(f":{self.server.port}/", f":{relay.port}/"), SUB0_CALL_DEADLINE_MS="1000")
        self.expect_back()
        for go_away in (relay.freeze, relay.refuse):
            go_away()
            reply = self.host.call("one")
            self.assertIn((reply["status"], reply["error"]["code"]), ((503, "unavailable"), (504, "timeout")))
            self.host.wait_until_readyz(503)
            relay.restore()
            self.expect_back()

    def test_server_comes_later(self):
        # away at start: the host is up, /readyz says 503; it recovers by itself
        self.server.stop()
        host = hosts.Host(self.folder.path, "--database", self.server.url, secrets=[self.server.password])
        host.port = host.start("database_away").wait_for("database_away")["port"]
        self.host = host
        try:
            self.assertEqual(host.call("echo", 1)["data"], 1)
            self.assertEqual(host.request("GET", "/readyz")[0], 503)
            self.assertEqual(host.call("read")["error"]["code"], "unavailable")
            self.server.start()
            host.wait_for("ready")
            self.expect_back()
        finally:
            host.stop()


if __name__ == "__main__":
    hosts.main()
