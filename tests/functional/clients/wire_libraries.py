# SPDX-License-Identifier: Apache-2.0
"""Framing, pings and closes by libraries of other people: they check what the host sends more strictly than a test would."""

import asyncio
import json

import websockets

import host as hosts
from documented_example import node
from wire import call_text
from wire_project import WireTest


class Libraries(WireTest):
    def test_node_ws(self):
        # node ws: one-byte fragments, ping, a large message, close 3001, binary, too large
        self.assertEqual(node("framing.js", self.host.websocket_url()), {
            "extensions": "", "fragments": {"n": "é€😀"}, "pong": "are you there", "large": 1_000_000, "close": 3001,
            "binary": 1003, "too_large": 1009})

    def run_python(self, talk):
        async def connected():
            async with websockets.connect(self.host.websocket_url("?uid=py"), max_size=None) as socket:
                await talk(socket)
        asyncio.run(connected())

    def test_python_websockets(self):
        # Python websockets: fragments, pings, many messages at once in order
        async def talk(socket):
            text = call_text(payload=["é€😀"])
            await socket.send(iter([text[:10], text[10:11], text[11:]]))
            self.assertEqual(json.loads(await socket.recv())["data"], ["é€😀"])
            await (await socket.ping())
            await (await socket.ping(b"x" * 125))
            for n in range(500):
                await socket.send(call_text(payload=n))
            self.assertEqual([json.loads(await socket.recv())["data"] for _ in range(500)], list(range(500)))
            await socket.close(4999, "bye")
            self.assertEqual(socket.close_code, 4999)
        self.run_python(talk)

    def test_python_websockets_binary_and_size(self):
        # Python websockets: binary, over the limit
        for message, code in ((b"{}", 1003), ("x" * 1_048_577, 1009)):
            async def talk(socket, message=message, code=code):
                await socket.send(message)
                with self.assertRaises(websockets.ConnectionClosedError) as closed:
                    await socket.recv()
                self.assertEqual(closed.exception.rcvd.code, code)
            self.run_python(talk)


if __name__ == "__main__":
    hosts.main()
