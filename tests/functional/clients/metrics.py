# SPDX-License-Identifier: Apache-2.0
"""/metrics of the real binary: the format to the letter, every counter moves with its event, what it says agrees with what
clients saw, and nobody but the project makes a label."""

import json
import re
import signal
import socket

from prometheus_client.parser import text_string_to_metric_families

import host as hosts
from metrics_page import Page
from metrics_project import MetricsTest, bad_plugin, fetch, make_fifo, read_page, release
from wire import Wire, call_text, close_frame, frame, upgrade_request
from wire_project import PROJECT


class Format(MetricsTest):
    def test_the_page(self):
        # the whole page passes the strict reader; names say kind and unit; labels are those of the list
        host = self.start(PROJECT, "--loops", "3")
        host.call("echo", {})
        page = read_page(host.port)
        allowed = {"version", "kind", "reason", "resource", "code", "le", "loop", "plugin", "handler", "result", "class"}
        for metric in page.metrics.values():
            with self.subTest(metric.name):
                self.assertRegex(metric.name, r"^(sub0|process)_[a-z0-9_]+$")
                self.assertEqual(metric.name.endswith("_total"), metric.kind == "counter")
                self.assertLessEqual(metric.label_names(), allowed)
        self.assertEqual(page["sub0_ready"], 1)
        self.assertEqual(page("sub0_build_info", version=hosts.run_program("--version").stdout.split()[1]), 1)
        self.assertGreater(page["process_resident_memory_bytes"], 1e6)
        self.assertGreater(page["process_open_fds"], 3)
        self.assertGreater(page["process_max_fds"], page["process_open_fds"])
        self.assertEqual(len(page.metrics["sub0_loop_turns_total"].samples), 3)
        self.assertEqual(fetch(host.port, method="HEAD")[0], 200)
        self.assertEqual(fetch(host.port, method="POST")[0], 405)

    def test_somebody_elses_reader(self):
        # Prometheus' own Python library reads the same
        host = self.start(PROJECT)
        host.call("echo", {})
        text = fetch(host.port)[2]
        theirs = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
                  for family in text_string_to_metric_families(text) for sample in family.samples}
        self.assertEqual(theirs, Page(text).series())


class Documents(MetricsTest):
    def test_the_operators_page(self):
        # docs/operating.md: metrics and settings that it names exist; every reason of a close or a refusal is told
        text = (hosts.ROOT / "docs/operating.md").read_text()
        host = self.start(PROJECT)
        page = read_page(host.port)
        for name in set(re.findall(r"\b(?:sub0|process)_[a-z_]+", text)):
            with self.subTest(name):
                metric = page.metrics.get(name) or page.metrics[re.sub(r"_(bucket|sum|count)$", "", name)]
                self.assertTrue(metric.text)
        shown = hosts.run_program("config", hosts.WALLET, "--json")
        settings = {row["name"] for row in json.loads(shown.stdout)}
        named = set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[a-z]+)?`", text))
        databases = (hosts.ROOT / "docs/databases.md").read_text()
        named |= set(re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[a-z]+)?`", databases))
        self.assertLessEqual(named, settings)
        self.assertGreater(len(named), 20)
        for metric in ("sub0_connections_closed_total", "sub0_refusals_total"):
            for _, labels in page.metrics[metric].samples:
                self.assertIn("`" + dict(labels)["reason"] + "`", text)
        self.assertLessEqual(len(text.splitlines()), 80)


