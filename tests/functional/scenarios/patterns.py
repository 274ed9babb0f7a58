# SPDX-License-Identifier: Apache-2.0
"""Compares what came with what a scenario expects.

JSON is compared by value, numbers by their digits (1 is not 1.0), members in any order. Wildcards: the whole strings of
WILDCARDS; `…` inside a string stands for any text; a member `"…"` of an object allows members that are not named.
"""
import base64
import hashlib
import hmac
import json
import re

WILDCARDS = {
    "<any>": ".*",
    "<text>": ".+",
    "<uuid>": r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "<uuidv7>": r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    "<ulid>": r"[0-7][0-9A-HJKMNP-TV-Z]{25}",
    "<nanoid>": r"[A-Za-z0-9_-]{21}",
    "<ksuid>": r"[0-9A-Za-z]{27}",
    "<cuid>": r"c[0-9a-z]{24}",
    "<cuid2>": r"[a-z][0-9a-z]{23}",
    "<shortuuid>": r"[2-9A-HJ-NP-Za-km-z]{22}",
    "<slugid>": r"[A-Za-f][A-Za-z0-9_-]{21}",
    "<bson>": r"[0-9a-f]{24}",
    "<uniqid>": r"[0-9a-z]{18}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<token>": r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
}


class Number(str):
    """A JSON number as it is written."""

    def __repr__(self):
        return str(self)


def _members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def parse(text):
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=_members)


def text_of(value):
    """JSON again, numbers as they were written."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{text_of(str(name))}:{text_of(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def text_matches(pattern, text):
    parts = [re.escape(part) for part in pattern.split("…")]
    return re.fullmatch(".*".join(parts), text, re.S) is not None


def _difference(pattern, got, path):
    where = path or "the reply"
    if isinstance(pattern, str) and not isinstance(pattern, Number):
        if pattern == "<any>":
            return None
        if pattern == "<number>":
            return None if isinstance(got, Number) else f"{where}: {got!r} is no number"
        if not isinstance(got, str) or isinstance(got, Number):
            return f"{where}: expected {pattern!r}, got {got!r}"
        if pattern in WILDCARDS:
            return None if re.fullmatch(WILDCARDS[pattern], got, re.S) else f"{where}: {got!r} is no {pattern}"
        return None if text_matches(pattern, got) else f"{where}: expected {pattern!r}, got {got!r}"
    if type(pattern) is not type(got):
        return f"{where}: expected {pattern!r}, got {got!r}"
    if isinstance(pattern, dict):
        if "…" not in pattern and (extra := set(got) - set(pattern)):
            return f"{where}: unexpected member {sorted(extra)[0]!r}"
        for key in pattern:
            if key == "…":
                continue
            if key not in got:
                return f"{where}: no member {key!r}"
            if difference := _difference(pattern[key], got[key], f"{path}.{key}".lstrip(".")):
                return difference
        return None
    if isinstance(pattern, list):
        if len(pattern) != len(got):
            return f"{where}: expected {len(pattern)} elements, got {len(got)}"
        for index, (want, have) in enumerate(zip(pattern, got)):
            if difference := _difference(want, have, f"{path}.{index}".lstrip(".")):
                return difference
        return None
    return None if pattern == got else f"{where}: expected {pattern!r}, got {got!r}"


def compare(pattern, text):
    """None, or what differs. A pattern that is no JSON is compared as text."""
    try:
        wanted = parse(pattern)
    except ValueError:
        return None if text_matches(pattern, text) else f"expected {pattern}"
    try:
        got = parse(text)
    except ValueError as problem:
        return f"not JSON ({problem})"
    return _difference(wanted, got, "")


def envelope(pattern):
    """`data JSON`, `accepted` and `error CODE [message]` stand for the whole HTTP reply of success and failure."""
    word, _, rest = pattern.partition(" ")
    if pattern == "accepted":
        return '{"success":true,"message":"Accepted","data":null}'
    if word == "data":
        return '{"success":true,"message":"Operation Successful","data":' + rest + "}"
    if word == "error":
        code, _, message = rest.partition(" ")
        return json.dumps({"success": False, "message": message or "<text>", "data": None,
                           "error": {"code": code, "details": "<any>"}}, ensure_ascii=False)
    return pattern


def short(status, text):
    """The other way round: how a scenario writes such a reply."""
    reply = parse(text)
    if reply.get("message") == "Accepted":
        return f"{status} accepted"
    if "error" in reply:
        return f"{status} error {reply['error']['code']} {reply['message']}"
    return f"{status} data {text_of(reply['data'])}"


def value_at(text, path):
    value = parse(text)
    for segment in path.split("."):
        value = value[int(segment)] if isinstance(value, list) else value[segment]
    return value if isinstance(value, str) else json.dumps(value)


def signed_token(key, claims):
    def encode(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    signed = encode(b'{"alg":"HS256","typ":"JWT"}') + "." + encode(claims.encode())
    return signed + "." + encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha256))


def log_member(line, name):
    """A member of a log line in JSON; other lines are all message."""
    try:
        return str(json.loads(line).get(name, ""))
    except ValueError:
        return line if name == "message" else ""
