# SPDX-License-Identifier: Apache-2.0
"""What a message costs in memory from the heap once a host is warm: its allocations are counted from within, by a preloaded table."""

import struct
import unittest

import host as hosts
from wire import PING, PONG, Wire, call_text, frame, open_socket

COUNTER = hosts.BUILD / "tests/support/libcount_allocations.so"
WARM_UP, RUNS, CALLS, TOGETHER = 3000, 4, 2000, 8
# Of a whole run, not of a call: what timers, log lines and the first use of something take.
BESIDES = 40

NEWS = {"id": "news", "resource": "news", "actionables": [
    {"id": 1, "mode": "VALUE", "value": "$PAYLOAD", "broadcast_websocket_message": {"action": "news", "broadcast_type": "ALL"}}]}


class Allocations(unittest.TestCase):
    def setUp(self):
        folder = self.enterContext(hosts.Folder({"allocations": ""}))
        self.file = folder.path / "allocations"
        self.file.write_bytes(bytes(8))

    def start(self, *words):
        host = self.enterContext(hosts.Host(*words, env={"LD_PRELOAD": str(COUNTER), "SUB0_TEST_ALLOCATIONS": str(self.file)}))
        self.assertGreater(self.taken(), 1000)  # a start takes thousands: the counter is loaded
        return host

    def taken(self):
        return struct.unpack("=Q", self.file.read_bytes())[0]

    def call(self, wire, message, count, replies_each=1):
        batch = frame(message) * TOGETHER
        for _ in range(count // TOGETHER):
            wire.send(batch)
            left = TOGETHER * replies_each
            while left:
                opcode, payload = wire.frame()
                if opcode == PING:
                    wire.send(frame(payload, PONG))
                else:
                    left -= 1

    def count(self, wire, message, replies_each=1):
        """The allocations of CALLS calls, by a host that has answered the same call before; of several runs the least, since a
        host that is held up does other work as well: a read that seems slow goes to a thread, a reply waits in a queue."""
        self.call(wire, message, WARM_UP, replies_each)
        runs = []
        for _ in range(RUNS):
            before = self.taken()
            self.call(wire, message, CALLS, replies_each)
            runs.append(self.taken() - before)
        print(f"allocations in {CALLS} calls: {runs}")
        return min(runs)

    def test_echo(self):
        wire = open_socket(self, self.start(hosts.WALLET).port)
        self.assertLess(self.count(wire, call_text("echo", {"text": "hello"})), BESIDES)
        self.assertLess(self.count(wire, call_text("echo", {"text": "h\u00e9llo \n" * 20}, id=7)), BESIDES)

    def test_broadcast(self):
        folder = self.enterContext(hosts.Folder({"resources/news.json": NEWS}))
        wire = open_socket(self, self.start(folder.path).port)
        self.assertLess(self.count(wire, call_text("news", {"text": "hello"}), replies_each=2), BESIDES)

    def test_fetch_balance_on_sqlite(self):
        database = self.enterContext(hosts.Sqlite())
        hosts.run_sql(database.url, "-f", hosts.WALLET / "demo.sql")
        host = self.start(hosts.WALLET, "--database", database.url)
        wire = Wire(host.port)
        self.addCleanup(wire.socket.close)
        wire.upgrade("", f"Sec-WebSocket-Protocol: x-access-token, {hosts.mint_token()}")
        # Two a call are sqlite3_step's own: cursors, which Debian's build (OMIT_LOOKASIDE) takes from the heap.
        self.assertAlmostEqual(self.count(wire, call_text("fetch-balance")), 2 * CALLS, delta=BESIDES)


if __name__ == "__main__":
    hosts.main()
