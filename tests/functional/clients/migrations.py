# SPDX-License-Identifier: Apache-2.0
"""Migrations as a whole: killed in the middle, two at a time, many tables at the first start, a database that comes late."""

import os
import random
import sqlite3
import subprocess
import time
import unittest

import host as hosts

COUNT = 60
ROUNDS = 20
SEED = int(os.environ.get("SUB0_TEST_SEED", "1"))


def model(number):
    """Each refers to the next, the last to the first."""
    following = (number + 1) % COUNT
    return {"id": {"type": "Number", "primary_key": True, "auto_increment": True},
            "name": {"type": "String", "max_length": 80, "indexable": True},
            "text": {"type": "String", "optional": True, "fts": True},
            "next": {"type": "Number", "optional": True, "foreign_key": {"of": f"_thing_{following}", "key": "id"}}}


def resource(number):
    return {"id": f"add-{number}", "resource": f"add-{number}", "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": f"INSERT INTO thing_{number}s (name) VALUES ($1) RETURNING id, name",
                                                 "parameters": ["$PAYLOAD.name"]}}]}


PROJECT = {**{f"models/_thing_{number}.json": model(number) for number in range(COUNT)},
           **{f"resources/{number}.json": resource(number) for number in range(COUNT)}}


class SqliteTables:
    def __init__(self):
        self._folder = hosts.Folder()
        self._file = self._folder.path / "t.db"
        self.url = f"sqlite:{self._file}"

    def clear(self):
        for file in self._folder.path.iterdir():
            file.unlink()

    def count(self):
        """Tables of models, once whoever was killed has left."""
        if not self._file.exists():
            return 0
        connection = sqlite3.connect(self._file)
        try:
            return connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table' "
                                      "AND name GLOB 'thing_*s' AND name NOT GLOB '*_fts'").fetchone()[0]
        finally:
            connection.close()

    def is_sound(self):
        connection = sqlite3.connect(self._file)
        try:
            return connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        finally:
            connection.close()

    def remove(self):
        self._folder.remove()


class PostgresTables:
    def __init__(self):
        self._database = hosts.Postgres().__enter__()
        self.cluster = self._database.cluster
        self.url = self._database.url

    def clear(self):
        self.cluster.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def count(self):
        until = time.monotonic() + hosts.PATIENCE_S
        while self.cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                   "AND pid <> pg_backend_pid()") != "0":
            assert time.monotonic() < until, "the session of a killed migration stays"
        return int(self.cluster.execute("SELECT count(*) FROM pg_tables WHERE tablename ~ '^thing_[0-9]+s$'"))

    def is_sound(self):
        return self.cluster.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == str(COUNT)

    def remove(self):
        self._database.__exit__()


