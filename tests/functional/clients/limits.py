# SPDX-License-Identifier: Apache-2.0
"""Deadlines, memory, slow readers and origins against the real binary. Deadlines are short here; a test waits for the end of its
connection, never for a time."""

import json
import socket
import struct

import host as hosts
from metrics_project import read_page
from wire import CLOSE, PING, Wire, call_text, frame, open_socket, upgrade_request
from wire_project import PROJECT, WireTest


class Deadlines(WireTest):
    environment = {"SUB0_HEAD_DEADLINE_MS": "1000", "SUB0_BODY_DEADLINE_MS": "1000", "SUB0_KEEP_ALIVE_MS": "1000"}

    def test_half_a_handshake(self):
        # a request head that never ends, and a connection that says nothing
        for data in (upgrade_request()[:-2], b"GET / HT", b"", b"\r\n"):
            with self.subTest(data[:20]), self.open() as wire:
                wire.send(data)
                rest = wire.rest()
                self.assertTrue(rest == b"" or rest.startswith(b"HTTP/1.1 408 "), rest)

    def test_head_byte_by_byte(self):
        # bytes that keep coming do not move the deadline
        with self.open() as wire:
            wire.socket.settimeout(0.03)
            sent = 0
            while True:
                wire.send(b"G" if sent == 0 else b"x")
                sent += 1
                self.assertLess(sent, 1000)
                try:
                    if wire.socket.recv(10) != b"":
                        break
                except socket.timeout:
                    continue
                except ConnectionResetError:
                    break
                break

    def test_half_a_body(self):
        # a body that never ends
        with self.open() as wire:
            wire.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
            self.assertEqual(wire.response().status, 408)
            self.assertEqual(wire.rest(), b"")

    def test_half_a_message(self):
        # a message that never ends, of a peer that lives otherwise
        with self.open() as wire:
            wire.upgrade()
            wire.send(frame(call_text(payload=1), fin=False))
            wire.send(frame(b"still here", 9))
            self.assertEqual(wire.frame(), (10, b"still here"))
            opcode, payload = wire.frame()
            self.assertEqual((opcode, struct.unpack(">H", payload[:2])[0]), (CLOSE, 1008))
            self.assertIn(b"SUB0_BODY_DEADLINE_MS", payload)

    def test_idle_keep_alive(self):
        # an idle connection is closed at the keep-alive deadline
        with self.open() as wire:
            self.assertEqual(wire.request("GET", "/healthz").status, 200)
            self.assertEqual(wire.rest(), b"")


class Pongs(WireTest):
    environment = {"SUB0_PING_INTERVAL_MS": "100", "SUB0_PONG_DEADLINE_MS": "3000"}

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env=cls.environment))

    def tearDown(self):
        pass

    def test_a_peer_that_answers_stays(self):
        # pings are sent, and a peer that answers is kept
        with self.open() as wire:
            wire.upgrade()
            for _ in range(3):
                opcode, payload = wire.frame()
                self.assertEqual(opcode, PING)
                wire.send(frame(payload, 10))
            wire.send(frame(call_text(payload=1)))
            while (message := wire.frame())[0] == PING:
                wire.send(frame(message[1], 10))
            self.assertIn(b'"data":1', message[1])

    def test_a_peer_that_is_silent_goes(self):
        # a peer that has vanished is reaped by the pong deadline
        with self.open() as wire:
            wire.upgrade()
            self.assertEqual(wire.frame()[0], PING)
            wire.rest()

    def test_nothing_behind_our_close(self):
        # a peer that does not answer our close: TCP is closed all the same
        with self.open() as wire:
            wire.upgrade()
            wire.send(frame(b"x", 2))
            while (message := wire.frame())[0] == PING:
                pass
            self.assertEqual(message, (CLOSE, struct.pack(">H", 1003) + message[1][2:]))
            self.assertEqual(wire.rest(), b"")


class SlowReaders(WireTest):
    def test_one_slow_reader(self):
        # it alone is closed by 1008 when over its byte limit; what it got is without a gap; others get everything
        slow = Wire(self.host.port, receive_buffer=4096)
        self.addCleanup(slow.socket.close)
        slow.upgrade("?uid=slow")
        with self.open() as quick:
            quick.upgrade("?uid=quick")
            count = 0
            while slow_is_open(self.host):
                count += 1
                self.assertLess(count, 2000, "the slow reader is never closed")
                self.assertEqual(self.host.call("tell-several", {"to": ["slow", "quick"], "n": count, "x": "x" * 65536})["status"],
                                 200)
                self.assertEqual(quick.text()["data"]["n"], count)
        heard = []
        while True:
            opcode, payload = slow.frame()
            if opcode == CLOSE:
                break
            if (number := json.loads(payload)["data"]["n"]) > 0:
                heard.append(number)
        self.assertEqual(struct.unpack(">H", payload[:2])[0], 1008)
        self.assertIn(b"SUB0_UNSENT_LIMIT_BYTES", payload)
        self.assertEqual(heard, list(range(1, len(heard) + 1)))


