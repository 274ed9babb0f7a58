# SPDX-License-Identifier: Apache-2.0
"""SIGTERM with many connections and calls under way. The calls wait for a lock that the test holds, so it is known that they
are under way."""

import contextlib
import json
import selectors
import signal
import socket
import sqlite3
import struct
import time
import unittest

import host as hosts
from wire import CLOSE, PING, PONG, TEXT, Wire, call_text, close_frame, frame, upgrade_request

IDLE, CALLING = 2000, 200
DRAIN_MS = 12000
PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    {"id": "write", "resource": "write", "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {
        "query": "UPDATE t SET a = a + 1 RETURNING a"}}]}]}


class Client:
    """One WebSocket connection, without a thread of its own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=hosts.PATIENCE_S)
        self.socket.sendall(upgrade_request())
        self._input = b""
        self.texts = []
        self.close_code = None
        self.closed_at = None
        self.is_over = False

    def finish_handshake(self):
        while b"\r\n\r\n" not in self._input:
            got = self.socket.recv(4096)
            assert got, self._input
            self._input += got
        head, _, self._input = self._input.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.socket.setblocking(False)

    def read(self):
        """What has come; the closing handshake is answered."""
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.is_over = not got
        self._input += got
        while len(self._input) >= 2 and len(self._input) >= 2 + self._input[1]:  # all are short
            opcode, size = self._input[0] & 15, self._input[1]
            payload, self._input = self._input[2:2 + size], self._input[2 + size:]
            if opcode == TEXT:
                self.texts.append(payload)
            elif opcode == PING:
                self.socket.sendall(frame(payload, PONG))
            elif opcode == CLOSE:
                self.close_code = struct.unpack(">H", payload[:2])[0]
                self.closed_at = time.monotonic()
                self.socket.sendall(close_frame(1000))


class ManyConnections(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(hosts.Sqlite())
        self.folder = self.enterContext(hosts.Folder(PROJECT))
        hosts.run_sql(self.database.url, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (0)", resources=self.folder.path)
        self.host = hosts.Host(self.folder.path, "--database", self.database.url, "--loops", "2",
                               env={"SUB0_CALL_DEADLINE_MS": "600000", "SUB0_DRAIN_MS": str(DRAIN_MS)}).start()
        self.addCleanup(self.host.stop)
        self.lock = sqlite3.connect(self.database.url.removeprefix("sqlite:"), isolation_level=None)
        self.addCleanup(self.lock.close)
        self.lock.execute("BEGIN IMMEDIATE")
        self.selector = selectors.DefaultSelector()
        self.addCleanup(self.selector.close)
        self.idle = [self.connect() for _ in range(IDLE)]
        self.calling = [self.connect() for _ in range(CALLING)]
        for client in self.idle + self.calling:
            client.finish_handshake()
            self.selector.register(client.socket, selectors.EVENT_READ, client)
        for client in self.calling:
            # A reply with an id overtakes: the write before it is under way.
            client.socket.sendall(frame(call_text("write")) + frame(call_text("echo", 1, id=1)))
        self.read_until(lambda: all(client.texts for client in self.calling))
        for client in self.calling:
            self.assertIn(b'"id":1', client.texts.pop())

    def connect(self):
        client = Client(self.host.port)
        self.addCleanup(client.socket.close)
        return client

    def read_until(self, is_done):
        until = time.monotonic() + hosts.PATIENCE_S
        while not is_done():
            self.assertLess(time.monotonic(), until, "not in time")
            for key, _ in self.selector.select(1):
                key.data.read()
                if key.data.is_over:
                    self.selector.unregister(key.fileobj)

    def test_sigterm(self):
        # not ready, nobody new, calls answered, 1001 spread over the drain window, exit 0 in time
        with Wire(self.host.port) as asking, Wire(self.host.port) as slow:
            question = b"GET /readyz HTTP/1.1\r\nHost: t\r\n\r\n"
            # In one segment: with the first answer the beginning behind it has been read.
            slow.send(question + question[:-4])
            self.assertEqual(slow.response().status, 200)
            # In one segment: with the first answer the call behind it is under way.
            asking.send(question + b"POST /write HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n" + question)
            self.assertEqual(asking.response().status, 200)
            started = time.monotonic()
            self.host.signal(signal.SIGTERM)
            self.assertEqual(self.host.wait_for("stopping")["connections"], IDLE + CALLING + 2)
            with self.assertRaises(ConnectionRefusedError):
                while True:  # the loops stop to listen one after the other; who was in the backlog is reset
                    with contextlib.suppress(ConnectionResetError):
                        Wire(self.host.port).socket.close()
            slow.send(question[-4:])
            answer = slow.response()  # in the words of SUB0_ADMIN_PORT
            self.assertEqual((answer.status, json.loads(answer.body)["message"]), (503, "the host is shutting down"))
            self.read_until(lambda: sum(client.is_over for client in self.idle) > IDLE / 4)
            self.assertEqual([client.texts for client in self.calling], [[]] * CALLING)
            early = [(client.close_code, client.closed_at and client.closed_at - started) for client in self.calling
                     if client.is_over]
            self.assertEqual(early, [])
            self.lock.execute("COMMIT")
            self.read_until(lambda: all(client.is_over for client in self.idle + self.calling))
            self.assertEqual(asking.response().status, 200)
            ready = asking.rest()
            self.assertTrue(ready == b"" or ready.startswith(b"HTTP/1.1 503 "), ready)
        self.assertEqual(self.host.wait(), 0)
        self.assertEqual({client.close_code for client in self.idle + self.calling}, {1001})
        self.assertTrue(all(len(client.texts) == 1 and b'"success":false' not in client.texts[0] for client in self.calling))
        self.assertEqual(self.host.wait_for("stopped")["connections_left"], 0)
        # Idle connections go in the first half of the window, some in each quarter of that half.
        times = sorted(client.closed_at - started for client in self.idle)
        print("1001 to idle connections after", ", ".join(f"{times[IDLE * part // 4 - 1]:.2f} s" for part in (1, 2, 3, 4)))
        self.assertGreater(times[-1] - times[0], DRAIN_MS / 4000)
        with sqlite3.connect(self.database.url.removeprefix("sqlite:")) as database:
            self.assertEqual(database.execute("SELECT a FROM t").fetchone(), (CALLING + 1,))

    def test_second_sigterm(self):
        # a second SIGTERM: at once, although calls are under way
        self.host.signal(signal.SIGTERM)
        self.host.wait_for("stopping")
        self.host.signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), 0)
        self.assertNotIn('"stopped"', self.host.log())
        self.read_until(lambda: all(client.is_over for client in self.idle + self.calling))
        self.assertEqual([client.texts for client in self.calling], [[]] * CALLING)
        self.lock.execute("COMMIT")


if __name__ == "__main__":
    hosts.main()
