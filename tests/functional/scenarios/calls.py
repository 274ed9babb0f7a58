# SPDX-License-Identifier: Apache-2.0
"""`call RESOURCE [Name: value]... [payload]`: one call over the way of the replay, HTTP or a WebSocket without uid.

Both answers are brought to one form, the envelope of HTTP, so that one text expects both. Before that each is held to its
own envelope, member by member: S-51 and S-52 over HTTP, S-112 over a socket.
"""
import asyncio
import json

import patterns
from scenario import Failure
from sockets import DEADLINE_S, headers_of

WAYS = ("http", "websocket")


def must(holds, what, reply):
    if not holds:
        raise Failure(f"the envelope: {what}\n  got {reply}")


def is_text(value):
    return isinstance(value, str) and not isinstance(value, patterns.Number)


def check_failure(reply, text):
    """What the two envelopes of a failure have in common."""
    error = reply["error"]
    must(reply["success"] is False and reply["data"] is None, "a failure has success false and data null", text)
    must(is_text(reply["message"]) and reply["message"], "message is a text", text)
    must(isinstance(error, dict) and set(error) == {"code", "details"}, "error has a code and details, no more", text)
    must(is_text(error["code"]) and isinstance(error["details"], list), "error.code is a text, error.details a list", text)


def check_http(status, headers, text):
    kind = [value for name, value in headers if name.lower() == "content-type"]
    must(kind and all(value.startswith("application/json") for value in kind), f"content-type {kind}", text)
    reply = patterns.parse(text)
    if status == 200:
        must(set(reply) == {"success", "message", "data"} and reply["success"] is True, "success, message and data, no more", text)
        must(reply["message"] in ("Operation Successful", "Accepted"), "the message of a success", text)
    else:
        must(status >= 400 and set(reply) == {"success", "message", "data", "error"}, "success, message, data and error, no more", text)
        check_failure(reply, text)


def in_the_form_of_http(text, echoed):
    """(status, body) of a socket's reply, which has the members of `echoed` as they are there."""
    reply = patterns.parse(text)
    for name, value in echoed.items():
        must(name in reply and patterns.text_of(reply[name]) == value, f"{name} is not {value}", text)
    rest = {name: value for name, value in reply.items() if name not in echoed}
    if "success" not in rest:
        must(set(rest) == {"data"}, "data and what the request said, no more", text)
        return 200, patterns.text_of({"success": True, "message": "Operation Successful", **rest})
    must(set(rest) == {"data", "success", "message", "error", "status"}, "data, success, message, error and status, no more", text)
    check_failure(rest, text)
    status = rest.pop("status")
    must(isinstance(status, patterns.Number) and int(status) >= 400, "the status of a failure", text)
    return int(status), patterns.text_of(rest)


class CallSteps:
    def start_calling(self, way):
        self.way = way
        self.callers = {}  # headers -> the connection whose handshake had them
        self.calls = 0

    async def do_ways(self, rest, _):
        if "websocket" in rest.split():  # alike on every way: warnings depend on it
            self.environment["ALLOW_WEBSOCKET_CONNECTIONS"] = "true"

    async def do_call(self, rest, _):
        resource, _, rest = rest.partition(" ")
        headers, payload = headers_of(rest)
        if "?" in resource:
            raise Failure("a URL has a query, a socket has none: that is a step `http`")
        self.calls += 1
        if self.way == "http":
            _, status, got_headers, text = await self.request("POST", "/" + resource, headers, payload)
            check_http(status, got_headers, text)
            self.last = ("call", status, got_headers, text)
        else:
            status, text = await self.call_over_socket(resource, headers, payload)
            self.last = ("socket", status, [], text)
        self.refuse_secrets(text)

    async def call_over_socket(self, resource, headers, payload):
        caller = self.callers.get(tuple(headers))
        if caller is None:
            caller = self.callers[tuple(headers)] = await self.open_socket(f"ws://127.0.0.1:{self.port}/ws", headers, None)
        echoed = {"uid": "null", "action": f'"call {self.calls}"'}
        sent = {"resource": json.dumps(resource), "action": echoed["action"]}
        if self.calls % 2:  # with an id and without are two kinds of reply (S-114)
            sent["id"] = echoed["id"] = str(self.calls)
        if payload:
            sent["payload"] = payload
        await caller.send("{" + ",".join(f'"{name}":{value}' for name, value in sent.items()) + "}")
        while True:
            try:
                text = await asyncio.wait_for(caller.recv(), DEADLINE_S)
            except asyncio.TimeoutError:
                raise Failure("no reply came") from None
            if not is_broadcast(text):
                return in_the_form_of_http(text, echoed)

    async def close_callers(self):
        for caller in self.callers.values():
            await asyncio.wait_for(caller.close(), DEADLINE_S)
            if left := [text for text in caller.messages if not is_broadcast(text)]:
                raise Failure(f"unread messages: {left}")
        self.callers.clear()


def is_broadcast(text):
    return set(patterns.parse(text)) == {"action", "data"}
