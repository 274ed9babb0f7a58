# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the resources of a running host are replaced, all or nothing, and no call notices."""

import collections
import signal
import threading
import unittest

import host as hosts
from wire import Wire, call_text, frame, open_socket

ECHO = {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]}
MEBIBYTE = 1 << 20


def query(name, sql):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {"query": sql}}]}


def constant(name, value):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "VALUE", "value": value}]}


class ReloadTest(unittest.TestCase):
    loops = 3

    def setUp(self):
        self.database = self.enterContext(hosts.chosen_database())
        self.folder = self.enterContext(hosts.Folder({"resources/echo.json": ECHO, "resources/a.json": constant("a", 1)}))
        self.reloads = 0
        self.refusals = 0

    def start(self, **env):
        self.host = self.enterContext(hosts.Host(self.folder.path, "--database", self.database.url, "--loops", self.loops,
                                                 env={"SUB0_CALL_DEADLINE_MS": "600000", **env}))

    def open(self):
        return open_socket(self, self.host.port)

    def reload(self):
        self.host.signal(signal.SIGHUP)
        self.reloads += 1
        self.host.wait_for_count("reloaded", self.reloads)

    def reload_in_vain(self):
        self.host.signal(signal.SIGHUP)
        self.refusals += 1
        self.host.wait_for_count("reload_refused", self.refusals)
        return [entry for entry in self.host.events() if entry.get("event") == "reload_refused"][-1]


class Reloads(ReloadTest):
    def test_added_changed_removed(self):
        # S-1: as the files are now; what has an open connection keeps it
        self.start()
        wire = self.open()
        self.assertEqual(self.host.call("b")["status"], 404)
        self.folder.write("resources/b.json", query("b", "SELECT 2 AS two"))
        self.folder.write("resources/a.json", constant("a", "new"))
        self.reload()
        self.assertEqual(self.host.call("b")["data"], {"two": 2})
        self.assertEqual(self.host.call("a")["data"], "new")
        self.assertEqual(wire.send(frame(call_text("b"))).text()["data"], {"two": 2})
        (self.folder.path / "resources/a.json").unlink()
        self.reload()
        self.assertEqual(self.host.call("a")["status"], 404)
        self.assertEqual(wire.send(frame(call_text("a"))).text()["status"], 404)
        self.assertEqual(wire.send(frame(call_text("echo", 5))).text()["data"], 5)
        reloaded = self.host.wait_for("reloaded")
        self.assertEqual(reloaded["resources"], 3)
        self.assertGreaterEqual(reloaded["duration_ms"], 0)

    def test_broken_resources(self):
        # the old set stays, the errors of all files are logged with their places, nothing is dropped
        self.start()
        wire = self.open()
        self.folder.write("resources/a.json", constant("a", "new"))
        self.folder.write("resources/bad.json", '{"id": "bad",\n "resource": ')
        self.folder.write("resources/mode.json", {**ECHO, "id": "mode", "resource": "mode", "actionables": [
            {"id": 1, "mode": "VALU", "value": 1}]})
        self.folder.write("resources/sql.json", query("sql", "SELECT 1; SELECT 2"))
        for _ in range(2):
            refused = self.reload_in_vain()
            said = [entry for entry in self.host.events() if entry.get("event") == "problem" and entry["level"] == "error"]
            self.assertEqual(refused["errors"] * self.refusals, len(said))
            text = "\n".join(entry["message"] for entry in said)
            for part in ("bad.json:", "mode.json:", "sql.json:", 'did you mean "VALUE"', "/sql_query/query"):
                self.assertIn(part, text)
            self.assertEqual(self.host.call("a")["data"], 1)
            self.assertEqual(self.host.call("mode")["status"], 404)
            self.assertEqual(wire.send(frame(call_text("a"))).text()["data"], 1)
            self.assertEqual(self.host.request("GET", "/readyz")[0], 200)
        for name in ("bad", "mode", "sql"):
            (self.folder.path / f"resources/{name}.json").unlink()
        self.reload()
        self.assertEqual(self.host.call("a")["data"], "new")

    def test_folder_that_has_gone(self):
        # nothing to read is an error, not an empty set
        self.start()
        elsewhere = self.folder.path.with_name(self.folder.path.name + "-elsewhere")
        self.folder.path.rename(elsewhere)
        try:
            self.assertGreaterEqual(self.reload_in_vain()["errors"], 1)
            self.assertEqual(self.host.call("a")["data"], 1)
        finally:
            elsewhere.rename(self.folder.path)

    def test_values_of_dotenv(self):
        # S-3: what resources take from .env is read anew; settings are not
        self.folder.write("resources/a.json", constant("a", "$ENV.GREETING"))
        self.folder.write(".env", "GREETING=hello\nMAX_PAYLOAD_LIMIT=100\n")
        self.start()
        self.assertEqual(self.host.call("a")["data"], "hello")
        self.folder.write(".env", "GREETING=good day\nMAX_PAYLOAD_LIMIT=100000\n")
        self.reload()
        self.assertEqual(self.host.call("a")["data"], "good day")
        self.assertEqual(self.host.call("echo", "x" * 200)["status"], 413)