class Input(WireTest):
    """What is unfinished shares one budget: here for one large message and no more."""
    environment = {"SUB0_PING_INTERVAL_MS": "0", "SUB0_INPUT_BUDGET_BYTES": "700000"}

    def unfinished_body(self, size):
        return (b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
                + b" " * size)

    def test_unfinished_messages_and_bodies(self):
        # the first may hold what it sent, the next are refused, small calls are served, and all is given back
        with self.open() as first, self.open() as socket_, self.open() as body:
            first.upgrade()
            first.send(frame(call_text(payload="x" * 400_000), fin=False))
            self.wait_for(lambda used: used >= 400_000)
            socket_.upgrade()
            socket_.send(frame(b"x" * 900_000, fin=False))
            opcode, payload = socket_.frame()
            self.assertEqual((opcode, struct.unpack(">H", payload[:2])[0]), (CLOSE, 1013))
            body.send(self.unfinished_body(900_000))
            response = body.response()
            self.assertEqual((response.status, response.json()["error"]["code"], response.headers["connection"]),
                             (503, "busy", "close"))
            first.send(frame(b"", 0))
            self.assertEqual(len(first.text()["data"]), 400_000)
        self.wait_for(lambda used: used == 0)
        page = read_page(self.host.port)
        self.assertEqual(page("sub0_refusals_total", reason="input_budget"), 2)

    def wait_for(self, holds):
        for _ in range(20_000):
            if holds(used := read_page(self.host.port)["sub0_input_budget_used_bytes"]):
                return
        self.fail(f"{used} bytes of the budget are used")


def slow_is_open(host):
    """Whether a message to uid `slow` still finds a connection."""
    return host.call("count-slow", {})["data"]["recipients"] > 0


class LargeMessages(WireTest):
    def test_memory_goes_with_the_message(self):
        # a message that came in pieces is held until it has been answered, and not until its sender speaks again
        message = frame(call_text("echo", "x" * 900_000))
        before = None
        for number in range(40):
            wire = open_socket(self, self.host.port)
            wire.send_cut(message, len(message) // 2)
            self.assertEqual(len(wire.text()["data"]), 900_000)
            if number == 5:
                before = self.host.memory_bytes()
        if not hosts.is_sanitized():  # those keep freed memory on purpose
            self.assertLess(self.host.memory_bytes() - before, 10 << 20)


class Origins(WireTest):
    environment = {"ALLOWED_ORIGINS": "https://good.example|other.example"}

    def test_handshakes(self):
        # Q-17, S-54: Origin of another site, null, a longer name; none is allowed
        table = [("https://good.example", 101), ("https://other.example", 101), ("http://other.example", 101), (None, 101),
                 ("https://evil.example", 403), ("null", 403), ("https://good.example.evil.com", 403),
                 ("http://good.example", 403), ("https://good.example:8443", 403), ("https://xgood.example", 403)]
        for origin, status in table:
            with self.subTest(origin), self.open() as wire:
                wire.send(upgrade_request("/ws", *([f"Origin: {origin}"] if origin else [])))
                self.assertEqual(wire.response().status, status)

    def test_preflight(self):
        # S-54: OPTIONS is answered before all gates; asked names are echoed; every reply carries the headers
        lines = ["Origin: https://good.example", "Access-Control-Request-Method: POST",
                 "Access-Control-Request-Headers: x-access-token, content-type"]
        for path in ("/echo", "/no-such", "/tell-all"):
            with self.subTest(path), self.open() as wire:
                response = wire.request("OPTIONS", path, b"", *lines)
                self.assertIn(response.status, (200, 204))
                self.assertEqual(response.headers["access-control-allow-origin"], "https://good.example")
                self.assertEqual(response.headers["access-control-allow-headers"], "x-access-token, content-type")
                self.assertIn("POST", response.headers["access-control-allow-methods"])
                self.assertNotIn("access-control-allow-credentials", response.headers)
        with self.open() as wire:
            for path in ("/echo", "/no-such", "/healthz"):
                self.assertEqual(wire.request("POST", path, b"{}", lines[0]).headers["access-control-allow-origin"],
                                 "https://good.example")
                self.assertNotIn("access-control-allow-origin",
                                 wire.request("POST", path, b"{}", "Origin: https://evil.example").headers)


if __name__ == "__main__":
    hosts.main()