class Migrations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        is_sqlite = os.environ.get("SUB0_TEST_DATABASE", "sqlite") == "sqlite"
        cls.tables = SqliteTables() if is_sqlite else PostgresTables()
        cls.addClassCleanup(cls.tables.remove)
        cls.project = cls.enterClassContext(hosts.Folder(PROJECT))

    def setUp(self):
        self.tables.clear()

    def migrate(self):
        done = hosts.run_program("migrate", self.project.path, "--database", self.tables.url)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.splitlines()[-1]

    def begin(self):
        return subprocess.Popen([str(hosts.PROGRAM), "migrate", str(self.project.path), "--database", self.tables.url],
                                env=hosts.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    # spec S-103: a project is known by its folder; a table whose model is gone is that of the project that made it
    def test_projects_that_share_a_database_leave_each_others_tables(self):
        def plan(project):
            done = hosts.run_program("migrate", project.path, "--plan", "--database", self.tables.url)
            return done.stdout.splitlines()

        key = {"id": {"type": "Number", "primary_key": True}}
        ours = self.enterContext(hosts.Folder({"models/first.json": key, "models/old.json": key, "resources/0.json": resource(0)}))
        theirs = self.enterContext(hosts.Folder({"models/second.json": key, "resources/0.json": resource(0)}))
        for project in (ours, theirs):
            done = hosts.run_program("migrate", project.path, "--allow-destructive", "--database", self.tables.url)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertNotIn("drop", done.stdout)
        (ours.path / "models/old.json").unlink()
        self.assertEqual(plan(theirs), ["0 changes to do"])
        self.assertEqual(plan(ours), ["destructive: old: drop the table: its model old is gone",
                                      "0 changes to do, 1 destructive to do"])

    # kill -9 in the middle of a migration: no half table, and the next one completes
    # spec S-103: a failed migration leaves the old schema
    def test_a_killed_migration_is_whole_or_not_at_all(self):
        began = time.monotonic()
        self.assertEqual(self.migrate(), f"{COUNT} changes done")
        takes_s = time.monotonic() - began
        chance = random.Random(SEED)
        killed = 0
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=SEED):
                self.tables.clear()
                with self.begin() as process:
                    try:
                        process.wait(chance.uniform(0, takes_s))
                    except subprocess.TimeoutExpired:
                        process.kill()
                        killed += 1
                found = self.tables.count()
                self.assertIn(found, (0, COUNT))
                self.assertEqual(self.migrate(), f"{COUNT - found} changes done")
                self.assertEqual(self.tables.count(), COUNT)
                self.assertTrue(self.tables.is_sound())
        self.assertGreater(killed, ROUNDS // 4)
        self.assertEqual(self.migrate(), "0 changes done")

    # spec S-103: one node at a time
    def test_two_at_a_time_are_one_after_the_other(self):
        with self.begin() as first, self.begin() as second:
            told = [process.communicate(timeout=hosts.PATIENCE_S)[0] for process in (first, second)]
        self.assertEqual(sorted(text.splitlines()[-1] for text in told), ["0 changes done", f"{COUNT} changes done"], told)

    # spec S-103, S-101: from an empty database by one command
    def test_a_project_with_sixty_models_starts_from_nothing(self):
        with hosts.Host(self.project.path, "--database", self.tables.url, env={"SUB0_MIGRATE": "auto"}) as host:
            for number in range(COUNT):
                reply = host.call(f"add-{number}", {"name": f"n{number}"})
                self.assertEqual((reply["status"], reply["data"]), (200, {"id": 1, "name": f"n{number}"}))
            self.assertEqual([entry for entry in host.events() if entry["level"] != "info"], [])

    # spec S-103: a start waits for the database, and SIGTERM ends the wait
    def test_a_start_waits_for_the_database(self):
        if not isinstance(self.tables, PostgresTables):
            return
        self.tables.cluster.execute("CHECKPOINT")  # a start need not repeat what was killed before
        self.tables.cluster.stop()
        settings = {"SUB0_MIGRATE": "auto"}
        for is_stopped in (True, False):
            late = hosts.Host(self.project.path, "--database", self.tables.url, env=settings).start(None)
            self.addCleanup(late.stop)
            late.wait_for("database_away")
            if is_stopped:
                late.stop()
        self.tables.cluster.start()
        late.wait_for("ready")
        late.stop()
        self.assertEqual(self.tables.count(), COUNT)

    # spec S-103: SIGTERM ends a start that waits for another node's migration, and a host whose plan waits for a lock
    def test_a_migration_that_waits_for_a_lock_does_not_keep_the_process(self):
        if not isinstance(self.tables, PostgresTables):
            return
        cluster = self.tables.cluster
        cluster.execute("CREATE TABLE thing_0s (id bigint PRIMARY KEY)")
        for mode, lock, event in (("auto", "SELECT pg_advisory_xact_lock(1937072688)", None),
                                  ("off", "LOCK TABLE thing_0s IN ACCESS EXCLUSIVE MODE", "ready")):
            with self.subTest(mode=mode):
                project = self.project if mode == "auto" else self.enterContext(
                    hosts.Folder({"models/_thing_0.json": {"id": {"type": "Number", "primary_key": True}},
                                  "resources/0.json": {"id": "n", "resource": "n", "actionables": [
                                      {"id": 1, "mode": "QUERY", "sql_query": {"query": "SELECT id FROM thing_0s"}}]}}))
                holder = subprocess.Popen(["psql", "-qX", cluster.url], stdin=subprocess.PIPE, text=True,
                                          stdout=subprocess.DEVNULL)
                self.addCleanup(holder.wait)
                self.addCleanup(holder.stdin.close)
                holder.stdin.write(f"BEGIN;\n{lock};\n")
                holder.stdin.flush()
                self.wait_for_locks("granted AND (mode = 'AccessExclusiveLock' OR locktype = 'advisory')")
                host = hosts.Host(project.path, "--database", self.tables.url, env={"SUB0_MIGRATE": mode}).start(event)
                self.wait_for_locks("NOT granted")
                host.process.terminate()
                self.assertEqual(host.process.wait(hosts.PATIENCE_S / 2), 0)
                host.stop()
                holder.stdin.close()
                holder.wait()

    def wait_for_locks(self, which):
        until = time.monotonic() + hosts.PATIENCE_S
        while self.tables.cluster.execute(f"SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid() AND {which}") == "0":
            self.assertLess(time.monotonic(), until)


if __name__ == "__main__":
    hosts.main()
