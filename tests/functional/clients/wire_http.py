# SPDX-License-Identifier: Apache-2.0
"""HTTP on the wire: what a hostile or careless client may send, byte by byte, to the real binary."""

import json

import host as hosts
from wire import call_text, close_frame, frame, upgrade_request
from wire_project import WireTest

GOOD = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
SMUGGLED = b"POST /tell-all HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n"


def post(*lines, body=b"", path="/echo"):
    return b"POST %s HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n" % path.encode() + b"".join(
        (line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines) + b"\r\n" + body


def get(*lines, path="/healthz"):
    return b"GET " + (path if isinstance(path, bytes) else path.encode()) + b" HTTP/1.1\r\nHost: t\r\n" + b"".join(
        (line if isinstance(line, bytes) else line.encode()) + b"\r\n" for line in lines) + b"\r\n"


CHUNKED = "Transfer-Encoding: chunked"

# Each is refused, whole, cut anywhere and behind a good request; a request behind it is not executed; TCP is closed.
REFUSED = [
    # Content-Length together with Transfer-Encoding, in both orders
    ("length, then chunked", post("Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"), {400}),
    ("chunked, then length", post(CHUNKED, "Content-Length: 5", body=b"0\r\n\r\n"), {400}),
    # two Content-Length headers, equal, different, and as a list
    ("equal lengths", post("Content-Length: 2", "Content-Length: 2", body=b"{}"), {400}),
    ("two lengths", post("Content-Length: 2", "Content-Length: 0", body=b"{}"), {400}),
    ("a list of lengths", post("Content-Length: 2, 2", body=b"{}"), {400}),
    ("a signed length", post("Content-Length: +2", body=b"{}"), {400}),
    ("a negative length", post("Content-Length: -2", body=b"{}"), {400}),
    # Transfer-Encoding that is not chunked alone
    ("space before the colon", post("Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),
    ("xchunked", post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), {400}),
    ("chunked, identity", post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), {400}),
    ("gzip, chunked", post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), {400}),
    ("chunked twice", post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), {400}),
    # chunk sizes that are none
    ("hexadecimal prefix", post(CHUNKED, body=b"0x5\r\nhello\r\n0\r\n\r\n"), {400}),
    ("negative chunk", post(CHUNKED, body=b"-1\r\nhello\r\n0\r\n\r\n"), {400}),
    ("signed chunk", post(CHUNKED, body=b"+5\r\nhello\r\n0\r\n\r\n"), {400}),
    ("17 digits", post(CHUNKED, body=b"00000000000000005\r\nhello\r\n0\r\n\r\n"), {400}),
    ("no size", post(CHUNKED, body=b"\r\nhello\r\n0\r\n\r\n"), {400}),
    ("no line end behind the data", post(CHUNKED, body=b"5\r\nhelloX0\r\n\r\n"), {400}),
    ("bare LF behind the size", post(CHUNKED, body=b"5\nhello\r\n0\r\n\r\n"), {400}),
    # bare LF, folded header, NUL, spaces in names
    ("bare LF in the head", b"GET /healthz HTTP/1.1\nHost: t\r\n\r\n", {400}),
    ("bare CR in the head", b"GET /healthz HTTP/1.1\r\nHost: t\rX: y\r\n\r\n", {400}),
    ("folded header", get("X: a", " b"), {400}),
    ("NUL in a value", get(b"X: a\0b"), {400}),
    ("NUL in a name", get(b"X\0: a"), {400}),
    ("space in a name", get("X Y: a"), {400}),
    ("space behind a name", get("X : a"), {400}),
    ("no name", get(": a"), {400}),
    ("no colon", get("X"), {400}),
    # targets that are not one plain path
    ("two slashes", get(path="//x"), {400, 404}),
    ("dots in escapes", get(path="/%2e%2e/x"), {400, 404}),
    ("escaped NUL", get(path="/x%00"), {400, 404}),
    ("overlong UTF-8", get(path="/%c0%af"), {400, 404}),
    ("absolute form", get(path="http://t/healthz"), {400, 404}),
    ("half an escape", get(path="/echo%4"), {400, 404}),
    ("raw byte", get(path=b"/ech\xc3"), {400, 404}),
    # RFC 9112: other heads that two readers could read differently
    ("no Host", b"GET /healthz HTTP/1.1\r\n\r\n", {400}),
    ("two Hosts", get("Host: u"), {400}),
    ("HTTP/2.0", b"GET /healthz HTTP/2.0\r\nHost: t\r\n\r\n", {400, 505}),
    ("no version", b"GET /healthz\r\nHost: t\r\n\r\n", {400}),
]


