# SPDX-License-Identifier: Apache-2.0
"""The whole host on an SQLite file: one host per file, a disk that is full, transactions of many calls at once."""

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame


def query(sql, *parameters, number=1):
    return {"id": number, "mode": "QUERY", "sql_query": {"query": sql, "parameters": list(parameters)}}


def resource(name, *actions, **more):
    return {"id": name, "resource": name, "actionables": list(actions), **more}


PROJECT = {"resources/all.json": [
    resource("echo", {"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}),
    resource("note", query("INSERT INTO notes (text) VALUES ($1)", "$PAYLOAD.text")),
    resource("count", query("SELECT count(*) AS n FROM notes")),
    resource("total", query("SELECT sum(cents) AS cents FROM accounts")),
    resource("add", query("UPDATE accounts SET cents = cents + 1 WHERE id = 0")),
    resource("transfer",
             query("UPDATE accounts SET cents = cents + $1 WHERE id = $2", "$PAYLOAD.cents", "$PAYLOAD.to"),
             query("INSERT INTO transfers VALUES ($1, $2, $3)", "$PAYLOAD.from", "$PAYLOAD.to", "$PAYLOAD.cents", number=2),
             query("UPDATE accounts SET cents = cents - $1 WHERE id = $2", "$PAYLOAD.cents", "$PAYLOAD.from", number=3),
             transaction=True),
]}
SETUP = """
    CREATE TABLE notes (text TEXT);
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0));
    CREATE TABLE transfers (giver INTEGER, taker INTEGER, cents INTEGER);
    INSERT INTO accounts VALUES (0, 0), (1, 1000), (2, 1000), (3, 1000), (4, 1000);
"""


class SqliteHost(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(hosts.Sqlite())
        self.path = self.database.url.removeprefix("sqlite:")
        self.folder = self.enterContext(hosts.Folder(PROJECT))
        hosts.run_sql(self.database.url, SETUP, resources=self.folder.path)

    def make(self, **env):
        return hosts.Host(self.folder.path, "--database", self.database.url, "--loops", "3", env=env)

    def ask(self, sql):
        other = sqlite3.connect(self.path)
        try:
            return other.execute(sql).fetchall()
        finally:
            other.close()


class OneHostPerFile(SqliteHost):
    def refused(self):
        """A further host on the same file: its exit code and its log."""
        second = self.make().start(event=None)
        code = second.wait()
        second.check_log()
        return code, second.log()

    def test_second_host(self):
        # It does not start and says why; tools beside the first work; the first goes on
        with self.make() as first:
            code, log = self.refused()
            self.assertEqual(code, 1)
            self.assertIn("another sub0-host is running on the database file", log)
            self.assertEqual(hosts.run_sql(self.database.url, "SELECT count(*) AS n FROM accounts",
                                           resources=self.folder.path).strip(), '{"n":5}')
            hosts.run_sql(self.database.url, "INSERT INTO notes VALUES ('from beside')", resources=self.folder.path)
            self.assertEqual(first.call("count")["data"], {"n": 1})
            self.assertEqual(first.call("note", {"text": "x"})["status"], 200)
        with self.make() as next_one:
            self.assertEqual(next_one.call("count")["data"], {"n": 2})

    def test_kill_leaves_no_lock(self):
        # kill -9: the next host starts, and what was answered is there
        first = self.make().start()
        for n in range(20):
            self.assertEqual(first.call("note", {"text": str(n)})["status"], 200)
        first.signal(signal.SIGKILL)
        self.assertEqual(first.wait(), -signal.SIGKILL)
        with self.make() as second:
            self.assertEqual(second.call("count")["data"], {"n": 20})


class SmallDisk:
    """A folder with little space: a file system of its own, or, without the right to mount, a limit on the size of files."""

    def __init__(self, folder):
        self.path = folder / "small"
        self.path.mkdir()
        self.is_mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(self.path)], capture_output=True,
                                         check=False).returncode == 0
        self._filler = self.path / "filler"
        if self.is_mounted:
            self._filler.write_bytes(bytes(2 << 20))

    def program(self):
        """What is started instead of the host, so that a file's limit is an error and no signal."""
        if self.is_mounted:
            return hosts.PROGRAM
        script = self.path.parent / "host.sh"
        script.write_text(f"#!/bin/sh\nexec env --ignore-signal=XFSZ {hosts.PROGRAM} \"$@\"\n")
        script.chmod(0o755)
        return script

    def fill(self, pid):
        if not self.is_mounted:
            subprocess.run(["prlimit", "--pid", str(pid), "--fsize=1000000:"], check=True)

    def clear(self, pid):
        if self.is_mounted:
            self._filler.unlink()
        else:
            subprocess.run(["prlimit", "--pid", str(pid), "--fsize=unlimited:"], check=True)

    def remove(self):
        if self.is_mounted:
            subprocess.run(["umount", str(self.path)], check=True)


class DiskFull(SqliteHost):
    def test_disk_full(self):
        # a clear error per call, nothing half written, reads and the rest go on; with space again it recovers by itself
        disk = SmallDisk(self.folder.path)
        self.addCleanup(disk.remove)
        self.path = str(disk.path / "data.db")
        hosts.run_sql("sqlite:" + self.path, SETUP, resources=self.folder.path)
        host = self.enterContext(hosts.Host(self.folder.path, "--database", "sqlite:" + self.path, "--loops", "2",
                                            program=disk.program()))
        disk.fill(host.process.pid)
        text = "x" * 100000
        written, reply = 0, host.call("note", {"text": text})
        while reply["status"] == 200 and written < 100:
            written += 1
            reply = host.call("note", {"text": text})
        self.assertGreater(written, 0)
        for _ in range(5):
            self.assertEqual((reply["status"], reply["error"]["code"], reply["success"]), (500, "action_failed", False), reply)
            if disk.is_mounted:
                self.assertEqual(reply["message"], "the database has no space left")
            self.assertEqual(host.call("count")["data"], {"n": written})
            self.assertEqual(host.call("echo", 1)["data"], 1)
            reply = host.call("note", {"text": text})
        self.assertEqual(host.call("transfer", {"from": 1, "to": 2, "cents": 100, "note": text})["status"] // 100 in (2, 5), True)
        self.assertEqual(host.call("total")["data"], {"cents": 4000})
        disk.clear(host.process.pid)
        for _ in range(5):
            reply = host.call("note", {"text": text})
            self.assertEqual(reply["status"], 200, reply)
            written += 1
        self.assertEqual(host.call("count")["data"], {"n": written})
        self.assertEqual(host.request("GET", "/readyz")[0], 200)
        host.stop()
        self.assertEqual(self.ask("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual(self.ask("SELECT count(*) FROM notes WHERE length(text) = 100000"), [(written,)])


class Transactions(SqliteHost):
    def test_transfers_from_many_connections(self):
        # S-22: transfers, half of which must fail at their last statement, with other writes and reads between: money is neither
        # made nor lost, at no moment and for nobody; every reply says what was done
        host = self.enterContext(self.make())
        done, refused, added, failures = [], [], [], []
        chance = random.Random(7)
        plans = [[(chance.randint(1, 4), chance.randint(1, 4), chance.choice([1, 5, 5000])) for _ in range(60)]
                 for _ in range(8)]

        def work(plan):
            try:
                with Wire(host.port) as wire:
                    wire.upgrade()
                    for giver, taker, cents in plan:
                        wire.send(frame(call_text("transfer", payload={"from": giver, "to": taker, "cents": cents})) +
                                  frame(call_text("total")) + frame(call_text("add")))
                        reply, total, add = wire.text(), wire.text(), wire.text()
                        (refused if "error" in reply else done).append((giver, taker, cents))
                        if "error" in reply:
                            self.assertEqual(reply["error"]["code"], "constraint", reply)
                        self.assertGreaterEqual(total["data"]["cents"], 4000)
                        self.assertLessEqual(total["data"]["cents"], 4000 + 8 * 60)
                        self.assertNotIn("error", add)
                        added.append(1)
            except Exception as failure:  # pylint: disable=broad-exception-caught
                failures.append(failure)

        threads = [threading.Thread(target=work, args=(plan,)) for plan in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(done), 0)
        self.assertGreater(len(refused), 0)
        host.stop()
        self.assertEqual(sorted(self.ask("SELECT * FROM transfers")), sorted(done))
        self.assertEqual(self.ask("SELECT sum(cents) FROM accounts WHERE id > 0"), [(4000,)])
        self.assertEqual(self.ask("SELECT cents FROM accounts WHERE id = 0"), [(len(added),)])

    def test_kill_in_the_middle(self):
        # kill -9 under transfers: what was answered is there, nothing is there by half
        host = self.make().start()
        answered = []

        def work(number):
            try:
                with Wire(host.port) as wire:
                    wire.upgrade()
                    while True:
                        wire.send(frame(call_text("transfer", payload={"from": 1, "to": 2, "cents": 0, "n": number})))
                        if "error" not in wire.text():
                            answered.append(number)
            except (OSError, EOFError, AssertionError, IndexError, ValueError):
                pass

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + hosts.PATIENCE_S
        while len(answered) < 50 and time.monotonic() < until:
            host.call("echo", 1)
        os.kill(host.process.pid, signal.SIGKILL)
        host.wait()
        for thread in threads:
            thread.join()
        with self.make() as second:
            self.assertEqual(second.call("total")["data"], {"cents": 4000})
        self.assertGreaterEqual(self.ask("SELECT count(*) FROM transfers")[0][0], len(answered))


if __name__ == "__main__":
    hosts.main()
