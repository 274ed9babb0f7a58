# SPDX-License-Identifier: Apache-2.0
"""/metrics, /healthz and /readyz of the real binary: who sees them on the port of the calls, and SUB0_ADMIN_PORT, which answers
while every loop is blocked."""

import json
import socket
import sqlite3

import host as hosts
from metrics_project import MetricsTest, bad_plugin, fetch, make_fifo, read_page, release
from wire import Wire
from wire_project import PROJECT


class PublicPort(MetricsTest):
    def test_this_machine_alone(self):
        # whoever comes through a proxy or from a page in a browser does not see them
        host = self.start(PROJECT)
        for line in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Real-IP: 127.0.0.1", "Via: 1.1 proxy",
                     "Origin: http://localhost:8080"):
            with self.subTest(line), self.open(host) as wire:
                response = wire.request("GET", "/metrics", b"", line)
                self.assertEqual(response.status, 404)
                self.assertNotIn(b"sub0_calls", response.body)
        self.assertEqual(fetch(host.port)[0], 200)


class AdminPort(MetricsTest):
    env = {"SUB0_ADMIN_PORT": "0"}

    def test_they_are_there_and_nowhere_else(self):
        host = self.start(PROJECT, "--loops", "2", env=self.env)
        admin = host.wait_for("admin")["port"]
        self.assertNotEqual(admin, host.port)
        host.call("echo", {})
        self.assertEqual(read_page(admin)("sub0_calls_total", resource="echo", code="ok"), 1)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(fetch(admin, path)[0], 200)
            self.assertEqual(fetch(admin, path, "HEAD")[::2], (200, ""))
        for path in ("/metrics", "/healthz", "/readyz"):
            status, _, text = fetch(host.port, path)
            self.assertEqual((status, json.loads(text)["error"]["code"]), (404, "not_found"))
        for path, method, status in (("/", "GET", 404), ("/echo", "POST", 404), ("/metrics?x=y", "GET", 200),
                                     ("/metrics", "POST", 405), ("/healthz", "DELETE", 405), ("/metrics/", "GET", 404)):
            with self.subTest(path, method=method):
                self.assertEqual(fetch(admin, path, method)[0], status)

    def test_a_port_that_is_taken(self):
        # exit 69, and the setting is named
        with socket.socket() as taken, hosts.Folder(PROJECT) as folder:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            done = hosts.run_program("run", "--resources", folder.path, "--port", "0", cwd=folder.path,
                                     env={"SUB0_ADMIN_PORT": str(taken.getsockname()[1])})
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("SUB0_ADMIN_PORT", done.stderr)

    def test_a_port_that_is_none(self):
        for value in ("70000", "-1", "none"):
            with self.subTest(value), hosts.Folder(PROJECT) as folder:
                done = hosts.run_program("run", "--resources", folder.path, cwd=folder.path, env={"SUB0_ADMIN_PORT": value})
                self.assertEqual(done.returncode, 78)
                self.assertIn("SUB0_ADMIN_PORT", done.stderr)

    def test_a_blocked_loop(self):
        # every loop is blocked by a plugin: health and metrics still answer, and say so; then all is well again
        folder = self.enterContext(hosts.Folder({"resources/block.json": [{"id": "block", "resource": "block", "actionables": [
            {"id": 1, "mode": "BLOCK", "block": "FIFO"}]}]}))
        fifo = make_fifo(folder)
        place = bad_plugin(folder, "blocks_loop")
        host = self.enterContext(hosts.Host(folder.path, "--plugins", place, "--loops", "1",
                                            env={**self.env, "SUB0_BLOCKED_FAULT_MS": "300"}))
        admin = host.wait_for("admin")["port"]
        self.assertEqual(fetch(admin, "/healthz")[0], 200)
        wire = self.open(host)
        wire.send(b"POST /block HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
        try:
            page = self.wait_until(admin, lambda page: page("sub0_loop_blocked_now_seconds", loop="0") >= 0.3, "blocked")
            status, _, text = fetch(admin, "/healthz")
            self.assertEqual(status, 503)
            self.assertIn("loop 0 has been blocked", text)
            self.assertEqual(page["sub0_calls_under_way"], 1)
            self.assertEqual(fetch(admin, "/readyz")[0], 200)
        finally:
            release(fifo)
        self.assertEqual(wire.response().status, 200)
        page = self.wait_until(admin, lambda page: page["sub0_loop_blocked_now_seconds"] == 0, "free again")
        self.assertGreaterEqual(page("sub0_loop_blocked_seconds_total", loop="0"), 0.3)
        self.assertEqual(page("sub0_plugin_over_budget_total", plugin="test.blocks-loop", handler="BLOCK"), 1)
        self.assertEqual(fetch(admin, "/healthz")[0], 200)

    def test_peers_that_say_nothing(self):
        # more silent connections than threads: the page comes once they are timed out; calls never notice
        host = self.start(PROJECT, env=self.env)
        admin = host.wait_for("admin")["port"]
        for _ in range(24):
            self.open_port(admin).send(b"GET /metr")
        self.assertEqual(host.call("echo", 1)["data"], 1)
        self.assertEqual(read_page(admin)["sub0_ready"], 1)

    def open_port(self, port):
        return self.enterContext(Wire(port))

    def test_not_ready(self):
        # /readyz and its metric say why: the host is shutting down while a call is under way
        database = self.enterContext(hosts.Sqlite())
        folder = self.enterContext(hosts.Folder({"resources/all.json": [{"id": "write", "resource": "write", "actionables": [
            {"id": 1, "mode": "QUERY", "sql_query": {"query": "UPDATE t SET a = a + 1 RETURNING a"}}]}]}))
        hosts.run_sql(database.url, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)", resources=folder.path)
        host = self.enterContext(hosts.Host(folder.path, "--database", database.url, env=self.env))
        admin = host.wait_for("admin")["port"]
        page = read_page(admin)
        self.assertEqual((page["sub0_ready"], page["sub0_database_ready"]), (1, 1))
        lock = sqlite3.connect(database.url.removeprefix("sqlite:"), isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        wire = self.open(host)
        wire.send(b"POST /write HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
        self.wait_until(admin, lambda page: page["sub0_calls_under_way"] == 1, "the call is under way")
        host.signal()
        host.wait_for("stopping")
        status, _, text = fetch(admin, "/readyz")
        self.assertEqual((status, json.loads(text)["message"]), (503, "the host is shutting down"))
        self.assertEqual(read_page(admin)["sub0_ready"], 0)
        self.assertEqual(fetch(admin, "/healthz")[0], 200)
        lock.execute("COMMIT")
        self.assertEqual(wire.response().status, 200)


if __name__ == "__main__":
    hosts.main()
