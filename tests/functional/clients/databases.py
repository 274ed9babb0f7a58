# SPDX-License-Identifier: Apache-2.0
"""Databases that are slow, busy, cut off or away. What waits does so for a lock that the test holds, so that order, not time,
decides."""

import json
import sqlite3
import subprocess
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame, open_socket


def query(name, sql, **more):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {"query": sql, **more}}]}


PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    query("read", "SELECT a FROM held"),
    query("write", "UPDATE held SET a = a + 1 RETURNING a"),
    query("one", "SELECT 1 AS one"),
    {"id": "tell-all", "resource": "tell-all", "actionables": [
        {"id": 1, "mode": "VALUE", "value": "$PAYLOAD",
         "broadcast_websocket_message": {"broadcast_type": "ALL", "action": "told"}}]},
]}
POSTGRES_PROJECT = {"resources/all.json": [
    *PROJECT["resources/all.json"], query("touch", "SELECT touch() AS a"), query("sleep", "SELECT pg_sleep(0.01)"),
    query("kill-me", "SELECT pg_terminate_backend(pg_backend_pid())"), query("wrong", "SELECT $1::int / 0 AS secret_name",
                                                                             parameters=["$PAYLOAD.n"])]}
SETUP = """
    CREATE TABLE held (a INTEGER);
    INSERT INTO held VALUES (0);
"""