class Refusals(WireTest):
    def answers(self, wire):
        """Statuses to the end of the connection."""
        statuses = []
        while True:
            try:
                response = wire.response()
            except EOFError as end:
                self.assertEqual(end.args[0], b"", "bytes that are no response")
                return statuses
            statuses.append(response.status)
            if response.status >= 400:
                self.assertFalse(response.json()["success"])
                self.assertIn("access-control-allow-origin", response.headers)

    def test_the_table(self):
        for name, data, allowed in REFUSED:
            with self.subTest(name, way="whole"), self.open() as wire:
                statuses = self.answers_and_close(wire, data, allowed)
                self.assertEqual(len(statuses), 1)
            with self.subTest(name, way="in one segment with others"), self.open() as wire:
                wire.send(GOOD + GOOD + data + SMUGGLED)
                statuses = self.read_refused(wire, allowed)
                self.assertEqual(statuses[:2], [200, 200])
                self.assertEqual(len(statuses), 3, "the request behind was executed")
            with self.subTest(name, way="cut at every byte"):
                for statuses in self.in_every_cut(data, lambda wire: self.read_refused(wire, allowed)):
                    self.assertEqual(len(statuses), 1)

    def answers_and_close(self, wire, data, allowed):
        wire.send(data)
        return self.read_refused(wire, allowed)

    def read_refused(self, wire, allowed):
        """Paths may be refused by 404, which keeps the connection: then it is asked to close."""
        if 404 in allowed:
            wire.send(LAST)
        statuses = self.answers(wire)
        if 404 in allowed and 404 in statuses and statuses[-1] == 200:
            statuses.pop()
        self.assertIn(statuses[-1], allowed)
        return statuses

    def test_limits_of_heads(self):
        table = [
            # 100 headers are taken (Host is one), 101 are not
            ("100 headers", get(*[f"X-{n}: y" for n in range(99)]), 200),
            ("101 headers", get(*[f"X-{n}: y" for n in range(100)]), 431),
            # a value of 8,192 bytes is taken, 8,193 are not
            ("value of 8192", get("X: " + "y" * 8192), 200),
            ("value of 8193", get("X: " + "y" * 8193), 431),
            # a request line of 64 KiB
            ("request line of 64 KiB", get(path="/" + "x" * 65536), 414),
            ("a head of 20 KB", get(*[f"X-{n}: " + "y" * 4000 for n in range(5)]), 431),
        ]
        for name, data, status in table:
            for way in ("whole", "in pieces"):
                with self.subTest(name, way=way), self.open() as wire:
                    if way == "whole":
                        wire.send(data)
                    else:
                        for begin in range(0, len(data), 1000):
                            wire.send(data[begin:begin + 1000])
                    response = wire.response()
                    self.assertEqual(response.status, status)
                    if status >= 400:
                        self.assertEqual(wire.rest(), b"")

    def test_huge_chunk_extension(self):
        # 1 MB of chunk extension
        with self.open() as wire:
            wire.send(post(CHUNKED, body=b"5;" + b"x" * 1_000_000 + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED))
            self.assertEqual(wire.response().status, 400)
            self.assertEqual(wire.rest(), b"")

    def test_payload_limit(self):
        # S-52: over MAX_PAYLOAD_LIMIT, announced and chunked
        with self.open() as wire:
            wire.send(post("Content-Length: 1048577"))
            response = wire.response()
            self.assertEqual((response.status, response.json()["error"]["code"]), (413, "payload_too_large"))
        with self.open() as wire:
            wire.send(post(CHUNKED, body=b"100001\r\n" + b" " * 0x100001 + b"\r\n0\r\n\r\n"))
            self.assertEqual(wire.response().status, 413)
        with self.open() as wire:
            text = b'"' + b"x" * (1048576 - 2) + b'"'
            self.assertEqual(wire.request("POST", "/echo", text).status, 200)