class Counting(MetricsTest):
    def test_connections_and_messages(self):
        # accepted, open by kind, messages, replies, broadcasts: as the clients count them
        host = self.start(PROJECT, "--loops", "3")
        before = read_page(host.port)
        sockets = [self.open(host, f"?uid=u{n}") for n in range(7)]
        http = [self.open(host) for _ in range(2)]
        for wire in http:
            self.assertEqual(wire.request("POST", "/echo", b"{}").status, 200)
        for wire in sockets:
            wire.send(frame(call_text("echo", 1)))
            wire.text()
        page = read_page(host.port)
        self.assertEqual(page("sub0_connections", kind="websocket"), 7)
        self.assertEqual(page["sub0_connections_accepted_total"] - before["sub0_connections_accepted_total"], 10)
        self.assertEqual(page["sub0_messages_received_total"], 7)
        self.assertEqual(page("sub0_calls_total", resource="echo", code="ok"), 9)
        self.assertEqual(page("sub0_call_duration_seconds", "_count", resource="echo"), 9)
        self.assertEqual(page["sub0_calls_under_way"], 0)
        # the page's own too; the one of the page before has still to be noticed
        self.wait_until(host.port, lambda page: page("sub0_connections", kind="http") == 3, "open connections")
        self.assertEqual(host.call("tell-all", {"n": 1})["status"], 200)
        for wire in sockets:
            self.assertEqual(wire.text()["data"], {"n": 1})
        page = read_page(host.port)
        self.assertEqual(page["sub0_broadcast_deliveries_total"], 7)

    def test_codes(self):
        # calls by resource and code; a resource that is not there makes no label
        files = {"resources/a.json": [
            {"id": "id-of-a", "resource": "a", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD",
                                                               "payload_validation": [{"field": {"n": {"type": "NUMBER"}}}]}]},
            {"id": "plain", "resource": "plain", "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]}]}
        host = self.start(files)
        for payload, status, count in (({"n": 1}, 200, 3), ({}, 400, 2)):
            for _ in range(count):
                self.assertEqual(host.call("a", payload)["status"], status)
        for name in ("no-such", "no-such-" + "x" * 1000, "a%22%7D%200"):
            self.assertEqual(host.request("POST", "/" + name, {})[0], 404)
        page = read_page(host.port)
        self.assertEqual(page("sub0_calls_total", resource="id-of-a", code="ok"), 3)
        self.assertEqual(page("sub0_calls_total", resource="id-of-a", code="validation_failed"), 2)
        self.assertEqual(page("sub0_calls_total", resource="plain", code="ok"), 0)
        self.assertEqual(page["sub0_calls_total"], 5)
        self.assertEqual(page["sub0_calls_unknown_total"], 3)
        self.assertEqual(page["sub0_call_duration_seconds"], 0)

    def test_why_connections_ended(self):
        # each reason that a client can cause moves by one, and the sum of all is what has gone
        host = self.start(PROJECT)

        def reset():
            wire = self.open(host, "")
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.socket.close()

        def peer():
            self.open(host, "").send(close_frame(1000)).rest()

        def protocol_error():
            self.open(host, "").send(frame(b"{}", mask=None)).rest()

        def unsupported():
            self.open(host, "").send(frame(b"x", 2)).rest()

        def too_large():
            self.open(host, "").send(frame(b"", length=1 << 31)).rest()

        def refused():
            self.open(host).send(b"nonsense\r\n\r\n").rest()

        def done():
            self.open(host).send(b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").rest()

        for cause in (reset, peer, protocol_error, unsupported, too_large, refused, done):
            with self.subTest(cause.__name__):
                # The page's own connections end as `done`.
                others = 2 if cause is done else 1
                before = read_page(host.port)("sub0_connections_closed_total", reason=cause.__name__)
                cause()
                self.wait_until(host.port, lambda page: page("sub0_connections_closed_total",
                                                             reason=cause.__name__) >= before + others, cause.__name__)
        # One that has been told to go is counted as closed, and open until the peer's end has come.
        self.wait_until(host.port, lambda page: page["sub0_connections_accepted_total"] ==
                        page["sub0_connections_closed_total"] + page["sub0_connections"], "all are accounted for")

    def test_clients_make_no_labels(self):
        # uids, paths, addresses, headers and tokens of clients: the same series as before, and no token on the page
        token = hosts.mint_token()
        host = self.enterContext(hosts.Host(env={"SUB0_LOOPS": "2"}, secrets=[token]))
        host.call("fetch-balance", {}, {"x-access-token": token})
        host.call("echo", {})
        host.call("no-such", {})
        before = set(read_page(host.port).series())
        for number in range(30):
            wire = self.open(host, f"?uid=uid-of-{number}")
            wire.send(frame(call_text("echo", {"n": number}, action=f"action-{number}")))
            wire.text()
            wire.send(frame(call_text(f"made-up-{number}", {})))
            wire.text()
            host.request("POST", f"/made-up-{number}?q={number}", {"x": number}, {"X-Made-Up": f"value-{number}"})
            host.call("fetch-balance", {}, {"x-access-token": token if number % 2 else f"bad.{number}.token"})
        text = fetch(host.port)[2]
        new = {name for name in set(Page(text).series()) - before}
        self.assertLessEqual({name for name, _ in new},
                             {"sub0_calls_total", "sub0_call_duration_seconds_bucket", "sub0_call_duration_seconds_sum",
                              "sub0_call_duration_seconds_count"})
        for _, labels in new:
            self.assertIn(dict(labels)["resource"], {"echo", "fetch-balance"})
        for secret in (token, *token.split("."), hosts.TOKEN_KEY, "uid-of", "made-up", "value-1", "action-1"):
            self.assertNotIn(secret, text)

    def test_reloads(self):
        # reloads are counted by result; a resource keeps its counts, one that is new begins, one that has gone is gone
        folder = self.enterContext(hosts.Folder(PROJECT))
        host = self.enterContext(hosts.Host(folder.path, "--loops", "2"))
        for _ in range(4):
            host.call("echo", {})
        self.assertEqual(host.call("address", {})["status"], 200)
        value = {"id": 1, "mode": "VALUE", "value": 1}
        folder.write("resources/all.json", [{"id": "new", "resource": "new", "actionables": [value]},
                                            {"id": "echo", "resource": "echo", "actionables": [value]}])
        host.signal(signal.SIGHUP)
        host.wait_for("reloaded")
        page = self.wait_until(host.port, lambda page: page("sub0_reloads_total", result="ok") == 1, "reload counted")
        # Each loop takes the set over in its own mailbox.
        page = self.wait_until(host.port, lambda page: "address" not in {dict(labels)["resource"] for _, labels in
                               page.metrics["sub0_calls_total"].samples}, "the old resource goes")
        self.assertEqual(page("sub0_calls_total", resource="echo", code="ok"), 4)
        self.assertEqual(page("sub0_calls_total", resource="new", code="ok"), 0)
        host.call("new", {})
        host.call("echo", {})
        folder.write("resources/all.json", "{")
        host.signal(signal.SIGHUP)
        host.wait_for("reload_refused")
        page = self.wait_until(host.port, lambda page: page("sub0_reloads_total", result="refused") == 1, "refusal counted")
        self.assertEqual(page("sub0_reloads_total", result="ok"), 1)
        self.assertEqual(page("sub0_calls_total", resource="echo", code="ok"), 5)
        self.assertEqual(page("sub0_calls_total", resource="new", code="ok"), 1)

    def test_faults_of_plugins(self):
        # exceptions, double ends and runs that never end, by plugin and handler
        folder = self.enterContext(hosts.Folder({"resources/bad.json": [
            {"id": name, "resource": name, "actionables": [{"id": 1, "mode": name.upper(), name: 1}]}
            for name in ("throws_in_run", "twice", "never")]}))
        place = bad_plugin(folder, "throws_in_run", "ends_twice", "never_ends")
        host = self.enterContext(hosts.Host(folder.path, "--plugins", place, env={"SUB0_CALL_DEADLINE_MS": "50"}))
        self.assertEqual(host.call("throws_in_run", {})["status"], 500)
        self.assertEqual(host.call("twice", {})["status"], 200)
        self.assertEqual(host.call("never", {})["status"], 504)
        page = read_page(host.port)
        for metric, plugin, handler in (("sub0_plugin_exceptions_total", "test.throws-in-run", "THROWS_IN_RUN"),
                                        ("sub0_plugin_double_ends_total", "test.ends-twice", "TWICE"),
                                        ("sub0_plugin_never_ended_total", "test.never-ends", "NEVER"),
                                        ("sub0_plugin_abandoned", "test.never-ends", "NEVER")):
            with self.subTest(metric):
                self.assertEqual(page(metric, plugin=plugin, handler=handler), 1)
                self.assertEqual(page[metric], 1)
        self.assertEqual(page("sub0_calls_total", resource="never", code="timeout"), 1)
        # It waited for 50 ms: 25 ms are not enough, and it is in some class.
        self.assertEqual(page("sub0_call_duration_seconds", "_bucket", resource="never", le="0.025"), 0)
        self.assertEqual(page("sub0_call_duration_seconds", "_bucket", resource="never", le="+Inf"), 1)
        self.assertGreaterEqual(page("sub0_call_duration_seconds", "_sum", resource="never"), 0.05)
        self.assertEqual(page["sub0_calls_under_way"], 1)  # the plugin still has it


class Refusals(MetricsTest):
    def test_reasons(self):
        # who is refused is counted under the reason, once each
        host = self.start(PROJECT, "--loops", "2", env={"SUB0_UID_CONNECTIONS": "refuse", "ALLOWED_ORIGINS": "good.example",
                                                        "SUB0_MESSAGE_RATE": "5", "SUB0_HEAD_DEADLINE_MS": "300"})
        self.open(host, "?uid=one")
        self.assertEqual(self.open(host).request("GET", "/healthz").status, 200)
        for lines, query, status in (([], "?uid=one", 409), (["Origin: https://evil.example"], "", 403)):
            with self.open(host) as wire:
                wire.send(upgrade_request("/ws" + query, *lines))
                self.assertEqual(wire.response().status, status)
        fast = self.open(host, "")
        fast.send(frame(call_text("echo", 1)) * 30).rest()
        self.open(host).send(b"GET / HT").rest()
        page = self.wait_until(host.port, lambda page: page("sub0_refusals_total", reason="slow_head") == 1, "slow head")
        for reason, count in (("uid_taken", 1), ("origin", 1), ("message_rate", 1), ("slow_head", 1)):
            self.assertEqual(page("sub0_refusals_total", reason=reason), count, reason)
        self.assertEqual(page["sub0_refusals_total"], 4)
        self.assertEqual(page("sub0_connections_closed_total", reason="too_fast"), 1)

    def test_slow_readers(self):
        # what waits for a slow reader is shown, and gone once it has read
        host = self.start(PROJECT, "--loops", "1", env={"SUB0_UNSENT_LIMIT_BYTES": str(1 << 26)})
        slow = self.enterContext(Wire(host.port, receive_buffer=4096))
        slow.upgrade("?uid=slow")
        text = "x" * 900_000
        sent = 0
        while read_page(host.port)["sub0_unsent_bytes"] < 2 * len(text):
            sent += 1
            self.assertLess(sent, 50)
            self.assertEqual(host.call("tell-one", {"to": "slow", "n": sent, "x": text})["status"], 200)
        for number in range(1, sent + 1):
            self.assertEqual(slow.text()["data"]["n"], number)
        page = self.wait_until(host.port, lambda page: page["sub0_unsent_bytes"] == 0, "all is sent")
        self.assertEqual(page["sub0_broadcasts_total"], sent)
        self.assertGreater(page["sub0_sent_bytes_total"], sent * len(text))
        self.assertGreater(page["sub0_received_bytes_total"], sent * len(text))

    def test_unsent_that_is_given_up(self):
        # closed with much unsent: the figure returns to 0
        host = self.start(PROJECT, "--loops", "1")
        slow = self.enterContext(Wire(host.port, receive_buffer=4096))
        slow.upgrade("?uid=slow")
        while host.call("count-slow", {})["data"]["recipients"] > 0:
            host.call("tell-one", {"to": "slow", "x": "x" * 300_000})
        slow.socket.close()
        page = self.wait_until(host.port, lambda page: page["sub0_unsent_bytes"] == 0, "nothing is unsent")
        self.assertEqual(page("sub0_refusals_total", reason="unsent"), 1)
        self.assertEqual(page("sub0_connections_closed_total", reason="slow_reader"), 1, page.metrics["sub0_connections_closed_total"].samples)

    def test_a_mailbox_that_is_full(self):
        # broadcasts for a loop that is blocked: they wait, up to 64 MiB, then it is an overflow and counted
        project = {**PROJECT, "resources/block.json": [{"id": "block", "resource": "block", "actionables": [
            {"id": 1, "mode": "BLOCK", "block": "FIFO"}]}]}
        folder = self.enterContext(hosts.Folder(project))
        fifo = make_fifo(folder)
        host = self.enterContext(hosts.Host(folder.path, "--plugins", bad_plugin(folder, "blocks_loop"), "--loops", "2",
                                            env={"SUB0_ADMIN_PORT": "0"}))
        admin = host.wait_for("admin")["port"]
        blocker = self.open(host, "")
        loop = self.loop_of(blocker)
        while self.loop_of(receiver := self.open(host, "?uid=r")) != loop:
            receiver.socket.close()
        blocker.send(frame(call_text("block")))
        try:
            self.wait_until(admin, lambda page: page("sub0_loop_blocked_now_seconds", loop=str(loop)) > 0, "blocked")
            count = 0
            while (page := read_page(admin))["sub0_broadcast_overflows_total"] == 0:
                count += 1
                self.assertLess(count, 100)
                self.assertEqual(host.call("tell-one", {"to": "r", "x": "x" * 1_000_000})["status"], 200)
            self.assertGreater(page("sub0_mailbox_bytes", loop=str(loop)), 60 << 20)
            self.assertEqual(page["sub0_mailbox_bytes"], page("sub0_mailbox_bytes", loop=str(loop)))
        finally:
            release(fifo)
        receiver.rest()
        self.wait_until(admin, lambda page: page["sub0_mailbox_bytes"] == 0, "the mailbox is empty")

    def loop_of(self, wire):
        """Numbers of connections count per loop, in steps of the number of loops."""
        wire.send(frame(call_text("connection", action="where")))
        return (int(wire.text()["data"]["id"]) - 1) % 2


if __name__ == "__main__":
    hosts.main()
