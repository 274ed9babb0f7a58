# SPDX-License-Identifier: Apache-2.0
"""WebSocket on the wire: frames that a hostile or careless client may send to the real binary. Each case of a table goes out
whole, in one segment with its handshake, and (short ones) cut at every byte. The groups are those of the public fuzzing suites."""

import json
import pathlib
import struct

import host as hosts
from wire import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, call_text, close_frame, frame)
from wire_project import WireTest

LIMIT = 1 << 20
BYE = close_frame(1000)
GOOD = frame(call_text(payload={"n": 1}, action="good"))
GOOD_REPLY = ("reply", {"n": 1})


def code(number):
    return ("close", number)


def pong(payload):
    return ("pong", payload)


def text_of_size(size):
    """A call of `echo` whose message has exactly this size."""
    return call_text(payload="x" * (size - len(call_text(payload=""))))


class Frames(WireTest):
    def expect(self, wire, expected):
        for kind, what in expected:
            if kind == "reply":
                self.assertEqual(wire.text()["data"], what)
            elif kind == "failure":
                reply = wire.text()
                self.assertEqual((reply["data"], reply["success"], reply["status"]), (None, False, what))
            elif kind == "pong":
                self.assertEqual(wire.frame(), (PONG, what))
            else:
                self.assertEqual(wire.close_code(), what)

    def run_table(self, table, longest_cut=400):
        for name, data, expected in table:
            with self.subTest(name, way="whole"), self.open() as wire:
                wire.upgrade()
                self.expect(wire.send(data), expected)
            with self.subTest(name, way="in one segment with the handshake and a message"), self.open() as wire:
                wire.upgrade(rest=GOOD + data)
                self.expect(wire, [GOOD_REPLY, *expected])
            if len(data) <= longest_cut:
                with self.subTest(name, way="cut at every byte"):
                    self.in_every_cut(data, lambda wire, expected=expected: self.expect(wire, expected),
                                      lambda wire: wire.upgrade())

    def test_group_1_sizes(self):
        # texts at the borders of the length forms
        base = len(call_text(payload=""))
        self.run_table([(f"message of {size}", frame(text_of_size(size)) + BYE,
                         [("reply", "x" * (size - base)), code(1000)])
                        for size in (base, 125, 126, 127, 128, 65535, 65536)])
        self.run_table([("an empty text", frame("") + BYE, [("failure", 400), code(1000)])])

    def test_group_2_pings(self):
        # an empty masked ping, then a text
        # a ping of 126 bytes
        ten = b"".join(frame(b"ping %d" % n, PING) for n in range(10))
        self.run_table([
            ("empty ping, then a text", frame(b"", PING) + GOOD + BYE, [pong(b""), GOOD_REPLY, code(1000)]),
            ("with payload", frame(b"hello", PING) + BYE, [pong(b"hello"), code(1000)]),
            ("with bytes", frame(b"\0\xff\xfe\xfd", PING) + BYE, [pong(b"\0\xff\xfe\xfd"), code(1000)]),
            ("of 125 bytes", frame(b"\xfe" * 125, PING) + BYE, [pong(b"\xfe" * 125), code(1000)]),
            ("of 126 bytes", frame(b"\xfe" * 126, PING), [code(1002)]),
            ("unasked pong", frame(b"x", PONG) + BYE, [code(1000)]),
            ("unasked pong, then ping", frame(b"x", PONG) + frame(b"y", PING) + BYE, [pong(b"y"), code(1000)]),
            ("ten", ten + BYE, [*(pong(b"ping %d" % n) for n in range(10)), code(1000)]),
        ])

    def test_group_3_reserved_bits(self):
        # RSV1, RSV2, RSV3 and each mixture on every opcode
        self.run_table([(f"bits {bits}, opcode {opcode}", GOOD + frame(b"", opcode, rsv=bits) + GOOD,
                         [GOOD_REPLY, code(1002)]) for bits in range(1, 8) for opcode in (TEXT, CLOSE, PING, PONG)],
                       longest_cut=0)
        self.run_table([(f"bits {bits}", frame(b"x", rsv=bits), [code(1002)]) for bits in range(1, 8)])

    def test_group_4_opcodes(self):
        # opcodes 3 to 7 and 11 to 15
        self.run_table([(f"opcode {opcode}", frame(b"x", opcode), [code(1002)]) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)])

    def test_group_5_fragments(self):
        # continuation without start, new message inside a fragmented one, ping between fragments
        whole = call_text(payload={"n": 1}, action="good").encode()
        one, two, three = whole[:20], whole[20:40], whole[40:]
        start, middle, end = (frame(one, TEXT, fin=False), frame(two, CONTINUATION, fin=False), frame(three, CONTINUATION))
        empty = frame(b"", CONTINUATION, fin=False)
        self.run_table([
            # fragmented ping, pong, close
            ("fragmented ping", frame(b"", PING, fin=False), [code(1002)]),
            ("fragmented pong", frame(b"", PONG, fin=False), [code(1002)]),
            ("fragmented close", frame(b"", CLOSE, fin=False), [code(1002)]),
            ("three fragments", start + middle + end + BYE, [GOOD_REPLY, code(1000)]),
            ("empty fragments", frame(b"", TEXT, fin=False) + empty + start.replace(b"\x01", b"\x00", 1) + empty + middle +
             end + BYE, [GOOD_REPLY, code(1000)]),
            ("ping between", start + frame(b"p", PING) + middle + end + BYE, [pong(b"p"), GOOD_REPLY, code(1000)]),
            ("pings everywhere", frame(b"0", PING) + start + frame(b"1", PING) + middle + frame(b"2", PING) + end +
             frame(b"3", PING) + BYE, [pong(b"0"), pong(b"1"), pong(b"2"), GOOD_REPLY, pong(b"3"), code(1000)]),
            ("pong between", start + frame(b"p", PONG) + middle + end + BYE, [GOOD_REPLY, code(1000)]),
            ("continuation of nothing", end, [code(1002)]),
            ("unfinished continuation of nothing", middle, [code(1002)]),
            ("continuation behind a message", start + middle + end + middle, [GOOD_REPLY, code(1002)]),
            ("text inside a fragmented message", start + GOOD, [code(1002)]),
            ("start inside a fragmented message", start + start, [code(1002)]),
            ("close inside a fragmented message", start + BYE, [code(1000)]),
        ])

    def test_group_6_utf8(self):
        # invalid UTF-8: whole, split inside a code point, surrogates, overlong, above U+10FFFF
        for text in ("Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff",
                     "\U00010000", "\U0010ffff"):
            whole = call_text(payload={"t": "%"}).encode().replace(b"%", text.encode())
            at = whole.index(text.encode())
            reply = [("reply", {"t": text}), code(1000)]
            self.run_table([(f"valid {text!r}", frame(whole) + BYE, reply)], longest_cut=0)
            for cut in range(1, len(text.encode())):
                self.run_table([(f"valid {text!r} split at {cut}", frame(whole[:at + cut], fin=False) +
                                 frame(b"p", PING) + frame(whole[at + cut:], CONTINUATION) + BYE, [pong(b"p"), *reply])],
                               longest_cut=0)
        for bad in (b"\xce\xba\xed\xa0\x80", b"\xed\xbf\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf",
                    b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\x80", b"\xc3 ",
                    b"\xe2\x82 ", b"\xf0\x9f\x98 "):
            whole = call_text(payload={"t": "%"}).encode().replace(b"%", bad)
            at = whole.index(bad)
            self.run_table([(f"bad {bad!r}", frame(whole), [code(1007)]),
                            (f"bad {bad!r} in a fragment", frame(whole[:at], fin=False) + frame(bad, CONTINUATION, fin=False),
                             [code(1007)])], longest_cut=200)
        # at the first bad byte of a long message: the rest never comes
        with self.open() as wire:
            wire.upgrade()
            wire.send(frame(b'{"a":"' + b"x" * 100_000 + b"\xff" + b"y" * 400_000)[:120_000])
            self.assertEqual(wire.close_code(), 1007)
        # ends inside a code point
        self.run_table([("ends inside a code point", frame(b"\xe2\x82"), [code(1007)])])

    def test_group_7_closing(self):
        # close codes that may be sent are echoed, others are 1002; one byte; bad UTF-8 in the reason
        table = [("no code", close_frame(), [code(None)]),
                 ("one byte", frame(b"\x03", CLOSE), [code(1002)]),
                 ("reason of 123 bytes", close_frame(1000, b"r" * 123), [code(1000)]),
                 ("reason of 124 bytes", close_frame(1000, b"r" * 124), [code(1002)]),
                 ("reason that is no UTF-8", close_frame(1000, b"\xce\xba\xff"), [code(1007)]),
                 # data behind a close frame is ignored
                 ("data behind", GOOD + BYE + GOOD + frame(b"p", PING), [GOOD_REPLY, code(1000)]),
                 ("two closes", BYE + close_frame(1001), [code(1000)])]
        for number in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
            table.append((f"code {number}", close_frame(number), [code(number)]))
        for number in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            table.append((f"code {number}", close_frame(number), [code(1002)]))
        self.run_table(table)

    def test_masks_and_lengths(self):
        # unmasked client frames
        # lengths not in the shortest form, the top bit
        self.run_table([
            ("unmasked text", frame(call_text(), mask=None), [code(1002)]),
            ("unmasked ping", frame(b"", PING, mask=None), [code(1002)]),
            ("unmasked close", frame(struct.pack(">H", 1000), CLOSE, mask=None), [code(1002)]),
            ("mask of zeros", frame(call_text(payload={"n": 1}), mask=b"\0\0\0\0") + BYE, [GOOD_REPLY, code(1000)]),
            ("125 in 16 bits", frame(b"x" * 125, form=16), [code(1002)]),
            ("5 in 64 bits", frame(b"x" * 5, form=64), [code(1002)]),
            ("0 in 16 bits", frame(b"", form=16), [code(1002)]),
            ("65535 in 64 bits", frame(b"x" * 65535, form=64), [code(1002)]),
            ("top bit of 64", frame(b"", length=1 << 63), [code(1002)]),
            ("all bits of 64", frame(b"", length=(1 << 64) - 1), [code(1002)]),
            ("ping in 16 bits", frame(b"x", PING, form=16), [code(1002)]),
        ])

    def test_binary(self):
        # a binary message, whole and in fragments
        self.run_table([("whole", frame(b"{}", BINARY), [code(1003)]),
                        ("fragment", frame(b"{", BINARY, fin=False) + frame(b"}", CONTINUATION), [code(1003)])])

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.host.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    def test_announced_lengths(self):
        # 2^31, 2^32, 2^63-1 and no payload: 1009 from the header, memory does not grow
        table = [(f"announces {length}", frame(b"", length=length), [code(1009)])
                 for length in (LIMIT + 1, 1 << 31, 1 << 32, (1 << 63) - 1)]
        self.run_table(table)
        before = self.resident_kb()
        for _ in range(50):
            self.run_table(table, longest_cut=0)
        self.assertLess(self.resident_kb() - before, 64 * 1024)

    def test_limit(self):
        # limit - 1, limit, limit + 1 bytes, whole and in fragments
        base = len(call_text(payload=""))
        for size in (LIMIT - 1, LIMIT, LIMIT + 1):
            message = text_of_size(size).encode()
            expected = [("reply", "x" * (size - base)), code(1000)] if size <= LIMIT else [code(1009)]
            pieces = [message[at:at + 40_000] for at in range(0, size, 40_000)]
            fragments = b"".join(frame(piece, CONTINUATION if index else TEXT, fin=index == len(pieces) - 1)
                                 for index, piece in enumerate(pieces))
            self.run_table([(f"{size} whole", frame(message) + BYE, expected), (f"{size} in fragments", fragments + BYE, expected)])

    def test_many_fragments(self):
        # one-byte fragments; 10^6 empty continuations: 1008 past 1,024
        whole = text_of_size(1024).encode()
        def bytewise(count):
            return b"".join(frame(whole[n:n + 1], CONTINUATION if n else TEXT, fin=n == count - 1) for n in range(count))
        base = len(call_text(payload=""))
        self.run_table([("1024 fragments", bytewise(1024) + BYE, [("reply", "x" * (1024 - base)), code(1000)]),
                        ("1025 fragments", frame(b"", TEXT, fin=False) + frame(b"", CONTINUATION, fin=False) * 1024, [code(1008)]),
                        ("a million", frame(b"", TEXT, fin=False) + frame(b"", CONTINUATION, fin=False) * 1_000_000, [code(1008)])])

    def test_three_messages_cut_at_every_place(self):
        # messages of 1.3 KB, 5 KB and 200 B back to back, cut at every place
        sizes = (1300, 5000, 200)
        base = len(call_text(payload=""))
        data = b"".join(frame(text_of_size(size)) for size in sizes)
        wires = [self.open() for _ in range(50)]
        try:
            for wire in wires:
                wire.upgrade()
            for begin in range(1, len(data), len(wires)):
                pairs = list(zip(wires, range(begin, min(begin + len(wires), len(data)))))
                for wire, cut in pairs:
                    wire.send(data[:cut])
                for wire, cut in pairs:
                    wire.send(data[cut:])
                for wire, cut in pairs:
                    with self.subTest(cut=cut):
                        self.assertEqual([len(wire.text()["data"]) + base for _ in sizes], list(sizes))
        finally:
            for wire in wires:
                wire.socket.close()

    def test_groups_9_and_10_sizes_and_pieces(self):
        # long messages in frames and segments of many sizes
        base = len(call_text(payload=""))
        for size in (64 << 10, 256 << 10, LIMIT):
            message = text_of_size(size).encode()
            for fragment in (1300, 4096, 65536):
                if size / fragment > 1000:
                    continue
                with self.subTest(size=size, fragment=fragment), self.open() as wire:
                    wire.upgrade()
                    for at in range(0, size, fragment):
                        wire.send(frame(message[at:at + fragment], CONTINUATION if at else TEXT, fin=at + fragment >= size))
                    self.assertEqual(len(wire.text()["data"]), size - base)
            for segment in (64, 997, 2048):
                if size / segment > 5000:
                    continue
                with self.subTest(size=size, segment=segment), self.open() as wire:
                    wire.upgrade()
                    data = frame(message)
                    for at in range(0, len(data), segment):
                        wire.send(data[at:at + segment])
                    self.assertEqual(len(wire.text()["data"]), size - base)

    def test_broken_off_headers(self):
        # 1 to 13 header bytes, then FIN or RST
        header = frame(b"", length=1 << 19)
        for size in range(1, len(header)):
            for way in ("FIN", "RST"):
                with self.subTest(size=size, way=way), self.open() as wire:
                    wire.upgrade()
                    wire.send(header[:size])
                    if way == "FIN":
                        wire.socket.shutdown(1)
                        self.assertEqual(wire.rest(), b"")
                    else:
                        wire.socket.setsockopt(1, 13, struct.pack("ii", 1, 0))


