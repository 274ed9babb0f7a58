# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL connections that many calls share, and those that one has for itself: nobody waits for ever behind another, and nobody
finds what another left in its session."""

import unittest

import host as hosts
from databases import Lock
from wire import call_text, frame, open_socket


def query(name, *statements, **more):
    return {"id": name, "resource": name, **more,
            "actionables": [{"id": n, "mode": "QUERY", "sql_query": {"query": sql}} for n, sql in enumerate(statements, 1)]}


FOUND = """SELECT coalesce(current_setting('a.b', true), '') AS setting, current_setting('search_path') AS path,
    current_user::text AS who, pg_try_advisory_xact_lock(7) AS lock_7, pg_try_advisory_xact_lock(8) AS lock_8,
    (SELECT count(*) FROM pg_catalog.pg_class WHERE relpersistence = 't')::int AS tables"""
CLEAN = {"setting": "", "path": '"$user", public', "who": "postgres", "lock_7": True, "lock_8": True, "tables": 0}
LEAVING = {
    "set-config": ["SELECT set_config('a.b', 'left', false), set_config('search_path', 'nowhere', false)"],
    "set-role": ["SELECT set_config('role', 'somebody', false)"],
    "lock": ["SELECT pg_advisory_lock(7)"],
    "try-lock": ["SELECT pg_try_advisory_lock(8)"],
    "temporary": ["CREATE TEMPORARY TABLE left_over (a int)"],
    "into-temporary": ["SELECT 1 AS a INTO TEMP left_over"],
    "function": ["SELECT leave()"],
    "do": ["DO $$BEGIN PERFORM set_config('a.b', 'do', false); PERFORM pg_advisory_lock(8); CREATE TEMP TABLE x (a int); END$$"],
}
PROJECT = {"resources/all.json": [
    *(query(name, *statements) for name, statements in LEAVING.items()),
    *(query("t-" + name, *statements, "SELECT 1 AS one", transaction=True) for name, statements in LEAVING.items()),
    query("found", FOUND),
    query("found-shared", "SELECT coalesce(current_setting('a.b', true), '') AS setting, current_user::text AS who"),
    query("found-writer", "UPDATE held SET a = a WHERE id = 1 RETURNING coalesce(current_setting('a.b', true), '') AS setting"),
    query("add", "UPDATE held SET a = a + 1 WHERE id = 1 RETURNING a"),
    query("add-other", "UPDATE held SET a = a + 1 WHERE id = 2 RETURNING a"),
    query("read", "SELECT a FROM held WHERE id = 1"),
    query("hold", "UPDATE held SET a = a + 1 WHERE id = 1", "UPDATE gate SET a = a + 1",
          "UPDATE held SET a = a + 1 WHERE id = 1 RETURNING a", transaction=True),
    query("now", "SELECT now()::text AS t"),
    query("orphan", "INSERT INTO child VALUES (99)", transaction=True),
    query("twice", "UPDATE held SET a = a + 1 WHERE id = 2", "SELECT 1 / 0", transaction=True),
]}
SETUP = """
    CREATE TABLE held (id int PRIMARY KEY, a int); INSERT INTO held VALUES (1, 0), (2, 0);
    CREATE TABLE gate (a int); INSERT INTO gate VALUES (0);
    CREATE TABLE child (held_id int REFERENCES held (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE ROLE somebody;
    CREATE FUNCTION leave() RETURNS text LANGUAGE sql AS $$SELECT set_config('a.b', 'function', false)$$;
"""


class Sharing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(hosts.Postgres()).cluster
        cls.cluster.execute(SETUP)
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, "--database", cls.cluster.url, "--loops", "1",
                                                    env={"SUB0_CALL_DEADLINE_MS": "20000"}))

    def open(self):
        return open_socket(self, self.host.port)

    def call(self, wire, resource):
        reply = wire.send(frame(call_text(resource))).text()
        return reply["data"] if reply.get("success", True) else reply

    def test_what_a_call_leaves_nobody_finds(self):
        # set_config, advisory locks, temporary tables, DO: invisible to the next call, in transactions as well
        wire = self.open()
        self.assertEqual(self.call(wire, "found"), CLEAN)
        for name in [*LEAVING, *("t-" + name for name in LEAVING)]:
            with self.subTest(name):
                reply = wire.send(frame(call_text(name))).text()
                self.assertTrue(reply.get("success", True), reply)
                for _ in range(6):
                    self.assertEqual(self.call(wire, "found"), CLEAN)
                self.assertEqual(self.call(wire, "found-shared"), {"setting": "", "who": "postgres"})
                self.assertEqual(self.call(wire, "found-writer"), {"setting": ""})

    def test_a_transaction_that_others_wait_for_goes_on(self):
        # it holds a row and waits; 64 calls wait for the row; it goes on, and all end
        before = int(self.cluster.execute("SELECT a FROM held WHERE id = 1"))
        holder, other = self.open(), self.open()
        wires = [self.open() for _ in range(4)]
        with Lock(self.cluster, "UPDATE gate SET a = a"):
            holder.send(frame(call_text("hold")))
            while self.cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == "0":
                pass
            for wire in wires:
                wire.send(frame(call_text("add")) * 16)
            # Meanwhile everything else is served: writes, reads, and reads of the row that is held.
            for _ in range(5):
                self.assertIn("a", self.call(other, "add-other"))
                self.assertEqual(self.call(other, "read"), {"a": before})
        self.assertEqual(holder.text()["data"], {"a": before + 2})
        replies = [wire.text() for wire in wires for _ in range(16)]
        added = [reply["data"]["a"] for reply in replies if reply.get("success", True)]
        self.assertEqual(sorted(added), list(range(before + 3, before + 3 + len(added))))
        self.assertGreater(len(added), 0)
        for reply in replies:
            self.assertIn(reply.get("error", {}).get("code", "busy"), ("busy", "timeout"), reply)
        self.assertEqual(int(self.cluster.execute("SELECT a FROM held WHERE id = 1")), before + 2 + len(added))

    def test_reads_of_a_turn_are_one_batch(self):
        # S-30: now() is the start of a transaction: 32 calls in one packet need few
        wire = self.open()
        self.call(wire, "now")
        wire.send(frame(call_text("now")) * 32)
        self.assertLessEqual(len({wire.text()["data"]["t"] for _ in range(32)}), 4)

    def test_deferred_constraints_are_told_at_the_commit(self):
        # S-52: the words are those of the constraint, and nothing was done
        reply = self.host.call("orphan")
        self.assertEqual((reply["success"], reply["error"]["code"], reply["message"]),
                         (False, "constraint", "Operation Failed: held_id refers to nothing"))
        self.assertEqual(self.cluster.execute("SELECT count(*) FROM child"), "0")

    def test_a_failure_undoes_all(self):
        before = self.cluster.execute("SELECT a FROM held WHERE id = 2")
        self.assertEqual(self.host.call("twice")["error"]["code"], "action_failed")
        self.assertEqual(self.cluster.execute("SELECT a FROM held WHERE id = 2"), before)
        self.assertEqual(self.cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"), "0")


if __name__ == "__main__":
    hosts.main()
