# SPDX-License-Identifier: Apache-2.0
"""The project that the wire tests call, and what they share: the same bytes whole, cut at every byte, behind others."""

import unittest

import host as hosts
from wire import Wire, call_text, frame

VALUE = {"mode": "VALUE", "id": 1}
PROJECT = {
    "resources/all.json": [
        {"id": "echo", "resource": "echo", "actionables": [{**VALUE, "value": "$PAYLOAD"}]},
        {"id": "deep/er", "resource": "deep/er", "actionables": [{**VALUE, "value": "deep"}]},
        {"id": "address", "resource": "address",
         "actionables": [{**VALUE, "value": {"ip": "$HEADER.ip", "agent": "$HEADER.User-Agent", "mark": "$HEADER.X-Mark"}}]},
        {"id": "connection", "resource": "connection",
         "actionables": [{**VALUE, "value": {"id": "$CONNECTION.id", "uid": "$CONNECTION.uid"}}]},
        {"id": "tell-all", "resource": "tell-all", "actionables": [
            {**VALUE, "value": "$PAYLOAD", "broadcast_websocket_message": {"broadcast_type": "ALL", "action": "told"}}]},
        {"id": "tell-one", "resource": "tell-one", "actionables": [
            {**VALUE, "value": "$PAYLOAD", "broadcast_websocket_message": {
                "broadcast_type": "SINGLE", "action": "told", "broadcast_to": "$PAYLOAD.to"}}]},
        {"id": "tell-several", "resource": "tell-several", "actionables": [
            {**VALUE, "value": "$PAYLOAD", "broadcast_websocket_message": {
                "broadcast_type": "BULK", "action": "told", "broadcast_to": "$PAYLOAD.to"}}]},
        {"id": "count-slow", "resource": "count-slow", "actionables": [{"id": 1, "mode": "BROADCAST", "broadcast": {
            "broadcast_type": "SINGLE", "broadcast_to": "slow", "action": "ping", "data": {"n": 0}}}]},
    ],
}
AT_ONCE = 100  # connections that are cut at the same time


class WireTest(unittest.TestCase):
    """A host for all tests of a class, and a watcher that must not hear anything but what a test sends it on purpose."""

    environment = {"SUB0_PING_INTERVAL_MS": "0"}  # nothing comes but what the test asked for, however slow the machine
    arguments = ("--loops", "3")

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, *cls.arguments, env=cls.environment))
        cls.watcher = cls.enterClassContext(Wire(cls.host.port))
        cls.watcher.upgrade("?uid=watcher")

    def tearDown(self):
        # The host still answers, and nothing that a test sent was smuggled into a broadcast.
        self.watcher.send(frame(call_text("echo", action=self._testMethodName)))
        self.assertEqual(self.watcher.text()["action"], self._testMethodName, "an unexpected broadcast")

    def open(self):
        return Wire(self.host.port)

    def in_every_cut(self, data, read, prepare=None, cuts=None):
        """Sends `data` in two segments, cut at every byte, each on a connection of its own; `read(wire)` of each. Between
        the two halves of one connection stand those of many others."""
        places = list(cuts or range(1, len(data)))
        results = []
        for begin in range(0, len(places), AT_ONCE):
            wires = [(place, self.open()) for place in places[begin:begin + AT_ONCE]]
            try:
                for _, wire in wires:
                    if prepare:
                        prepare(wire)
                for place, wire in wires:
                    wire.send(data[:place])
                for place, wire in wires:
                    wire.send(data[place:])
                for place, wire in wires:
                    with self.subTest(cut=place):
                        results.append(read(wire))
            finally:
                for _, wire in wires:
                    wire.socket.close()
        return results
