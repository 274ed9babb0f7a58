# SPDX-License-Identifier: Apache-2.0
"""Broadcasts with one loop and with three. `$CONNECTION.id` counts per loop (loop + 1, then in steps of the number of loops), so
a test can tell which loop a connection is on, and opens connections until its receivers are on different ones."""

import json

import host as hosts
from wire import call_text, close_frame, frame
from wire_project import WireTest


class OneLoop(WireTest):
    loops = 1
    arguments = ("--loops", "1")

    def loop_of(self, wire):
        wire.send(frame(call_text("connection", action="where")))
        return (int(wire.text()["data"]["id"]) - 1) % self.loops

    def open_on_every_loop(self, uid):
        """Connections with this uid, at least one on each loop."""
        wires, loops = [], set()
        while len(loops) < self.loops:
            self.assertLess(len(wires), 300, f"all connections are on the loops {loops}")
            wire = self.open()
            self.addCleanup(wire.socket.close)
            wire.upgrade("?uid=" + uid if uid else "")
            wires.append(wire)
            loops.add(self.loop_of(wire))
        self.assertGreaterEqual(len({self.loop_of(wire) for wire in wires}), min(2, self.loops))
        return wires

    def tearDown(self):
        """The watcher hears what is for everybody: its reply comes behind."""
        self.watcher.send(frame(call_text("echo", action="end")))
        while self.watcher.text()["action"] != "end":
            pass

    def hear(self, wires, n, to=None):
        for wire in wires:
            data = wire.text()
            self.assertEqual((data["action"], data["data"]["n"]), ("told", n))
            self.assertNotIn("uid", data)

    def expect_quiet(self, wires):
        """A message for everybody is the next that each hears: nothing came before it."""
        self.assertEqual(self.host.call("tell-all", {"n": "fence"})["status"], 200)
        self.hear(wires, "fence")

    def test_all(self):
        # S-115, S-116: the caller of a resource that replies and broadcasts to ALL receives exactly two messages, the reply first
        receivers = self.open_on_every_loop("r")
        senders = self.open_on_every_loop("s")
        for number, sender in enumerate(senders):
            sender.send(frame(call_text("tell-all", {"n": number}, action="t")))
            self.assertEqual(sender.text()["action"], "t")
            self.hear([sender], number)
            self.hear([*receivers, *(other for other in senders if other is not sender)], number)
        self.expect_quiet([*receivers, *senders])

    def test_single(self):
        # S-115: all connections of one uid, on whatever loops, and nobody else
        receivers, others = self.open_on_every_loop("one"), self.open_on_every_loop("other")
        for number, sender in enumerate(others):
            sender.send(frame(call_text("tell-one", {"to": "one", "n": number}, action="t")))
            self.assertEqual(sender.text()["action"], "t")
            self.hear(receivers, number)
        # From HTTP just the same.
        self.assertEqual(self.host.call("tell-one", {"to": "one", "n": "http"})["status"], 200)
        self.hear(receivers, "http")
        self.expect_quiet([*receivers, *others])

    def test_single_to_a_number(self):
        # S-88: a uid compares as text: number 101 is uid 101
        receivers = self.open_on_every_loop("101")
        self.host.call("tell-one", {"to": 101, "n": 1})
        self.hear(receivers, 1)
        self.expect_quiet(receivers)

    def test_bulk(self):
        # S-115, Q-51: several uids, duplicates, unknown ones: each connection once
        groups = [self.open_on_every_loop(uid) for uid in ("b1", "b2")]
        quiet = self.open_on_every_loop("b3")
        everybody = [wire for group in groups for wire in group]
        sender = quiet[0]
        sender.send(frame(call_text("tell-several", {"to": ["b1", "b2", "b1", "nobody", "b2"], "n": 1}, action="t")))
        self.assertEqual(sender.text()["action"], "t")
        self.hear(everybody, 1)
        self.expect_quiet([*everybody, *quiet])

    def test_reply_before_broadcast_in_its_slot(self):
        # S-114, S-116: replies without id come in order, and each broadcast hangs behind the reply of its call
        sender = self.open_on_every_loop("s")[0]
        sender.send(b"".join(frame(call_text("tell-all", {"n": n}, action=f"t{n}")) for n in range(20)))
        heard = [sender.text() for _ in range(40)]
        replies = [message["action"] for message in heard if message["action"] != "told"]
        self.assertEqual(replies, [f"t{n}" for n in range(20)])
        for n in range(20):
            reply = next(index for index, message in enumerate(heard) if message["action"] == f"t{n}")
            told = next(index for index, message in enumerate(heard)
                        if message["action"] == "told" and message["data"]["n"] == n)
            self.assertLess(reply, told)

    def test_those_who_left(self):
        # S-115: a uid whose connections have gone: nobody hears, nothing fails
        wires = self.open_on_every_loop("gone")
        for wire in wires:
            wire.send(close_frame(1000))
            self.assertEqual(wire.close_code(), 1000)
        self.assertEqual(self.host.call("tell-one", {"to": "gone", "n": 1})["status"], 200)
        self.expect_quiet(self.open_on_every_loop("gone"))

    def test_large_message_to_many(self):
        # S-115: 200 KB to every connection
        receivers = self.open_on_every_loop("large")
        text = json.dumps({"n": "large", "text": "x" * 200_000})
        self.assertEqual(self.host.call("tell-all", json.loads(text))["status"], 200)
        self.hear(receivers, "large")


class ThreeLoops(OneLoop):
    loops = 3
    arguments = ("--loops", "3")


if __name__ == "__main__":
    hosts.main()
