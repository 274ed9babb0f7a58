# SPDX-License-Identifier: Apache-2.0
"""Hashes of passwords against the real binary: other people's libraries take ours and we theirs; a bounded pool of their own."""

import json
import signal
import threading
import time
import unittest

import argon2
import bcrypt

import host as hosts
from metrics_page import Page
from wire import Wire, call_text, frame

PASSWORD = {"field": {"password": {"type": "STRING"}}}


def hashing(name, algorithm, rounds):
    """Gives the hash back in two parts: whole it would stay inside."""
    return {"id": name, "resource": name, "actionables": [
        {"id": 1, "mode": "QUERY", "payload_validation": [PASSWORD],
         "sql_query": {"query": "SELECT substr($1, 1, 20) AS head, substr($1, 21) AS tail, $1 AS whole", "parameters": ["password"]},
         "hashables": [{"property": "password", "algorithm": algorithm, "options": {"rounds_cost": rounds, "salt": "pepper"}}]}]}


def made(reply):
    row = reply["data"]
    return row["head"] + row["tail"]


def comparing(name, algorithm):
    """Compares with what the client says is stored."""
    return {"id": name, "resource": name, "actionables": [
        {"id": 1, "mode": "VALUE", "value": {"id": 7, "password": "$PAYLOAD.stored"}, "payload_validation": [PASSWORD],
         "verify_hashables": [{"property": "password", "algorithm": algorithm}]}]}


PROJECT = {"resources/all.json": [
    hashing("bcrypt", "BCRYPT", 5), hashing("argon2", "ARGON2", 4), hashing("slow", "BCRYPT", 12),
    comparing("bcrypt-check", "BCRYPT"), comparing("argon2-check", "ARGON2"),
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]}]}
PASSWORDS = ["correct horse battery staple", "", "пароль", "🔑" * 18, "x" * 72, "with \"quotes\" and \\", " spaces "]


class Passwords(unittest.TestCase):
    def start(self, **env):
        folder = self.enterContext(hosts.Folder(PROJECT))
        return self.enterContext(hosts.Host(folder.path, "--loops", "1", env=env, secrets=PASSWORDS[:1]))

    def page(self, host):
        return Page(host.request("GET", "/metrics")[2])

    def open(self, host):
        wire = self.enterContext(Wire(host.port))
        self.assertEqual(wire.upgrade("").status, 101)
        return wire

    # spec S-95: what we make is taken by Python's bcrypt and argon2, and what they make by us
    def test_other_peoples_libraries(self):
        host = self.start()
        hasher = argon2.PasswordHasher(time_cost=2, memory_cost=1024, parallelism=4)
        for password in PASSWORDS:
            ours = made(host.call("bcrypt", {"password": password}))
            self.assertTrue(bcrypt.checkpw(password.encode(), ours.encode()), ours)
            self.assertFalse(bcrypt.checkpw(b"!" + password.encode()[:71], ours.encode()), ours)
            theirs = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
            self.check(host, "bcrypt-check", theirs, password)
            ours = made(host.call("argon2", {"password": password}))
            self.assertTrue(hasher.verify(ours, password))
            self.check(host, "argon2-check", hasher.hash(password), password)
        # a password that others cut at 72 bytes is known by all of it, and a new one is not cut
        long = "y" * 80
        theirs = bcrypt.hashpw(long.encode(), bcrypt.gensalt(4)).decode()
        self.check(host, "bcrypt-check", theirs, long)
        self.assertEqual(host.call("bcrypt", {"password": long})["status"], 400)
        self.assertTrue(hasher.verify(made(host.call("argon2", {"password": long})), long))

    def check(self, host, name, stored, password):
        reply = host.call(name, {"password": password, "stored": stored})
        self.assertEqual((reply["status"], reply["data"]), (200, {"id": 7}), password)
        for wrong in ("!" + password, "?"):
            reply = host.call(name, {"password": wrong, "stored": stored})
            self.assertEqual((reply["status"], reply["error"]["code"]), (401, "hash_mismatch"), wrong)

    # spec S-95: no two hashes are alike, whatever the project says of salt
    def test_salts_are_random(self):
        host = self.start()
        for name in ("bcrypt", "argon2"):
            self.assertEqual(len({made(host.call(name, {"password": "same"})) for _ in range(4)}), 4)

    # spec S-95: the hash itself never leaves
    def test_whole_hash_stays(self):
        self.assertEqual(set(self.start().call("bcrypt", {"password": "x"})["data"]), {"head", "tail"})

    # spec S-95: a loop does not wait for a hash
    def test_others_are_answered_meanwhile(self):
        wire = self.open(self.start())
        wire.send(frame(call_text("slow", {"password": "x"}, id=1)) + frame(call_text("echo", {"n": 1}, id=2)))
        self.assertEqual([wire.text()["id"], wire.text()["id"]], [2, 1])

    # spec S-95, S-52: so many may wait, and the next are told so
    def test_too_many(self):
        host = self.start(SUB0_HASH_THREADS="1", SUB0_HASH_QUEUE="2")
        wire = self.open(host)
        wire.send(b"".join(frame(call_text("slow", {"password": "x"}, id=number)) for number in range(8)))
        replies = [wire.text() for _ in range(8)]
        refused = [reply for reply in replies if "error" in reply]
        self.assertEqual({(reply["status"], reply["error"]["code"]) for reply in refused}, {(503, "busy")})
        self.assertIn(len(refused), (5, 6))  # the one thread has begun, or not
        page = self.page(host)
        self.assertEqual(page("sub0_hashes_total", result="refused"), len(refused))
        self.assertEqual(page("sub0_hashes_total", result="done"), 8 - len(refused))
        self.assertEqual(page["sub0_hashes_waiting"], 0)

    # spec S-95: who has gone is not hashed for
    def test_a_client_that_leaves(self):
        host = self.start(SUB0_HASH_THREADS="1")
        first, second = self.open(host), self.open(host)
        first.send(frame(call_text("slow", {"password": "x"})))
        second.send(b"".join(frame(call_text("slow", {"password": "x"}, id=number)) for number in range(20)))
        second.send(frame(call_text("echo", {}, id=99)))
        self.assertEqual(second.text()["id"], 99)
        second.socket.close()
        first.text()
        until = time.monotonic() + hosts.PATIENCE_S
        while self.page(host)["sub0_calls_under_way"] or self.page(host)["sub0_hashes_waiting"]:
            self.assertLess(time.monotonic(), until)
            threading.Event().wait(0.01)
        page = self.page(host)
        self.assertEqual(page["sub0_hashes_total"], 21)
        self.assertGreaterEqual(page("sub0_hashes_total", result="abandoned"), 15)

    # spec S-95; Q-92: a stop waits for a hash as for any call
    def test_a_stop(self):
        host = self.start()
        wire = self.open(host)
        wire.send(frame(call_text("slow", {"password": "x"}, id=1)) + frame(call_text("echo", {}, id=2)))
        self.assertEqual(wire.text()["id"], 2)
        host.signal(signal.SIGTERM)
        reply = wire.text()
        self.assertEqual(reply["id"], 1)
        self.assertTrue(made(reply).startswith("$2b$12$"), json.dumps(reply))


if __name__ == "__main__":
    hosts.main()
