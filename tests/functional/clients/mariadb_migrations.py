# SPDX-License-Identifier: Apache-2.0
"""Migrations of MariaDB, which takes no definition back: killed in the middle, two at a time, many tables at the first start."""

import os
import random
import subprocess
import time
import unittest

import host as hosts

COUNT = 12
ROUNDS = 20
SEED = int(os.environ.get("SUB0_TEST_SEED", "1"))

SCHEMA = """
    SELECT table_name, column_name, column_type, is_nullable, column_default, extra, collation_name, ordinal_position
      FROM information_schema.columns WHERE table_schema = 'app' ORDER BY table_name, ordinal_position;
    SELECT table_name, index_name, non_unique, index_type, column_name, sub_part, seq_in_index
      FROM information_schema.statistics WHERE table_schema = 'app' ORDER BY table_name, index_name, seq_in_index;
    SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name
      FROM information_schema.key_column_usage WHERE table_schema = 'app' ORDER BY table_name, constraint_name, column_name;
    SELECT table_name, table_comment, engine, table_collation FROM information_schema.tables
      WHERE table_schema = 'app' ORDER BY table_name
"""


def model(number, is_later):
    """Each refers to the next, the last to the first."""
    following = (number + 1) % COUNT
    fields = {"id": {"type": "Number", "primary_key": True, "auto_increment": True},
              "name": {"type": "String", "max_length": 80, "indexable": True},
              "text": {"type": "String", "optional": True, "fts": True},
              "next": {"type": "Number", "optional": True, "foreign_key": {"of": f"_thing_{following}", "key": "id"}}}
    if is_later:
        fields["name"]["max_length"] = 120
        fields["size"] = {"type": "Float", "optional": True, "indexable": True}
        fields["other"] = {"type": "Number", "optional": True, "foreign_key": {"of": f"_thing_{following}", "key": "id"}}
    return fields


def resource(number):
    return {"id": f"add-{number}", "resource": f"add-{number}", "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": f"INSERT INTO thing_{number}s (name) VALUES ($1) RETURNING id, name",
                                                 "parameters": ["$PAYLOAD.name"]}}]}


def project(is_later):
    return {**{f"models/_thing_{number}.json": model(number, is_later) for number in range(COUNT)},
            **{f"resources/{number}.json": resource(number) for number in range(COUNT)}}