class Payloads(WireTest):
    """JSON that is wrong somewhere, over both protocols."""

    def over_both(self, payload, query=""):
        """The two replies to `echo` with this payload text."""
        with self.open() as wire:
            wire.upgrade(query)
            wire.send(frame(b'{"resource":"echo","action":"a","payload":' + payload + b"}"))
            opcode, text = wire.frame()
            self.assertEqual(opcode, TEXT)
        with self.open() as wire:
            response = wire.request("POST", "/echo", payload)
        return text, response

    def test_invalid_json(self):
        # payloads that are no valid JSON anywhere inside: no byte of them comes back
        for bad in (b'{"a":tru}', rb'"\q"', b'{"a":1,}', b'{"a" 1}', b"{a:1}", b"[1 2]", b"'x'", b"01", b"1.", b"+1", b".5", b"NaN",
                    b"Infinity", b'{"a":1', b'["SECRET', b'"SECRET\n"', b'"\\u12"', b"nul", b"{]", b"/*x*/1", b'{"a":"SECRET" x}',
                    b'[[["SECRET", tru]]]', b'{"SECRET":{"b":[1,2,{"c":-}]}}'):
            with self.subTest(bad):
                text, response = self.over_both(bad)
                reply = json.loads(text)
                self.assertEqual((reply["status"], reply["action"], reply["data"]), (400, None, None))
                self.assertEqual((response.status, response.json()["error"]["code"]), (400, "bad_request"))
                self.assertNotIn(b"SECRET", text + response.body)

    def test_nothing_invalid_is_broadcast(self):
        # to everybody: the watcher of this class must not hear it
        with self.open() as wire:
            wire.upgrade()
            for bad in (b'{"a":tru}', b'[1,]', b'"\x01"', b'{"a":1}}'):
                wire.send(frame(b'{"resource":"tell-all","action":"a","payload":' + bad + b"}"))
                self.assertEqual(wire.text()["status"], 400)

    def test_odd_json(self):
        # depth 10,000, 1e999, 2^64, BOM, trailing bytes: an error reply; the host goes on
        for bad in (b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"1e999", b"[-1e999]",
                    b"18446744073709551616", b"\xef\xbb\xbf{}", b'{"a":1} x'):
            with self.subTest(bad[:20]):
                text, response = self.over_both(bad)
                self.assertEqual((json.loads(text)["status"], response.status), (400, 400))
        # a message that begins with a BOM, or has bytes behind its end
        for message in (b"\xef\xbb\xbf" + call_text().encode(), call_text().encode() + b"x", call_text().encode() + b"{}",
                        b"", b" ", b"\0", b"}"):
            with self.subTest(message[:20]), self.open() as wire:
                wire.upgrade()
                self.assertEqual(wire.send(frame(message)).text()["status"], 400)
        # integers keep all their digits
        for whole in (b"9223372036854775807", b"-9223372036854775808", b"18446744073709551615", b"[9007199254740993]"):
            with self.subTest(whole):
                text, response = self.over_both(whole)
                self.assertIn(b'"data":' + whole, text)
                self.assertIn(b'"data":' + whole, response.body)
        # duplicate keys: the last wins (a payload that is passed on whole is passed on as its text)
        text, response = self.over_both(b'{"a":1,"a":2}')
        self.assertEqual((json.loads(text)["data"], response.json()["data"]), ({"a": 2}, {"a": 2}))
        # a lone surrogate: an error reply, or the replacement character; the same over both, and always valid UTF-8
        text, response = self.over_both(rb'{"a":"\ud800"}')
        if "status" in json.loads(text):
            self.assertEqual((json.loads(text)["status"], response.status), (400, 400))
        else:
            self.assertEqual((json.loads(text)["data"], response.json()["data"]), ({"a": "\ufffd"}, {"a": "\ufffd"}))
        # depth that is allowed
        deep = b"[" * 200 + b"]" * 200
        text, response = self.over_both(deep)
        self.assertIn(deep, text)
        self.assertIn(deep, response.body)

    def test_injection(self):
        # with a uid: payload with id, escaped id, several of them: all replaced by the uid
        for payload, data in ((b'{"id":"evil"}', {"id": "u1"}), (rb'{"\u0069d":"evil"}', {"id": "u1"}),
                              (rb'{"id":1,"a":2,"\u0069\u0064":3,"id":4}', {"id": "u1", "a": 2}), (b"{}", {"id": "u1"}),
                              (b'{"x":{"id":"mine"}}', {"x": {"id": "mine"}, "id": "u1"}), (b'["id"]', ["id"]), (b"1", 1),
                              (b'{"ID":1}', {"ID": 1, "id": "u1"})):
            with self.subTest(payload):
                text, response = self.over_both(payload, "?uid=u1")
                self.assertEqual(json.loads(text)["data"], data)
                self.assertEqual(text.count(b'"id"'), json.dumps(data).count('"id"'))
                # S-113: over HTTP nothing is injected
                self.assertEqual(response.json()["data"], json.loads(payload))
        with self.open() as wire:
            wire.upgrade("?uid=u1")
            # S-113: a missing payload counts as an object
            self.assertEqual(wire.send(frame('{"resource":"echo"}')).text(), {"uid": "u1", "action": None, "data": {"id": "u1"}})

    def test_envelopes(self):
        # S-111, S-112, S-118: members of a request
        table = [
            ('{"resource":"echo","action":"a","payload":1,"id":7}', {"uid": None, "action": "a", "data": 1, "id": 7}),
            ('{"resource":"echo","action":"a","payload":1,"id":"x","other":2}', {"uid": None, "action": "a", "data": 1, "id": "x"}),
            ('{"resource":"echo"}', {"uid": None, "action": None, "data": {}}),
            ('{"resource":"echo","action":"a","action":"b"}', 400), ('{"resource":"echo","resource":"echo"}', 400),
            ('{"resource":"echo","payload":1,"payload":2}', 400), ('{"resource":"echo","id":1,"id":1}', 400),
            ('{"resource":"echo","action":1}', 400), ('{"resource":"echo","id":{}}', 400), ('{"resource":"echo","id":null}', 400),
            ('{"resource":1}', 400), ("[]", 400), ("1", 400), ('{"action":"a"}', 400), ('{"resource":"nope","id":3}', 404),
            ('{"resource":"/echo"}', 404), ('{"resource":"ECHO"}', 404),
        ]
        with self.open() as wire:
            wire.upgrade()
            for message, expected in table:
                with self.subTest(message):
                    reply = wire.send(frame(message)).text()
                    if isinstance(expected, dict):
                        self.assertEqual(reply, expected)
                    else:
                        self.assertEqual((reply["status"], reply["success"], reply["data"]), (expected, False, None))
            self.assertEqual(reply["uid"], None)

    def test_accessors_in_payloads(self):
        # values that look like accessors are plain text
        payload = {"a": "$ENV.WALLET_TOKEN_KEY", "b": "$HEADER.Host", "$ENV.HOME": "$PAYLOAD", "c": ["$DATETIME"]}
        text, response = self.over_both(json.dumps(payload).encode())
        self.assertEqual((json.loads(text)["data"], response.json()["data"]), (payload, payload))


if __name__ == "__main__":
    hosts.main()