class Lock:
    """A psql session that holds a table."""

    def __init__(self, cluster, statement):
        program = subprocess.run(["sh", "-c", "ls -d /usr/lib/postgresql/*/bin/psql | tail -n 1"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        self._session = subprocess.Popen([program, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", cluster.url],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._session.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        self._session.stdin.flush()
        assert self._session.stdout.readline() == "held\n"

    def release(self):
        if self._session:
            self._session.communicate("COMMIT;\n", timeout=hosts.PATIENCE_S)
            self._session = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()


class PostgresFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Postgres())
        cls.cluster = cls.database.cluster
        cls.cluster.execute(SETUP)
        cls.cluster.execute("CREATE FUNCTION touch() RETURNS integer LANGUAGE sql AS 'UPDATE held SET a = a + 100 RETURNING a'")
        cls.folder = cls.enterClassContext(hosts.Folder(POSTGRES_PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, "--database", cls.database.url, "--loops", "1",
                                                    env={"SUB0_CALL_DEADLINE_MS": "600000"}))

    def open(self):
        return open_socket(self, self.host.port)

    def wait_until_blocked(self):
        """Until a statement of the host waits for the lock, and on a connection where it may wait long; its server process."""
        until = time.monotonic() + hosts.PATIENCE_S
        while time.monotonic() < until:
            pid = self.cluster.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND "
                                       "clock_timestamp() - query_start > '0.2 s' LIMIT 1")
            if pid:
                return pid
        raise AssertionError("no statement waits for the lock")

    def test_64_slow_queries_on_one_loop(self):
        # S-30, Q-86: 64 queries wait on one loop while echo is answered; then all of them are
        wires = [self.open() for _ in range(4)]
        with Lock(self.cluster, "LOCK TABLE held"):
            for wire in wires:
                wire.send(frame(call_text("read", action="slow")) * 16)
            self.wait_until_blocked()
            for wire in wires:
                wire.send(frame(call_text("echo", payload=1, action="e", id=1)) + frame(b"p", 9))
                self.assertEqual(wire.text(), {"uid": None, "action": "e", "data": 1, "id": 1})
                self.assertEqual(wire.frame(), (10, b"p"))
            self.assertEqual(self.host.call("echo", 2)["data"], 2)
            self.assertEqual(self.host.request("GET", "/healthz")[0], 200)
        for wire in wires:
            self.assertEqual([wire.text()["action"] for _ in range(16)], ["slow"] * 16)

    def test_pings_while_dispatch_is_paused(self):
        # Q-38, S-114: 40 calls wait, 32 of them under way: pings are answered, other connections served
        wire = self.open()
        with Lock(self.cluster, "LOCK TABLE held"):
            wire.send(frame(call_text("read", action="slow")) * 40)
            self.wait_until_blocked()
            for n in range(20):
                wire.send(frame(b"ping %d" % n, 9))
                self.assertEqual(wire.frame(), (10, b"ping %d" % n))
            self.assertEqual(self.host.call("echo", 2)["data"], 2)
        self.assertEqual([wire.text()["action"] for _ in range(40)], ["slow"] * 40)

    def test_64_sleeping_queries(self):
        # S-30: the same by pg_sleep: the echo behind them overtakes the last at least
        wires = [self.open() for _ in range(4)]
        for wire in wires:
            wire.send(frame(call_text("sleep", action="slow")) * 16 + frame(call_text("echo", action="e", id=1)))
        for wire in wires:
            order = [wire.text()["action"] for _ in range(17)]
            self.assertEqual(order.count("slow"), 16)
            self.assertNotEqual(order[-1], "e")

    def test_backend_is_terminated_in_the_middle_of_a_statement(self):
        # a clear error, the next call works, nothing is doubled
        before = int(self.cluster.execute("SELECT a FROM held"))
        for resource in ("read", "write"):
            with self.subTest(resource):
                wire = self.open()
                with Lock(self.cluster, "LOCK TABLE held"):
                    wire.send(frame(call_text(resource, action="a")))
                    pid = self.wait_until_blocked()
                    self.cluster.execute(f"SELECT pg_terminate_backend({pid})")
                    reply = wire.text()
                    self.assertEqual((reply["success"], reply["status"], reply["error"]["code"]), (False, 503, "unavailable"))
                    self.assertNotIn("held", reply["message"])
                    self.host.wait_until_readyz(200)
                    wire.send(frame(call_text("one")))
                    self.assertEqual(wire.text()["data"], {"one": 1})
                wire.send(frame(call_text("read")))
                self.assertEqual(wire.text()["data"], {"a": before})

    def test_statement_ends_its_own_backend(self):
        # one backend killed by its own statement
        wire = self.open()
        wire.send(frame(call_text("kill-me")) + frame(call_text("one", action="o")))
        self.assertEqual(wire.text()["status"], 503)
        self.assertIn(wire.text().get("status", 200), (200, 503))
        self.host.wait_until_readyz(200)
        self.assertEqual(wire.send(frame(call_text("one"))).text()["data"], {"one": 1})

    def test_cluster_stops_and_starts(self):
        # away: /readyz 503, calls fail with a clear error, the rest goes on; back: recovers without a restart
        wire = self.open()
        self.assertEqual(wire.send(frame(call_text("one"))).text()["data"], {"one": 1})
        for _ in range(2):
            self.cluster.stop()
            try:
                self.host.wait_until_readyz(503)
                reply = wire.send(frame(call_text("one"))).text()
                self.assertEqual((reply["status"], reply["error"]["code"]), (503, "unavailable"))
                self.assertEqual(self.host.call("one")["status"], 503)
                self.assertEqual(wire.send(frame(call_text("echo", payload=3))).text()["data"], 3)
                self.assertEqual(self.host.request("GET", "/healthz")[0], 200)
            finally:
                self.cluster.start()
            self.host.wait_until_readyz(200)
            self.assertEqual(wire.send(frame(call_text("one"))).text()["data"], {"one": 1})
        self.assertNotIn(f":{self.cluster.port}", reply["message"])

    def test_get_never_writes(self):
        # S-50: GET on a function that writes: 405, and nothing is written
        before = self.cluster.execute("SELECT a FROM held")
        status, headers, text = self.host.request("GET", "/touch")
        self.assertEqual((status, json.loads(text)["error"]["code"]), (405, "method_not_allowed"))
        self.assertNotIn("GET", headers["Allow"])
        self.assertEqual(self.cluster.execute("SELECT a FROM held"), before)
        self.assertEqual(self.host.request("GET", "/write")[0], 405)
        self.assertEqual(self.host.request("GET", "/read")[0], 200)
        self.assertEqual(self.cluster.execute("SELECT a FROM held"), before)
        self.assertEqual(self.host.call("touch")["data"], {"a": int(before) + 100})

    def test_errors_name_no_sql(self):
        # S-52: never SQL text
        reply = self.host.call("wrong", {"n": 1})
        self.assertEqual((reply["status"], reply["error"]["code"]), (500, "action_failed"))
        self.assertNotIn("secret_name", json.dumps(reply))


class AwayAtStart(unittest.TestCase):
    def test_database_comes_later(self):
        # database away at start: the host is up, /readyz says 503; it recovers by itself
        with hosts.Postgres() as database, hosts.Folder(PROJECT) as folder:
            database.cluster.execute(SETUP)
            database.cluster.stop()
            host = hosts.Host(folder.path, "--database", database.url, "--loops", "3", secrets=["hunter2"])
            host.port = host.start("database_away").wait_for("database_away")["port"]
            try:
                self.assertEqual(host.call("echo", 1)["data"], 1)
                self.assertEqual(host.request("GET", "/readyz")[0], 503)
                self.assertEqual(host.request("GET", "/healthz")[0], 200)
                reply = host.call("read")
                self.assertEqual((reply["status"], reply["error"]["code"]), (503, "unavailable"))
                database.cluster.start()
                self.assertEqual(host.wait_for("ready")["port"], host.port)
                self.assertEqual(host.request("GET", "/readyz")[0], 200)
                self.assertEqual(host.call("read")["data"], {"a": 0})
            finally:
                host.stop()


class SqliteFaults(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(hosts.Sqlite())
        self.folder = self.enterContext(hosts.Folder(PROJECT))
        hosts.run_sql(self.database.url, SETUP, resources=self.folder.path)

    def start(self, **env):
        return self.enterContext(hosts.Host(self.folder.path, "--database", self.database.url, "--loops", "3", env=env))

    def lock(self):
        other = sqlite3.connect(self.database.url.removeprefix("sqlite:"), isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        return other

    def test_busy_by_another_process(self):
        # S-30: a write waits for another process's lock; reads and the rest go on meanwhile
        host = self.start(SUB0_CALL_DEADLINE_MS="600000")
        lock = self.lock()
        with Wire(host.port) as wire:
            wire.upgrade()
            wire.send(frame(call_text("write", action="w", id="w")) + frame(call_text("read", action="r", id="r")))
            self.assertEqual(wire.text(), {"uid": None, "action": "r", "data": {"a": 0}, "id": "r"})
            self.assertEqual(wire.send(frame(call_text("echo", payload=1, action="e", id="e"))).text()["data"], 1)
            lock.execute("COMMIT")
            self.assertEqual(wire.text(), {"uid": None, "action": "w", "data": {"a": 1}, "id": "w"})

    def test_order_of_replies(self):
        # S-114, S-116: replies without id wait for those before them, with id they do not; a broadcast hangs behind the reply
        # of its call on the sender's connection, everybody else gets it at once
        host = self.start(SUB0_CALL_DEADLINE_MS="600000")
        lock = self.lock()
        with Wire(host.port) as sender, Wire(host.port) as other:
            for wire in (sender, other):
                wire.upgrade()
            sender.send(frame(call_text("write", action="1")) + frame(call_text("tell-all", payload={"n": 2}, action="2")) +
                        frame(call_text("echo", action="3")) + frame(call_text("echo", action="4", id=4)))
            self.assertEqual(sender.text()["action"], "4")
            self.assertEqual(other.text(), {"action": "told", "data": {"n": 2}})
            lock.execute("COMMIT")
            self.assertEqual([sender.text()["action"] for _ in range(4)], ["1", "2", "told", "3"])

    def test_a_client_that_leaves(self):
        # its calls end after it has gone: nobody else notices
        host = self.start(SUB0_CALL_DEADLINE_MS="600000")
        lock = self.lock()
        with Wire(host.port) as wire:
            wire.upgrade()
            wire.send(frame(call_text("write")) * 5 + frame(call_text("echo", action="e", id=1)))
            self.assertEqual(wire.text()["action"], "e")
        self.assertEqual(host.call("echo", 1)["data"], 1)
        lock.execute("COMMIT")
        reply = host.call("write")
        self.assertEqual(reply["status"], 200, reply)
        self.assertIn(reply["data"]["a"], range(1, 7))

    def test_busy_too_long(self):
        # S-52: the lock outlasts the call: a clear error in bounded time; later calls work
        host = self.start(SUB0_CALL_DEADLINE_MS="300")
        lock = self.lock()
        reply = host.call("write")
        self.assertIn((reply["status"], reply["error"]["code"]), ((503, "busy"), (504, "timeout")))
        lock.execute("COMMIT")
        until = time.monotonic() + hosts.PATIENCE_S
        while (reply := host.call("write"))["status"] != 200 and time.monotonic() < until:
            pass
        self.assertEqual(reply["status"], 200, reply)
        # What was refused has not been written behind the caller's back more than once.
        self.assertLessEqual(reply["data"]["a"], 2)

    def test_concurrent_writes(self):
        # S-30: 400 increments from 8 connections: none is lost, none doubled
        host = self.start()
        seen, failures = [], []

        def increment():
            try:
                with Wire(host.port) as wire:
                    wire.upgrade()
                    wire.send(frame(call_text("write")) * 50)
                    seen.extend(wire.text()["data"]["a"] for _ in range(50))
            except Exception as failure:  # pylint: disable=broad-exception-caught
                failures.append(failure)
        threads = [threading.Thread(target=increment) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(sorted(seen), list(range(1, 401)))


if __name__ == "__main__":
    hosts.main()