class Caller(threading.Thread):
    """Calls without pause on one connection, eight at a time, and counts: every call must have its reply, in order."""

    resources = ("echo", "a", "changing", "table")

    def __init__(self, port):
        super().__init__()
        self._port = port
        self._is_over = threading.Event()
        self.sent = 0
        self.replies = collections.Counter()
        self.wrong = []
        self.failure = None

    def run(self):
        try:
            with Wire(self._port) as wire:
                wire.upgrade()
                expected = collections.deque()
                version = 0
                while expected or not self._is_over.is_set():
                    batch = []
                    while len(expected) + len(batch) < 8 and not self._is_over.is_set():
                        batch.append((self.resources[self.sent % len(self.resources)], self.sent))
                        self.sent += 1
                    wire.send(b"".join(frame(call_text(name, number, action=str(number))) for name, number in batch))
                    expected.extend(batch)
                    version = self.take(wire.next_text(), *expected.popleft(), version)
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure

    def take(self, reply, name, number, version):
        self.replies[name] += 1
        data = reply.get("data")
        good = reply["action"] == str(number)
        if name == "echo":
            good = good and data == number
        elif name == "changing":  # later calls never follow older resources
            good = good and isinstance(data, dict) and data["version"] >= version
            version = data["version"] if good else version
        else:
            good = good and data == {"a": 1, "table": {"n": 7}}[name]
        if not good and len(self.wrong) < 5:
            self.wrong.append((name, number, version, reply))
        return version

    def finish(self):
        self._is_over.set()
        self.join(hosts.PATIENCE_S)


class ManyReloads(ReloadTest):
    warm_up, count = 150, 1000
    loops = 2

    def write_version(self, version):
        # Each text is new, so the statements of old sets have to be forgotten by the database, too.
        self.folder.write("resources/changing.json", query("changing", f"SELECT {version} AS version"))

    def test_under_load(self):
        # 1,000 reloads while clients call: no call is lost, nothing leaks
        self.folder.write("resources/table.json", query("table", "SELECT n FROM t"))
        self.write_version(0)
        hosts.run_sql(self.database.url, "CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (7)", resources=self.folder.path)
        self.start()
        callers = [Caller(self.host.port) for _ in range(3)]
        for caller in callers:
            caller.start()
        before = None
        for version in range(1, self.warm_up + self.count + 1):
            if version == self.warm_up:
                before = self.host.memory_bytes(), self.host.descriptor_count()
            self.write_version(version)
            self.reload()
        after = self.host.memory_bytes(), self.host.descriptor_count()
        for caller in callers:
            caller.finish()
        for caller in callers:
            self.assertIsNone(caller.failure)
            self.assertEqual(caller.wrong, [])
            self.assertEqual(sum(caller.replies.values()), caller.sent)
            self.assertGreater(caller.sent, 100)
        self.assertEqual(self.host.count("reloaded"), self.warm_up + self.count)
        self.assertEqual(self.host.call("changing")["data"], {"version": self.warm_up + self.count})
        print(f"{sum(caller.sent for caller in callers)} calls; memory {before[0] >> 10} -> {after[0] >> 10} KiB; "
              f"descriptors {before[1]} -> {after[1]}")
        # One left open by each reload would be a thousand; a reading thread opens its connection at the first slow statement.
        self.assertLess(after[1] - before[1], 20)
        if not hosts.is_sanitized():
            self.assertLess(after[0] - before[0], 3 * MEBIBYTE)
        self.assertNotIn('"level":"error"', self.host.log())

    def test_signals_merge(self):
        # signals that come faster than reloads are done are one
        self.start()
        for _ in range(1000):
            self.host.signal(signal.SIGHUP)
        self.folder.write("resources/a.json", constant("a", "last"))
        self.host.signal(signal.SIGHUP)
        self.host.wait_for_count("reloaded", 1)
        while self.host.call("a")["data"] != "last":
            pass
        self.assertLessEqual(self.host.count("reloaded"), 1001)


if __name__ == "__main__":
    hosts.main()
