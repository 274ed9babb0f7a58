# SPDX-License-Identifier: Apache-2.0
"""Raw bytes on a socket: HTTP responses and WebSocket frames, read and written by hand, so that what is wrong can be sent."""

import base64
import json
import os
import socket
import struct

PATIENCE_S = 40
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(payload=b"", opcode=TEXT, fin=True, rsv=0, mask=b"\x11\x22\x33\x44", length=None, form=None):
    """One frame. `mask` None: unmasked. `length`: the announced one. `form`: 7, 16 or 64 bits, whatever the length."""
    if isinstance(payload, str):
        payload = payload.encode()
    announced = len(payload) if length is None else length
    form = form or (7 if announced < 126 else 16 if announced < 65536 else 64)
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == 7:
        head += bytes([masked | announced])
    elif form == 16:
        head += bytes([masked | 126]) + struct.pack(">H", announced)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", announced)
    if mask is None:
        return head + payload
    key = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return head + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")


def close_frame(code=None, reason=b""):
    return frame(b"" if code is None else struct.pack(">H", code) + reason, CLOSE)


def call_text(resource="echo", payload=None, action="a", **members):
    return json.dumps({"resource": resource, "action": action, "payload": {} if payload is None else payload, **members})


class Response:
    def __init__(self, status, headers, body, head):
        self.status, self.headers, self.body, self.head = status, headers, body, head

    def json(self):
        return json.loads(self.body)


class Wire:
    """A connection. Reading past the end raises EOFError, waiting too long socket.timeout."""

    def __init__(self, port, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends; a peer that has closed already is no fault here: what it said is still to be read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def send_cut(self, data, at):
        """The same bytes in two segments."""
        self.send(data[:at])
        return self.send(data[at:])

    def _more(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        if not got:
            raise EOFError(self._input)
        self._input += got

    def take(self, count):
        while len(self._input) < count:
            self._more()
        taken, self._input = self._input[:count], self._input[count:]
        return taken

    def line(self, end=b"\r\n\r\n"):
        while end not in self._input:
            self._more()
        return self.take(self._input.index(end) + len(end))

    def rest(self):
        """Everything to the end of the connection."""
        while True:
            try:
                self._more()
            except EOFError:
                taken, self._input = self._input, b""
                return taken

    # ---- HTTP
    def response(self, head_only=False):
        head = self.line()
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for text in filter(None, lines[1:]):
            name, _, value = text.partition(":")
            name = name.lower()
            headers[name] = headers[name] + ", " + value.strip() if name in headers else value.strip()
        size = 0 if head_only or status < 200 or status == 204 else int(headers.get("content-length", 0))
        return Response(status, headers, self.take(size), head)

    def request(self, method, path, body=b"", *lines, host="Host: t\r\n"):
        text = f"{method} {path} HTTP/1.1\r\n{host}" + "".join(line + "\r\n" for line in lines)
        if body:
            text += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.send(text.encode("latin-1") + b"\r\n" + body)
        return self.response(method == "HEAD")

    # ---- WebSocket
    def upgrade(self, query="", *lines, path="/ws", rest=b""):
        """The opening handshake; `rest` goes out in the same segment."""
        self.send(upgrade_request(path + query, *lines) + rest)
        response = self.response()
        if response.status != 101:
            raise AssertionError(f"no upgrade: {response.head!r} {response.body!r}")
        return response

    def frame(self):
        """Opcode and payload of the next frame; servers never mask."""
        first, second = self.take(2)
        assert first & 0x80, "a frame of the server is in fragments"
        assert first & 0x70 == 0, "a frame of the server has reserved bits"
        assert second & 0x80 == 0, "a frame of the server is masked"
        size = second
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first & 15, self.take(size)

    def text(self):
        opcode, payload = self.frame()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def next_text(self):
        """The next message; pings in between are answered."""
        while True:
            opcode, payload = self.frame()
            if opcode != PING:
                return json.loads(payload)
            self.send(frame(payload, PONG))

    def close_code(self):
        """The code of the next frame, which must be a close; then the connection must end. None: a close without code."""
        opcode, payload = self.frame()
        assert opcode == CLOSE, (opcode, payload[:200])
        self.send(close_frame(1000))
        assert self.rest() == b"", "bytes behind the close frame"
        return struct.unpack(">H", payload[:2])[0] if payload else None


def open_socket(test, port, query="", *lines):
    """A WebSocket connection that ends with the test; `lines`: further ones of the handshake."""
    wire = Wire(port)
    test.addCleanup(wire.socket.close)
    wire.upgrade(query, *lines)
    return wire


def upgrade_request(path="/ws", *lines, method="GET", version="HTTP/1.1", leave_out=()):
    key = base64.b64encode(os.urandom(16)).decode()
    fields = {"Host": "t", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
              "Sec-WebSocket-Version": "13"}
    for line in lines:  # a given line replaces the usual one
        name, _, value = line.partition(": ")
        fields[name] = value
    text = f"{method} {path} {version}\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in fields.items() if name not in leave_out)
    return text.encode("latin-1") + b"\r\n"