class Requests(WireTest):
    def test_chunked_bodies(self):
        table = [
            # other letter case of chunked is accepted
            ("letter case", post("Transfer-Encoding: ChunKed", body=b'7\r\n{"a":1}\r\n0\r\n\r\n')),
            ("three chunks", post(CHUNKED, body=b'2\r\n{"\r\n3\r\na":\r\n2\r\n1}\r\n0\r\n\r\n')),
            ("extension", post(CHUNKED, body=b'7;a=b\r\n{"a":1}\r\n0\r\n\r\n')),
            ("upper and lower digits", post(CHUNKED, body=b'0A\r\n{"a":  1 }\r\n0\r\n\r\n')),
            # trailers naming Content-Length and X-Mark are not merged
            ("trailers", post(CHUNKED, body=b'7\r\n{"a":1}\r\n0\r\nX-Mark: b\r\nX-Other: c\r\n\r\n')),
        ]
        def read(wire):
            response = wire.response()
            self.assertEqual((response.status, response.json()["data"]), (200, {"a": 1}))
            self.assertEqual(wire.response().status, 200)
            self.assertEqual(wire.rest(), b"")
        for name, data in table:
            with self.subTest(name), self.open() as wire:
                wire.send(data + LAST)
                read(wire)
            with self.subTest(name, way="cut at every byte"):
                self.in_every_cut(data + LAST, read, cuts=range(1, len(data) + 1))

    def test_trailers_are_not_merged(self):
        # trailers naming Content-Length, Host and a header that the resource reads
        for trailer, allowed in (("Content-Length: 40", {200, 400}), ("Host: evil", {200, 400}), ("X-Mark: evil", {200})):
            with self.subTest(trailer), self.open() as wire:
                wire.send(post(CHUNKED, path="/address", body=b"2\r\n{}\r\n0\r\n" + trailer.encode() + b"\r\n\r\n"))
                response = wire.response()
                self.assertIn(response.status, allowed)
                if response.status == 200:
                    self.assertIsNone(response.json()["data"]["mark"])
                    wire.send(LAST)
                    self.assertEqual(wire.response().status, 200)
                self.assertEqual(wire.rest(), b"")

    def test_a_hundred_in_one_segment(self):
        # 100 pipelined requests are answered in order
        bodies = [json.dumps({"n": n}).encode() for n in range(100)]
        with self.open() as wire:
            wire.send(b"".join(post(f"Content-Length: {len(body)}", body=body) for body in bodies) + LAST)
            self.assertEqual([wire.response().json()["data"]["n"] for _ in bodies], list(range(100)))
            self.assertEqual(wire.response().status, 200)
            self.assertEqual(wire.rest(), b"")

    def test_an_upgrade_in_the_middle(self):
        # an upgrade in the middle; bytes after it are frames
        before = b"".join(post(f"Content-Length: {len(str(n))}", body=str(n).encode()) for n in range(50))
        after = b"".join(frame(call_text(payload={"n": n})) for n in range(50)) + close_frame(1000)
        with self.open() as wire:
            wire.send(before + upgrade_request() + after)
            self.assertEqual([wire.response().json()["data"] for _ in range(50)], list(range(50)))
            self.assertEqual(wire.response().status, 101)
            self.assertEqual([wire.text()["data"]["n"] for _ in range(50)], list(range(50)))
            self.assertEqual(wire.close_code(), 1000)

    def test_first_frame_in_the_segment_of_the_handshake(self):
        # handshake and first frames in one segment, and cut at every byte
        data = upgrade_request() + frame(call_text(payload={"n": 1})) + frame(b"p", 9) + close_frame(1000)
        def read(wire):
            self.assertEqual(wire.response().status, 101)
            self.assertEqual(wire.text()["data"], {"n": 1})
            self.assertEqual(wire.frame(), (10, b"p"))
            self.assertEqual(wire.close_code(), 1000)
        with self.open() as wire:
            read(wire.send(data))
        self.in_every_cut(data, read)

    def test_paths_are_decoded_once(self):
        # escapes are decoded once
        for path, status in (("/%65cho", 200), ("/%2565cho", 404), ("/deep/er", 200), ("/deep%2Fer", 400), ("/Echo", 404)):
            with self.subTest(path), self.open() as wire:
                self.assertEqual(wire.request("POST", path, b"{}").status, status)

    def test_unknown_paths_and_methods(self):
        # missing or unknown path, method not allowed with Allow
        table = [("GET", "/", 404, None), ("POST", "/", 404, None), ("POST", "/no-such", 404, None),
                 ("DELETE", "/echo", 405, "GET, HEAD, POST, OPTIONS"), ("PATCH", "/no-such", 405, "GET, HEAD, POST, OPTIONS"),
                 ("POST", "/healthz", 405, "GET, HEAD"), ("POST", "/ws", 405, "GET"),
                 ("GET", "/tell-all", 405, "POST, OPTIONS"), ("HEAD", "/tell-all", 405, "POST, OPTIONS")]
        for method, path, status, allow in table:
            with self.subTest(method=method, path=path), self.open() as wire:
                response = wire.request(method, path)
                self.assertEqual((response.status, response.headers.get("allow")), (status, allow))

    def test_keep_alive(self):
        # S-50: HEAD as GET, no body; HTTP/1.0 closes; Connection: close closes
        with self.open() as wire:
            for _ in range(3):
                self.assertEqual(wire.request("GET", "/echo?a=1").json()["data"], {"a": "1"})
            head = wire.request("HEAD", "/echo?a=1")
            self.assertEqual(int(head.headers["content-length"]), len(wire.request("GET", "/echo?a=1").body))
            self.assertEqual(wire.request("GET", "/healthz", b"", "Connection: close").status, 200)
            self.assertEqual(wire.rest(), b"")
        with self.open() as wire:
            wire.send(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertEqual(wire.response().status, 200)
            self.assertEqual(wire.rest(), b"")

    def test_expect_continue(self):
        # S-50: Expect: 100-continue
        with self.open() as wire:
            wire.send(post("Content-Length: 2", "Expect: 100-continue"))
            self.assertEqual(wire.response().status, 100)
            wire.send(b"{}")
            self.assertEqual(wire.response().status, 200)
        with self.open() as wire:
            wire.send(post("Content-Length: 2000000", "Expect: 100-continue"))
            self.assertEqual(wire.response().status, 413)

    def test_content_types(self):
        # S-50, S-52: JSON and forms, with a non-empty body only
        table = [("application/json", b"{}", 200), ("application/json; charset=utf-8", b"{}", 200),
                 ("text/plain", b"{}", 415), ("text/plain", b"", 200), ("multipart/form-data; boundary=x", b"--x--", 200),
                 ("application/x-www-form-urlencoded", b"a=1", 415), ("application/json", b"[1]", 200)]
        for kind, body, status in table:
            with self.subTest(kind=kind, body=body), self.open() as wire:
                wire.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
                    kind.encode(), len(body), body))
                self.assertEqual(wire.response().status, status)

    def test_opening_handshakes(self):
        # upgrade by POST, HTTP/1.0, no Host, no key, bad keys, version 8
        table = [
            ("POST", upgrade_request(method="POST"), {405, 400}),
            ("HTTP/1.0", upgrade_request(version="HTTP/1.0"), {400}),
            ("no Host", upgrade_request(leave_out=["Host"]), {400}),
            ("no key", upgrade_request(leave_out=["Sec-WebSocket-Key"]), {400}),
            ("key of 15 bytes", upgrade_request("/ws", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1"), {400}),
            ("key that is no base64", upgrade_request("/ws", "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="), {400}),
            ("version 8", upgrade_request("/ws", "Sec-WebSocket-Version: 8"), {426}),
            ("no version", upgrade_request(leave_out=["Sec-WebSocket-Version"]), {426}),
            ("no Upgrade", upgrade_request(leave_out=["Upgrade"]), {400, 426}),
            ("no Connection", upgrade_request(leave_out=["Connection"]), {400, 426}),
        ]
        def read(wire, allowed):
            response = wire.response()
            self.assertIn(response.status, allowed)
            if response.status == 426:
                self.assertEqual(response.headers["sec-websocket-version"], "13")
            self.assertEqual(wire.rest(), b"", "the connection is closed")
        for name, data, allowed in table:
            with self.subTest(name), self.open() as wire:
                read(wire.send(data), allowed)
            with self.subTest(name, way="cut at every byte"):
                self.in_every_cut(data, lambda wire, allowed=allowed: read(wire, allowed))

    def test_handshake_forms_that_are_right(self):
        # lists and letter case in Upgrade and Connection
        for lines in (["Connection: keep-alive, Upgrade"], ["Upgrade: WebSocket"], ["Connection: UPGRADE"]):
            with self.subTest(lines), self.open() as wire:
                wire.upgrade("", *lines)

    def test_uid(self):
        # S-110: the uid of a handshake, decoded; empty is none; what is too long or has control characters is refused
        for query, uid in (("?uid=u1", "u1"), ("?uid=a%20b%c3%a4", "a bä"), ("?uid=", None), ("", None),
                           ("?x=1&uid=u2", "u2"), ("?uid=" + "x" * 256, "x" * 256)):
            with self.subTest(query[:20]), self.open() as wire:
                wire.upgrade(query)
                self.assertEqual(wire.send(frame(call_text("connection"))).text()["uid"], uid)
        for query in ("?uid=" + "x" * 257, "?uid=a%0ab", "?uid=%ff", "?uid=a%00"):
            with self.subTest(query[:20]), self.open() as wire:
                wire.send(upgrade_request("/ws" + query))
                self.assertEqual(wire.response().status, 400)

    def test_forwarded_addresses_of_strangers_are_ignored(self):
        # X-Forwarded-For from an untrusted peer, over HTTP and on a socket
        with self.open() as wire:
            response = wire.request("POST", "/address", b"{}", "X-Forwarded-For: 203.0.113.9", "ip: 203.0.113.8")
            self.assertEqual(response.json()["data"]["ip"], "127.0.0.1")
        with self.open() as wire:
            wire.upgrade("", "X-Forwarded-For: 203.0.113.9", "X-Mark: m")
            # S-61: $HEADER on a socket is that of the handshake
            self.assertEqual(wire.send(frame(call_text("address"))).text()["data"],
                             {"ip": "127.0.0.1", "agent": None, "mark": "m"})


class BehindProxies(WireTest):
    environment = {"SUB0_TRUSTED_PROXIES": "127.0.0.0/8, 10.0.0.1"}

    def test_forwarded_addresses(self):
        # Q-84, S-61: the last untrusted hop counts
        table = [("203.0.113.9", "203.0.113.9"), ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
                 ("203.0.113.9, 10.0.0.1", "203.0.113.9"), ("203.0.113.9, 10.0.0.2", "10.0.0.2"),
                 ("2001:db8::1", "2001:db8::1")]
        for value, address in table:
            with self.subTest(value), self.open() as wire:
                response = wire.request("POST", "/address", b"{}", "X-Forwarded-For: " + value)
                self.assertEqual(response.json()["data"]["ip"], address)
            with self.subTest(value, way="socket"), self.open() as wire:
                wire.upgrade("", "X-Forwarded-For: " + value)
                self.assertEqual(wire.send(frame(call_text("address"))).text()["data"]["ip"], address)
        with self.open() as wire:
            self.assertEqual(wire.request("POST", "/address", b"{}").json()["data"]["ip"], "127.0.0.1")


class WithoutSockets(WireTest):
    environment = {"ALLOW_WEBSOCKET_CONNECTIONS": "false"}

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT_WITHOUT_SOCKETS))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env=cls.environment))

    def tearDown(self):
        pass

    def test_the_endpoint_is_off(self):
        # S-110: off unless allowed: 404 that names the setting, and a line at start
        with self.open() as wire:
            wire.send(upgrade_request())
            response = wire.response()
            self.assertEqual(response.status, 404)
            self.assertIn("ALLOW_WEBSOCKET_CONNECTIONS", response.json()["message"])
        self.assertIn("ALLOW_WEBSOCKET_CONNECTIONS", self.host.wait_for("websocket_off")["message"])


class ForcedUid(WithoutSockets):
    environment = {"FORCE_WEBSOCKET_WITH_UID": "true", "WEBSOCKET_ENDPOINT": "live", "ALLOWED_HTTP_METHODS": "POST"}

    def test_the_endpoint_is_off(self):
        # S-110: FORCE_WEBSOCKET_WITH_UID, WEBSOCKET_ENDPOINT
        for path, status in (("/live", 400), ("/live?uid=", 400), ("/live?uid=u", 101), ("/ws?uid=u", 405)):
            with self.subTest(path), self.open() as wire:
                wire.send(upgrade_request(path))
                self.assertEqual(wire.response().status, status)

    def test_methods(self):
        # S-50, Q-19: ALLOWED_HTTP_METHODS; OPTIONS always
        with self.open() as wire:
            response = wire.request("GET", "/echo")
            self.assertEqual((response.status, response.headers["allow"]), (405, "POST, OPTIONS"))
            self.assertIn(wire.request("OPTIONS", "/echo").status, (200, 204))


PROJECT_WITHOUT_SOCKETS = {"resources/echo.json": {
    "id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]}}

if __name__ == "__main__":
    hosts.main()
