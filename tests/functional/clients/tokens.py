# SPDX-License-Identifier: Apache-2.0
"""Tokens against the real binary: bad ones by every way in, expiry to the second on an open connection, and that no
token shows in anything that the host writes."""

import base64
import hashlib
import hmac
import json
import os
import re
import resource
import signal
import socket
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame, upgrade_request

KEY = hosts.TOKEN_KEY
HEADER = '{"alg":"HS256","typ":"JWT"}'
TOKENIZE = {"type": "JWT", "algorithm": "HS256", "encryption_key": "$ENV.WALLET_TOKEN_KEY"}
VALUE = {"mode": "VALUE", "id": 1}
OVERFLOW = b'{"n":-9223372036854775808}'  # has no absolute value: the action of `broken` fails
AT_ONCE = {"SUB0_BAD_TOKENS_PER_SECOND": "0"}  # limits_connections.py has what many of them cost their sender
PROJECT = {
    "resources/all.json": [
        {"id": "mine", "resource": "mine", "tokenize": TOKENIZE, "protected": {"provide_as": "x-access-token", "extract_claims": ["id"]},
         "actionables": [{**VALUE, "value": "$PROTECTED.id"}]},
        {"id": "bearer", "resource": "bearer", "tokenize": TOKENIZE, "protected": {"extract_claims": ["id"]},
         "actionables": [{**VALUE, "value": "$PROTECTED.id"}]},
        {"id": "broken", "resource": "broken", "tokenize": TOKENIZE, "protected": {"provide_as": "x-access-token"},
         "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {
             "query": "SELECT abs(CAST($1 AS bigint)) AS n", "parameters": ["$PAYLOAD.n"]}}]},
        {"id": "open", "resource": "open", "actionables": [{**VALUE, "value": "open"}]},
    ],
}


def encode(data):
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).rstrip(b"=").decode()


def signature(signed, key=KEY):
    return encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))


def signed_parts(header, claims, key=KEY):
    """A token of parts as they stand, under a signature that holds."""
    return f"{header}.{claims}.{signature(f'{header}.{claims}', key)}"


def token_of(claims, header=HEADER, key=KEY):
    return signed_parts(encode(header), encode(claims if isinstance(claims, str) else json.dumps(claims)), key)


def good_token(**claims):
    return token_of({"id": "user-of-the-good-token", "exp": 9999999999, **claims})


def bad_tokens():
    """Name, token, error code."""
    good = good_token()
    header, claims, sign = good.split(".")
    invalid = "token_invalid"
    yield "two parts", f"{header}.{claims}", invalid
    yield "empty signature", f"{header}.{claims}.", invalid
    yield "trailing dot", good + ".", invalid
    yield "four parts", f"{good}.{sign}", invalid
    yield "padding", good + "=", invalid
    yield "other last bits", good[:-1] + chr(ord(good[-1]) + 1), invalid
    yield "padded claims", signed_parts(header, claims + "=="), invalid
    yield "space inside", f"{header}. {claims}.{sign}", invalid
    yield "another key", token_of({"id": "evil"}, key="another-key-0123456789-0123456789-0123456789"), invalid
    yield "key hints and another key", token_of(
        {"id": "evil"}, '{"alg":"HS256","kid":"/dev/null","jku":"http://127.0.0.1:1/","jwk":{"kty":"oct","k":""}}', key="x"), invalid
    yield "crit", token_of({"id": "evil"}, '{"alg":"HS256","crit":["x"],"x":1}'), invalid
    for name in ("none", "None", "NONE", "nOnE", "HS384", "RS256", "ES256", "hs256", ""):
        yield f"alg {name!r}", token_of({"id": "evil"}, json.dumps({"alg": name})), invalid
        yield f"alg {name!r}, unsigned", f'{encode(json.dumps({"alg": name}))}.{claims}.', invalid
    yield "alg twice", token_of({"id": "evil"}, '{"alg":"none","alg":"HS256"}'), invalid
    yield "header is an array", token_of({"id": "evil"}, '["HS256"]'), invalid
    yield "claim twice", token_of('{"id":"evil","id":"evil"}'), invalid
    yield "claims are a token", token_of(good, '{"alg":"HS256","cty":"JWT"}'), invalid
    yield "as long as a header may be", token_of({"id": "x" * 6000}, key="x" * 64), invalid
    yield "expired", token_of({"id": "evil", "exp": 1000}), "token_expired"
    yield "expired long ago", token_of('{"id":"evil","exp":-1e300}'), "token_expired"
    yield "exp as text", token_of({"id": "evil", "exp": "9999999999"}), invalid
    yield "exp 1e400", token_of('{"id":"evil","exp":1e400}'), invalid
    yield "nbf in the future", token_of({"id": "evil", "nbf": 9999999999}), invalid
    yield "iat in the future", token_of({"id": "evil", "iat": 9999999999.5}), invalid


class TokenTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Sqlite())
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env={"DATABASE_URL": cls.database.url, **AT_ONCE}))

    def connected(self, *headers, query=""):
        wire = self.enterContext(Wire(self.host.port))
        wire.response_to_upgrade = wire.upgrade(query, *headers)
        return wire

    @staticmethod
    def ask(wire, name):
        """The error code of a call over a socket, or its data."""
        wire.send(frame(call_text(name)))
        reply = wire.text()
        return reply["error"]["code"] if "error" in reply else reply["data"]


class BadTokens(TokenTest):
    def http_code(self, name, header):
        reply = self.host.call(name, headers=header)
        self.assertIn(reply["status"], (200, 401))
        return reply["data"] if reply["status"] == 200 else reply["error"]["code"]

    # 401 over HTTP, and an error reply on a socket that stays open
    def test_bad_tokens_are_refused_by_every_way_in(self):
        for name, token, code in bad_tokens():
            with self.subTest(name):
                self.assertEqual(self.http_code("bearer", {"Authorization": "Bearer " + token}), code)
                self.assertEqual(self.http_code("mine", {"x-access-token": token}), code)
                wire = self.connected("x-access-token: " + token)
                self.assertEqual(wire.response_to_upgrade.status, 101)
                self.assertEqual(self.ask(wire, "mine"), code)
                self.assertEqual(self.ask(wire, "open"), "open")
                if re.fullmatch(r"[\w.-]+", token):  # what a subprotocol may hold
                    wire = self.connected("Sec-WebSocket-Protocol: x-access-token, " + token)
                    self.assertEqual(wire.response_to_upgrade.status, 101)
                    self.assertEqual(self.ask(wire, "mine"), code)
                    self.assertEqual(self.ask(wire, "open"), "open")

    # what is longer never comes to be looked at
    def test_a_token_beyond_the_limit_of_headers_is_refused_before(self):
        status, _, _ = self.host.request("POST", "/mine", headers={"x-access-token": good_token(x="x" * 8192)})
        self.assertEqual(status, 431)

    def test_a_good_token_is_taken_by_the_same_ways(self):
        token = good_token()
        self.assertEqual(self.http_code("bearer", {"Authorization": "Bearer " + token}), "user-of-the-good-token")
        self.assertEqual(self.http_code("mine", {"x-access-token": token}), "user-of-the-good-token")
        for header in ("x-access-token: " + token, "Sec-WebSocket-Protocol: x-access-token, " + token):
            self.assertEqual(self.ask(self.connected(header), "mine"), "user-of-the-good-token")

    # key hints in a good token open no connection
    def test_key_hints_are_not_followed(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
            header = json.dumps({"alg": "HS256", "jku": url, "x5u": url, "kid": url, "jwk": {"kty": "oct", "k": ""}})
            token = token_of({"id": "u1"}, header)
            self.assertEqual(self.http_code("mine", {"x-access-token": token}), "u1")
            self.assertRaises(BlockingIOError, listener.accept)


class Expiry(TokenTest):
    # Q-48, S-73: an open connection's protected calls are refused from that very second on; other calls go on
    def test_a_token_expires_on_an_open_connection(self):
        expires = int(time.time()) + 2
        token = good_token(exp=expires)
        wires = [self.connected("x-access-token: " + token),
                 self.connected("Sec-WebSocket-Protocol: x-access-token, " + token)]
        seen = set()
        pause = threading.Event()
        while "token_expired" not in seen or time.time() < expires:
            for wire in wires:
                before = time.time()
                answer = self.ask(wire, "mine")
                after = time.time()
                seen.add(answer)
                if after < expires:
                    self.assertEqual(answer, "user-of-the-good-token", f"{expires - after} s too early")
                if before >= expires:
                    self.assertEqual(answer, "token_expired", f"{before - expires} s late")
                self.assertEqual(self.ask(wire, "open"), "open")
            pause.wait(0.005)
        for wire in wires:
            self.assertEqual(self.ask(wire, "mine"), "token_expired")
            self.assertEqual(self.ask(wire, "open"), "open")
        self.assertEqual(seen, {"user-of-the-good-token", "token_expired"})


class TextHost(hosts.Host):
    """A host whose log is text: its port stands in the ready line."""

    def start(self, event="ready"):
        super().start(event=None)
        with self._changed:
            self._changed.wait_for(lambda: any("ready on" in (line or "") for line in self._lines), hosts.PATIENCE_S)
        self.port = int(re.search(r"ready on http://127\.0\.0\.1:(\d+)", self.log())[1])
        return self


class Secrecy(unittest.TestCase):
    # not in the log at its most detailed, nor in replies and their headers, metrics, commands or a crash report
    def tokens(self):
        yield "good", good_token()
        yield "garbage", "garbage-token-0123456789"
        yield from ((name, token) for name, token, _ in bad_tokens())

    @staticmethod
    def needles(token):
        """What must not show: the token and those of its parts that are its own, as they stand and decoded."""
        header, *others = token.split(".")
        parts = [part for part in others if len(part) >= 8]
        return [needle for needle in (token, token[:40] if len(token) > 80 else token, *parts) if len(needle) >= 16]

    def assert_hidden(self, text, token, where):
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        for needle in self.needles(token):
            self.assertNotIn(needle, text, where)

    def everything_with(self, host, token):
        """All that the host sends back to what a client does with a token, well and badly."""
        seen = b""
        for name in ("mine", "bearer", "broken", "open", "unknown"):
            for header in (f"x-access-token: {token}", f"Authorization: Bearer {token}", f"Authorization: {token}"):
                with Wire(host.port) as wire:
                    wire.send(f"POST /{name} HTTP/1.1\r\nHost: t\r\n{header}\r\nConnection: close\r\n"
                              f"Content-Type: application/json\r\nContent-Length: {len(OVERFLOW)}\r\n\r\n".encode() + OVERFLOW)
                    seen += wire.rest()
        with Wire(host.port) as wire:  # in the URL
            wire.send(f"POST /open?token={token}&x-access-token={token} HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n"
                      "Connection: close\r\n\r\n".encode())
            seen += wire.rest()
        for lines in (f"Content-Length: x\r\nx-access-token: {token}", f"x-access-token : {token}",
                      f"x-access-token: {token}\x00", f"x-access-token: {token}\r\n" + "a: b\r\n" * 101):
            with Wire(host.port) as wire:  # refused as HTTP
                wire.send(f"POST /mine HTTP/1.1\r\nHost: t\r\n{lines}\r\n\r\n".encode("latin-1"))
                seen += wire.rest()
        offers = [f"x-access-token, {token}", f"{token}, x-access-token", f"Authorization, Bearer.{token}"]
        for headers in [[f"Sec-WebSocket-Protocol: {offer}"] for offer in offers] + [[f"x-access-token: {token}"]]:
            with Wire(host.port) as wire:
                wire.send(upgrade_request("/ws?token=" + re.sub(r"[^\w.-]", "", token), *headers))
                response = wire.response()
                seen += response.head + response.body
                if response.status != 101:
                    continue
                for name in ("mine", "bearer", "broken", "open", "unknown"):
                    wire.send(frame(call_text(name, json.loads(OVERFLOW))))
                wire.send(frame(b"\xff", mask=None))  # a protocol error: the close is logged
                seen += wire.rest()
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200)):
            answer = host.request("GET", path)
            self.assertEqual(answer[0], status, path)
            seen += answer[2].encode()
        return seen

    def run_through(self, make_host, log_format):
        tokens = list(self.tokens())
        with hosts.Sqlite() as database, hosts.Folder(PROJECT) as folder:
            host = make_host(folder.path, "--loops", "2", env={
                "DATABASE_URL": database.url, "SUB0_LOG": log_format, "SUB0_LOG_LEVEL": "debug", "SUB0_TRACE": "1", **AT_ONCE})
            with host:
                for name, token in tokens:
                    with self.subTest(name, log=log_format):
                        self.assert_hidden(self.everything_with(host, token), token, "a reply")
                for said in ("token_invalid", "token_expired", "action_failed" if log_format == "json" else "overflow"):
                    self.assertIn(said, host.log())  # the log is not empty of these calls
            return tokens, host.log()

    def test_the_json_log(self):
        tokens, log = self.run_through(hosts.Host, "json")
        for name, token in tokens:
            with self.subTest(name):
                self.assert_hidden(log, token, "the log")

    def test_the_text_log(self):
        tokens, log = self.run_through(TextHost, "text")
        for name, token in tokens:
            with self.subTest(name):
                self.assert_hidden(log, token, "the log")

    def test_commands(self):
        with hosts.Folder(PROJECT) as folder:
            for name, token in list(self.tokens())[::7]:
                for command in (["token", "check", "mine", token], ["token", "check", "nowhere", token],
                                ["token", "check", "open", token], ["token", "check", token, token, token]):
                    with self.subTest(name, command=command[:3]):
                        done = hosts.run_program(*command, "--resources", folder.path, env={"SUB0_LOG_LEVEL": "debug"})
                        self.assert_hidden(done.stdout + done.stderr, token, "an output")
                        self.assertEqual(done.returncode == 0, name == "good" and command[2] == "mine", done.stderr)

    def test_a_crash_report(self):
        token = good_token()
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        with hosts.Sqlite() as database, hosts.Folder(PROJECT) as folder:
            host = hosts.Host(folder.path, env={"DATABASE_URL": database.url, "SUB0_LOG_LEVEL": "debug"}).start()
            try:
                with Wire(host.port) as wire:
                    wire.upgrade("", "Sec-WebSocket-Protocol: x-access-token, " + token)
                    wire.send(frame(call_text("mine")))
                    self.assertEqual(wire.text()["data"], "user-of-the-good-token")
                    os.kill(host.process.pid, signal.SIGSEGV)
                    self.assertNotEqual(host.wait(), 0)
                self.assertIn("SIGSEGV", host.log())
                self.assert_hidden(host.log(), token, "the crash report")
                self.assertNotIn(KEY, host.log())
                host.process = None
            finally:
                if host.process is not None:
                    host.process.kill()


if __name__ == "__main__":
    hosts.main()
