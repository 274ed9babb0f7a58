#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our HTTP parser against node's: thousands of inputs, made by a seeded generator from good requests and from a list of
nasty ones. Where the two disagree, the kind of disagreement must stand in http_disagreements.md, with a verdict by RFC
9112 or 9110; anything else fails, with the input.

  http_differential.py --reader build/PRESET/tests/fuzz/http_reader [--cases N] [--seed S] [--show]
"""
import argparse
import base64
import json
import os
import random
import re
import struct
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "http_disagreements.md")
HOST = b"Host: a\r\n"


def request(line, lines=HOST, body=b""):
    return line + b"\r\n" + lines + b"\r\n" + body


def chunked(body, lines=HOST):
    return request(b"POST /a HTTP/1.1", lines + b"Transfer-Encoding: chunked\r\n", body)


GOOD = [
    request(b"GET / HTTP/1.1"),
    request(b"GET /wallet?a=b%20c&d HTTP/1.1", HOST + b"Accept: */*\r\nX-Trace:\t one \r\n"),
    request(b"POST /fetch-balance HTTP/1.1", HOST + b"Content-Length: 8\r\n", b'{"a":12}'),
    request(b"POST /a HTTP/1.1", HOST + b"Content-Length: 0\r\n"),
    request(b"OPTIONS * HTTP/1.1"),
    request(b"PUT /a/b/ HTTP/1.1", HOST + b"Connection: close\r\nContent-Length: 1\r\n", b"x"),
    request(b"GET /a HTTP/1.0", b""),
    request(b"DELETE /%E2%82%AC/%41 HTTP/1.1"),
    request(b"GET /ws?uid=u HTTP/1.1", HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"),
    request(b"POST /a HTTP/1.1", HOST + b"Expect: 100-continue\r\nContent-Length: 2\r\n", b"{}"),
    chunked(b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"),
    chunked(b"a;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"),
    chunked(b"0\r\n\r\n"),
]

NASTY = [request(b"POST /a HTTP/1.1", HOST + lines, body) for lines, body in [
    (b"Content-Length: 5\r\nContent-Length: 5\r\n", b"abcde"),
    (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"abcdef"),
    (b"Content-Length: 5, 5\r\n", b"abcde"),
    (b"Content-Length: +5\r\n", b"abcde"),
    (b"Content-Length: -1\r\n", b""),
    (b"Content-Length: 0x5\r\n", b"abcde"),
    (b"Content-Length: 5 \r\n", b"abcde"),
    (b"Content-Length:5\r\n", b"abcde"),
    (b"Content-Length: 5;\r\n", b"abcde"),
    (b"Content-Length: \r\n", b""),
    (b"Content-Length: 18446744073709551621\r\n", b"abcde"),
    (b"Content-Length : 5\r\n", b"abcde"),
    (b"Content_Length: 5\r\n", b"abcde"),
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: gzip\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: Chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding: chunked;q=1\r\n", b"0\r\n\r\n"),
    (b"Transfer-Encoding:\r\n", b"0\r\n\r\n"),
    (b"X: a\r\n b\r\n", b""),
    (b" X: a\r\n", b""),
    (b"X\r\n", b""),
    (b": a\r\n", b""),
    (b"X: a\0b\r\n", b""),
    (b"X: a\rb\r\n", b""),
    (b"X: a\nY: b\r\n", b""),
    (b"X: \x7f\r\n", b""),
    (b"X: \x01\r\n", b""),
    (b"X: caf\xc3\xa9 \xff\r\n", b""),
    (b"X\xc3\xa9: a\r\n", b""),
    (b"X(y): a\r\n", b""),
    (b"X[y]: a\r\n", b""),
    (b"Connection: close, keep-alive\r\n", b""),
    (b"Connection: keep-alive\r\nConnection: close\r\n", b""),
    (b"Expect: 100-continue, x\r\nContent-Length: 1\r\n", b"a"),
    (b"Expect:\r\n", b""),
    (HOST, b""),
    (b"host: b\r\n", b""),
]] + [request(line, lines) for line, lines in [
    (b"GET /a HTTP/1.1", b""),
    (b"GET /a HTTP/1.1", b"Host:\r\n"),
    (b"GET /a HTTP/1.1", b"Host: a b\r\n"),
    (b"GET /a HTTP/1.1", b"Host: u@a\r\n"),
    (b"GET /a HTTP/1.1", b"Host: a:b\r\n"),
    (b"GET /a HTTP/1.1", b"Host: a:80\r\n"),
    (b"GET /a HTTP/1.1", b"Host: [::1]:80\r\n"),
    (b"GET /a HTTP/1.1", b"Host: [::1\r\n"),
    (b"GET /a HTTP/1.1", b"Host: a/b\r\n"),
    (b"GET /a HTTP/1.1", b"Host: a,b\r\n"),
    (b"GET /a HTTP/1.1", b"Host: %61\r\n"),
    (b"GET http://a/b HTTP/1.1", HOST),
    (b"GET a HTTP/1.1", HOST),
    (b"GET * HTTP/1.1", HOST),
    (b"GET  /a HTTP/1.1", HOST),
    (b"GET /a  HTTP/1.1", HOST),
    (b"GET /a HTTP/1.1 ", HOST),
    (b"GET /a b HTTP/1.1", HOST),
    (b" GET /a HTTP/1.1", HOST),
    (b"GET\t/a HTTP/1.1", HOST),
    (b"GET /a", HOST),
    (b"GET /a HTTP/1", HOST),
    (b"GET /a HTTP/1.2", HOST),
    (b"GET /a HTTP/1.10", HOST),
    (b"GET /a HTTP/01.1", HOST),
    (b"GET /a HTTP/0.9", HOST),
    (b"GET /a HTTP/2.0", HOST),
    (b"GET /a http/1.1", HOST),
    (b"GET /a ICE/1.0", HOST),
    (b"get /a HTTP/1.1", HOST),
    (b"BREW /a HTTP/1.1", HOST),
    (b"G@T /a HTTP/1.1", HOST),
    (b"POST% /a HTTP/1.1", HOST),
    (b"CONNECT a:80 HTTP/1.1", HOST),
    (b"PRI * HTTP/2.0", b""),
    (b"GET /a#b HTTP/1.1", HOST),
    (b"GET /%2e%2e/a HTTP/1.1", HOST),
    (b"GET /../a HTTP/1.1", HOST),
    (b"GET //a HTTP/1.1", HOST),
    (b"GET /a%2Fb HTTP/1.1", HOST),
    (b"GET /a%00 HTTP/1.1", HOST),
    (b"GET /a%FF HTTP/1.1", HOST),
    (b"GET /a%4 HTTP/1.1", HOST),
    (b"GET /\xc3\xa9 HTTP/1.1", HOST),
    (b"GET /a?\x7f HTTP/1.1", HOST),
    (b"GET /a?{|}\"<>\\^` HTTP/1.1", HOST),
    (b"GET /a?b HTTP/1.0", b"Connection: keep-alive\r\n"),
]] + [chunked(body) for body in [
    b"0\r\n", b"0\n\n", b"0\r\n\r\n\r\n", b"00000000\r\n\r\n", b"4 \r\nWiki\r\n0\r\n\r\n", b" 4\r\nWiki\r\n0\r\n\r\n",
    b"4\t\r\nWiki\r\n0\r\n\r\n", b"0x4\r\nWiki\r\n0\r\n\r\n", b"+4\r\nWiki\r\n0\r\n\r\n", b"-4\r\nWiki\r\n0\r\n\r\n",
    b"4\nWiki\r\n0\r\n\r\n", b"4\r\nWiki\n0\r\n\r\n", b"4\r\nWikiX\r\n0\r\n\r\n", b"4\r\nWik\r\n0\r\n\r\n",
    b"5\r\nWiki\r\n0\r\n\r\n", b"\r\n4\r\nWiki\r\n0\r\n\r\n", b"4;\r\nWiki\r\n0\r\n\r\n", b"4;a\r\nWiki\r\n0\r\n\r\n",
    b"4;a=b;c=\"d;e\"\r\nWiki\r\n0\r\n\r\n", b"4;a\nb\r\nWiki\r\n0\r\n\r\n", b"4;a=\"\r\nWiki\r\n0\r\n\r\n",
    b"4;a=\"b\"c\r\nWiki\r\n0\r\n\r\n", b"4;a=b/c\r\nWiki\r\n0\r\n\r\n", b"0\r\n\r\xa2",
    b"4;a = b\r\nWiki\r\n0\r\n\r\n", b"4;=y\r\nWiki\r\n0\r\n\r\n",
    b"4 ;a\r\nWiki\r\n0\r\n\r\n", b"4; a = b\r\nWiki\r\n0\r\n\r\n", b"4;\xff\r\nWiki\r\n0\r\n\r\n", b"4;\0\r\nWiki\r\n0\r\n\r\n",
    b"4\r\nWiki\r\n0\r\nContent-Length: 9\r\n\r\n", b"4\r\nWiki\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"4\r\nWiki\r\n0\r\nX : y\r\n\r\n", b"4\r\nWiki\r\n0\r\n folded\r\n\r\n", b"4\r\nWiki\r\n0\r\nX\r\n\r\n",
    b"ffffffffffffffff\r\n", b"10000000000000000\r\n", b"0000000000000000004\r\nWiki\r\n0\r\n\r\n", b"g\r\n",
    b"4\r\r\nWiki\r\n0\r\n\r\n", b"4\r\nWiki\r\n0\r\n\rX\n", b"4,\r\nWiki\r\n0\r\n\r\n",
]] + [
    b"\r\n" + GOOD[0], b"\r\n\r\n" + GOOD[0], b"\n" + GOOD[0], b"\r" + GOOD[0], b" " + GOOD[0], b"\0" + GOOD[0],
    GOOD[0] + request(b"GET /a HTTP/1.1", b""), GOOD[8] + GOOD[0], GOOD[8] + request(b"GET / HTTP/1.1", b"X\r\n"),
    request(b"GET /\nX: y"), GOOD[0].replace(b"\r\n", b"\n"), GOOD[0].replace(b"\r\n", b"\r"), GOOD[0][:-2] + b"\n", GOOD[0] + b"junk",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", GOOD[2] + b"\r\n" + GOOD[0],
    request(b"POST /a HTTP/1.0", HOST + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    request(b"GET /a HTTP/1.1", HOST + b"Content-Length: 3\r\n", b"abc"),
]

PIECES = [b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b"\x7f", b"\x80", b"\xff", b":", b";", b",", b"=", b"\"", b"/", b"//", b".",
          b"..", b"%", b"%2F", b"%2e", b"%00", b"?", b"#", b"@", b"[", b"]", b"*", b"+", b"-", b"0", b"1", b"7", b"f", b"_",
          b"chunked", b"close", b"HTTP/1.1", b"Host: b\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"]


def mutated(rng, pool):
    data = bytearray(rng.choice(pool))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            data[at:at] = rng.choice(PIECES)
        elif kind == 1:
            data[at:at + 1] = rng.choice(PIECES)
        elif kind == 2:
            del data[at:at + rng.choice((1, 1, 2, 4))]
        elif kind == 3:
            data[at:at + 1] = bytes([rng.randrange(256)])
        elif kind == 4:
            data[at:at + 1] = data[at:at + 1].swapcase()
        else:  # a line twice, or elsewhere
            lines = bytes(data).split(b"\r\n")
            line = rng.choice(lines)
            lines.insert(rng.randrange(len(lines) + 1), line)
            data = bytearray(b"\r\n".join(lines))
    return bytes(data)


def make_cases(count, seed):
    rng = random.Random(seed)
    cases = GOOD + NASTY
    pool = GOOD * 4 + NASTY
    while len(cases) < count:
        case = mutated(rng, pool)
        if rng.randrange(8) == 0:
            case += rng.choice(GOOD)
        cases.append(case)
    return cases


def ask(command, cases):
    """The answers of one process to all cases."""
    sent = b"".join(struct.pack(">I", len(case)) + case for case in cases)
    done = subprocess.run(command, input=sent, stdout=subprocess.PIPE, check=True, timeout=300)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(answers) != len(cases):
        raise SystemExit(f"{command}: {len(answers)} answers to {len(cases)} cases")
    return answers


def plain(text):
    return base64.b64decode(text)


def difference(ours, theirs):
    """The first thing in which two readings of one request differ, or None."""
    target = plain(theirs["target"])
    path, _, query = target.partition(b"?")
    if ours["method"] != theirs["method"]:
        return "method"
    if plain(ours["path"]) != urllib.parse.unquote_to_bytes(path) or plain(ours["query"]) != query:
        return "target"
    if ours["headers"] != theirs["headers"]:
        return "headers"
    return "body" if ours["body"] != theirs["body"] else None


def kind_of(ours, theirs):
    """What kind of disagreement it is, or None."""
    us, them = ours["requests"], theirs["requests"]
    if ours["end"] == "closed":  # what follows is for nobody
        them, theirs = them[:len(us)], {"end": "closed" if len(them) >= len(us) else theirs["end"]}
    for one, other in zip(us, them):
        field = difference(one, other)
        if field:
            return f"both accept, but the {field} differs"
    if len(us) > len(them):
        return f"we accept; node {theirs['end']}"
    if ours["end"].startswith("refused"):
        return None if theirs["end"].startswith("refused") else f"we {ours['end']}; node does not"
    if len(them) > len(us):
        return f"we {ours['end']}; node accepts"
    if not theirs["end"].startswith("refused"):
        return None
    if ours["end"] == "unfinished head":
        return "we judge a head when it is whole; node refuses its beginning"
    return "we judge a line of a body when it is whole; node refuses its beginning"


def read_table():
    """kind -> verdict, and the major version of node that it was judged with."""
    with open(TABLE, encoding="utf-8") as file:
        text = file.read()
    rows = re.findall(r"^\| `(.+?)` \|.*\| (we|node|both) \|[^|]+\|$", text, re.M)
    return dict(rows), re.search(r"node (\d+)", text).group(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reader", required=True)
    parser.add_argument("--node", default="node")
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="an example of each kind")
    options = parser.parse_args()
    cases = make_cases(options.cases, options.seed)
    ours = ask([options.reader], cases)
    theirs = ask([options.node, os.path.join(HERE, "http_node_peer.mjs")], cases)
    kinds = {}
    for case, one, other in zip(cases, ours, theirs):
        kind = kind_of(one, other)
        if kind:
            kinds.setdefault(kind, []).append(case)
    known, judged_with = read_table()
    accepted = sum(1 for one in ours if one["requests"])
    print(f"{len(cases)} inputs, {accepted} with a request that we accept, "
          f"{sum(map(len, kinds.values()))} disagreements of {len(kinds)} kinds")
    failed = False
    for kind, examples in sorted(kinds.items()):
        if options.show:
            print(f"{len(examples):5} {kind}\n      {min(examples, key=len)!r}")
        if kind not in known:
            failed = True
            print(f"NOT JUDGED in {os.path.basename(TABLE)}: {kind}\n  {min(examples, key=len)!r}")
    version = subprocess.run([options.node, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
    if version.startswith(f"v{judged_with}."):
        for kind in sorted(set(known) - set(kinds)):
            failed = True
            print(f"JUDGED in {os.path.basename(TABLE)}, but no input shows it: {kind}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