class Migrations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Mariadb())
        cls.server = cls.database.server
        cls.project = cls.enterClassContext(hosts.Folder(project(False)))
        cls.later = cls.enterClassContext(hosts.Folder(project(True)))

    def setUp(self):
        self.clear()

    def clear(self):
        self.server.execute("DROP DATABASE app; CREATE DATABASE app CHARACTER SET utf8mb4")

    def migrate(self, folder):
        done = hosts.run_program("migrate", folder.path, "--database", self.database.url)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.splitlines()[-1]

    def begin(self, folder):
        return subprocess.Popen([str(hosts.PROGRAM), "migrate", str(folder.path), "--database", self.database.url],
                                env=hosts.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def schema(self):
        """Lines of each table, once whoever was killed has left."""
        until = time.monotonic() + hosts.PATIENCE_S
        while self.server.execute("SELECT count(*) FROM information_schema.processlist WHERE user = 'sub0'") != "0":
            self.assertLess(time.monotonic(), until, "the session of a killed migration stays")
        tables = {}
        for line in self.server.execute(SCHEMA).splitlines():
            tables.setdefault(line.split("\t")[0], []).append(line)
        return tables

    def kill_in_the_middle(self, folder, seconds):
        """Whether it was killed before it ended."""
        with self.begin(folder) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                return True
        return False

    # kill -9 in the middle of a migration: no half table, and the next one completes
    def test_a_killed_migration_is_gone_on_from(self):
        began = time.monotonic()
        self.assertEqual(self.migrate(self.project), f"{COUNT} changes done")
        takes_s = time.monotonic() - began
        whole = self.schema()
        self.assertEqual(len(whole), COUNT)
        chance = random.Random(SEED)
        killed = between = 0
        for number in range(ROUNDS):
            with self.subTest(round=number, seed=SEED):
                self.clear()
                killed += self.kill_in_the_middle(self.project, chance.uniform(0, takes_s))
                found = self.schema()
                between += 0 < len(found) < COUNT
                self.assertEqual(found, {name: whole[name] for name in found})
                left = COUNT - len(found)
                self.assertEqual(self.migrate(self.project), f"{left} change{'' if left == 1 else 's'} done")
                self.assertEqual(self.schema(), whole)
        self.assertGreater(killed, ROUNDS // 4)
        self.assertGreater(between, 0)
        self.assertEqual(self.migrate(self.project), "0 changes done")

    # the same where tables are changed: each has all of it but the new reference, or nothing, and keeps its rows
    def test_killed_changes_are_gone_on_from(self):
        self.migrate(self.project)
        old = self.schema()
        began = time.monotonic()
        self.assertEqual(self.migrate(self.later), f"{5 * COUNT} changes done")
        takes_s = time.monotonic() - began
        new = self.schema()
        chance = random.Random(SEED)
        self.clear()
        self.migrate(self.project)
        self.server.execute("; ".join(f"INSERT INTO thing_{n}s (name) VALUES ('n')" for n in range(COUNT)))
        self.assertEqual(self.schema(), old)
        for number in range(4):  # each goes on from where the one before it was killed
            with self.subTest(round=number, seed=SEED):
                self.kill_in_the_middle(self.later, chance.uniform(takes_s / 8, takes_s / 3))
                for name, lines in self.schema().items():
                    without_reference = [line for line in new[name] if "_other_fkey" not in line]
                    self.assertIn(lines, (old[name], without_reference, new[name]))
        self.migrate(self.later)
        self.assertEqual(self.schema(), new)
        counts = " + ".join(f"(SELECT count(*) FROM thing_{n}s)" for n in range(COUNT))
        self.assertEqual(self.server.execute(f"SELECT {counts}"), str(COUNT))

    # spec S-103: one node at a time
    def test_two_at_a_time_are_one_after_the_other(self):
        with self.begin(self.project) as first, self.begin(self.project) as second:
            told = [process.communicate(timeout=hosts.PATIENCE_S)[0] for process in (first, second)]
        self.assertEqual(sorted(text.splitlines()[-1] for text in told), ["0 changes done", f"{COUNT} changes done"], told)

    # spec S-103, S-101: from an empty database by one command; without SUB0_MIGRATE the log says what is pending
    def test_a_project_with_many_models_starts_from_nothing(self):
        with hosts.Host(self.project.path, "--database", self.database.url) as host:
            self.assertIn(f"{COUNT} changes", host.wait_for("migration_pending")["message"])
        self.assertEqual(self.schema(), {})
        with hosts.Host(self.project.path, "--database", self.database.url, env={"SUB0_MIGRATE": "auto"}) as host:
            for number in range(COUNT):
                reply = host.call(f"add-{number}", {"name": f"n{number}"})
                self.assertEqual((reply["status"], reply["data"]), (200, {"id": 1, "name": f"n{number}"}))
            self.assertEqual([entry for entry in host.events() if entry["level"] != "info"], [])

    # a failure in the middle says what stays
    def test_a_migration_that_fails_says_what_stays(self):
        folder = self.enterContext(hosts.Folder({
            "resources/a.json": [{"id": "one", "resource": "one", "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]}],
            "models/_a.json": {"id": {"type": "Number", "primary_key": True}},
            "models/_b.json": {"id": {"type": "Number", "primary_key": True}, "a": {"type": "Number", "optional": True}}}))
        self.migrate(folder)
        self.server.execute("INSERT INTO _b (id, a) VALUES (1, 5)")
        folder.write("models/_a.json", {"id": {"type": "Number", "primary_key": True}, "n": {"type": "Number", "optional": True}})
        folder.write("models/_b.json", {"id": {"type": "Number", "primary_key": True},
                                        "a": {"type": "Number", "optional": True, "foreign_key": {"of": "_a", "key": "id"}}})
        failed = hosts.run_program("migrate", folder.path, "--database", self.database.url)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("_a: was changed before that, and stays so", failed.stdout)
        self.assertIn("it ended in the middle, and another run goes on from there: table _b: column a refers to _a (id)", failed.stderr)
        self.assertIn("MariaDB: error 1452", failed.stderr)
        self.server.execute("UPDATE _b SET a = NULL")
        self.assertEqual(self.migrate(folder), "1 change done")


if __name__ == "__main__":
    hosts.main()
