# SPDX-License-Identifier: Apache-2.0
"""The steps of WebSocket connections, and what they share with HTTP: headers in brackets and the deadline."""
import asyncio
import os
import re

import websockets
import websockets.exceptions

import patterns
from scenario import Failure

DEADLINE_S = float(os.environ.get("SUB0_TEST_DEADLINE_S", "30"))
HEADER = re.compile(r"\[(!?[A-Za-z][A-Za-z0-9-]*)(?:: ?([^\]]*))?\] ?")


def headers_of(text):
    """The leading `[Name: value]` groups, and what is behind them."""
    headers = []
    while match := HEADER.match(text):
        headers.append((match[1], match[2]))
        text = text[match.end():]
    return headers, text


class SocketSteps:
    async def do_connect(self, rest, _):
        """connect NAME [?query or /path] [protocols: a, b] [Name: value]... [expect STATUS]"""
        name, _, rest = rest.partition(" ")
        target, _, tail = rest.partition(" ")
        if not target.startswith(("?", "/")):
            target, tail = "", rest
        headers, tail = headers_of(tail)
        given = dict(headers)
        protocols, loop = given.get("protocols"), given.get("loop")
        headers = [(key, value) for key, value in headers if key not in ("protocols", "loop")]
        url = f"ws://127.0.0.1:{self.port}" + (target if target.startswith("/") else "/ws" + target)
        try:
            socket = await self.open_socket(url, headers, protocols)
        except websockets.exceptions.InvalidStatusCode as refusal:
            if tail != f"expect {refusal.status_code}":
                raise Failure(f"refused with {refusal.status_code}") from refusal
            return
        if tail.startswith("expect "):
            await socket.close()
            raise Failure("the connection was accepted")
        for key, value in socket.response_headers.raw_items():
            if any(secret in value for secret in self.secrets):
                raise Failure(f"a token stands in the response's header {key}")
        if loop is not None:
            socket = await self.on_loop(int(loop), socket, lambda: self.open_socket(url, headers, protocols))
        self.sockets[name] = socket

    async def open_socket(self, url, headers, protocols):
        return await asyncio.wait_for(websockets.connect(
            url, extra_headers=headers, compression=None, ping_interval=None, max_size=None, max_queue=None,
            subprotocols=[p.strip() for p in protocols.split(",")] if protocols else None, open_timeout=None), DEADLINE_S)

    async def on_loop(self, loop, socket, again):
        """Connects until the host's loop of that number has the connection: numbers of connections tell their loop, and
        the resource `where` tells the number."""
        loops, others = int(self.loops), []
        for _ in range(300):
            await socket.send('{"resource":"where"}')
            answer = patterns.parse(await asyncio.wait_for(socket.recv(), DEADLINE_S))
            if (int(answer["data"]) - 1) % loops == loop % loops:
                for other in others:
                    await other.close()
                return socket
            others.append(socket)
            socket = await again()
        raise Failure(f"no connection came to loop {loop}")

    async def socket_step(self, name, rest):
        socket = self.sockets[name]
        verb, _, text = rest.partition(" ")
        if verb == ">":
            await socket.send(bytes.fromhex(text[4:]).decode() if text.startswith("hex:") else text)
        elif verb == ">binary":
            await socket.send(bytes.fromhex(text))
        elif verb == "<":
            try:
                got = await asyncio.wait_for(socket.recv(), DEADLINE_S)
            except asyncio.TimeoutError:
                raise Failure("no message came") from None
            self.last = ("message", 0, [], got)
            if text and (difference := patterns.compare(text, got)):
                self.differs(f"{name} <", got, f"{difference}\n  got {got}")
        elif verb == "quiet":
            await self.must_be_quiet(name)
        elif verb == "protocol":
            if (socket.subprotocol or "none") != text:
                raise Failure(f"the protocol is {socket.subprotocol}")
        elif verb == "closed":
            await self.must_close(name, int(text))
        elif verb == "close":
            await self.close_quietly(name)
        else:
            raise Failure(f"'{verb}': a connection knows > >binary < quiet protocol closed close")

    async def must_be_quiet(self, name):
        """What the host sent before its pong is here when the pong is."""
        socket = self.sockets[name]
        for _ in range(2):
            await asyncio.wait_for(await socket.ping(), DEADLINE_S)
        if socket.messages:
            raise Failure("unread messages: " + " ".join(str(message) for message in socket.messages))

    async def must_close(self, name, code):
        socket = self.sockets.pop(name)
        await asyncio.wait_for(socket.wait_closed(), DEADLINE_S)
        if socket.close_code != code:
            raise Failure(f"closed with {socket.close_code} {socket.close_reason}")

    async def close_quietly(self, name):
        if self.sockets[name].open:
            await self.must_be_quiet(name)
        await asyncio.wait_for(self.sockets.pop(name).close(), DEADLINE_S)
