# SPDX-License-Identifier: Apache-2.0
"""The list of revoked tokens (S-74) when things are not as they should be: the database is away, the host is killed, the
resource that revokes comes with a reload."""

import signal
import time
import unittest

import database_away
import host as hosts
from databases import Lock
from wire import call_text, frame, open_socket

TOKENIZE = {"type": "JWT", "encryption_key": "$ENV.WALLET_TOKEN_KEY"}
PROTECTED = {"provide_as": "x-access-token"}
ME = {"id": "me", "resource": "me", "tokenize": TOKENIZE, "protected": PROTECTED,
      "actionables": [{"id": 1, "mode": "VALUE", "value": "$PROTECTED.id"}]}
LOGOUT = {"id": "logout", "resource": "logout", "tokenize": TOKENIZE, "protected": PROTECTED,
          "invalidate_tokenize": {"tokens": "$HEADER.x-access-token"}}


def wait_until_refused(wire):
    """Calls until the token of the socket is refused; each call waits for its answer."""
    until = time.monotonic() + hosts.PATIENCE_S
    while time.monotonic() < until:
        reply = wire.send(frame(call_text("me"))).text()
        if reply.get("error", {}).get("code") == "token_revoked":
            return
    raise AssertionError("the token is still good")


class SeveralHostsTest(unittest.TestCase):
    """Hosts that share a database (S-74)."""

    def test_others_are_told(self):
        # S-74: what one host revokes the open sockets of another one refuse soon after, and nothing else
        for kind in (hosts.Postgres, hosts.Mariadb):
            with self.subTest(kind.name), kind() as database, hosts.Folder({"resources/all.json": [ME, LOGOUT]}) as folder:
                self.check_others_are_told(database.url, folder.path)

    def check_others_are_told(self, url, folder):
        tokens = [hosts.mint_token(number, folder, "me") for number in range(3)]
        make = lambda: hosts.Host(folder, "--database", url, "--loops", 2, env={"SUB0_REVOCATIONS_READ_MS": "200"})
        with make() as one, make() as other:
            wires = [open_socket(self, other.port, "", f"x-access-token: {token}") for token in tokens]
            for number, wire in enumerate(wires):
                self.assertEqual(wire.send(frame(call_text("me"))).text()["data"], number)
            for number in (0, 1):
                self.assertEqual(one.call("logout", {}, {"x-access-token": tokens[number]})["status"], 200)
                wait_until_refused(wires[number])
            self.assertEqual(wires[2].send(frame(call_text("me"))).text()["data"], 2)
            self.assertEqual(one.count("revocations_stale") + other.count("revocations_stale"), 0)

    def test_one_was_cut_off(self):
        # S-74: what was revoked while a host could not reach the database it learns when it can again
        database = self.enterContext(hosts.Postgres())
        folder = self.enterContext(hosts.Folder({"resources/all.json": [ME, LOGOUT]}))
        relay = database_away.Relay(database.cluster.port)
        self.addCleanup(relay.close)
        token = hosts.mint_token(1, folder.path, "me")
        settings = {"SUB0_REVOCATIONS_READ_MS": "200"}
        one = self.enterContext(hosts.Host(folder.path, "--database", database.url, env=settings))
        other = self.enterContext(hosts.Host(folder.path, "--database", f"postgres://postgres@127.0.0.1:{relay.port}/postgres", env=settings))
        wire = open_socket(self, other.port, "", f"x-access-token: {token}")
        relay.refuse()
        other.wait_for("revocations_stale")
        self.assertEqual(one.call("logout", {}, {"x-access-token": token})["status"], 200)
        self.assertEqual(wire.send(frame(call_text("me"))).text()["data"], 1)
        relay.restore()
        wait_until_refused(wire)


class RevocationsTest(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(hosts.Postgres())
        self.folder = self.enterContext(hosts.Folder({"resources/me.json": ME}))
        self.relay = database_away.Relay(self.database.cluster.port)
        self.addCleanup(self.relay.close)
        self.tokens = [{"x-access-token": hosts.mint_token(number, self.folder.path, "me")} for number in range(3)]

    def make_host(self):
        return hosts.Host(self.folder.path, "--database", f"postgres://postgres@127.0.0.1:{self.relay.port}/postgres", "--loops", 3,
                          env={"SUB0_CALL_DEADLINE_MS": "3000"})

    def call(self, resource, number):
        reply = self.host.call(resource, {}, self.tokens[number])
        return reply["status"], reply.get("error", {}).get("code")

    def test_reload_brings_logout(self):
        # S-74, Q-90: sockets that were open before are told too, on whichever loop they are
        self.host = self.enterContext(self.make_host())
        wires = [open_socket(self, self.host.port, "", f"x-access-token: {self.tokens[0]['x-access-token']}") for _ in range(12)]
        for wire in wires:
            self.assertEqual(wire.send(frame(call_text("me"))).text()["data"], 0)
        self.folder.write("resources/logout.json", LOGOUT)
        self.host.signal(signal.SIGHUP)
        self.host.wait_for("reloaded")
        self.host.wait_until_readyz(200)
        self.assertEqual(self.call("logout", 0), (200, None))
        for wire in wires:
            self.assertEqual(wire.send(frame(call_text("me"))).text()["error"]["code"], "token_revoked")
        self.assertEqual(self.call("me", 1), (200, None))

    def test_database_away(self):
        # S-74, Q-85: as long as nobody can know what was revoked, no token is good; what was not written was not revoked
        self.folder.write("resources/logout.json", LOGOUT)
        with self.make_host() as self.host:
            self.assertEqual(self.call("logout", 0), (200, None))
            self.relay.refuse()
            self.host.wait_until_readyz(503)
            self.assertEqual(self.call("me", 0), (401, "token_revoked"))
            self.assertEqual(self.call("logout", 1), (503, "unavailable"))
            self.assertEqual(self.call("me", 1), (200, None))
        self.host = self.make_host()
        self.host.port = self.host.start("database_away").wait_for("database_away")["port"]
        self.addCleanup(self.host.stop)
        self.assertEqual(self.call("me", 1), (503, "unavailable"))
        self.assertEqual(self.call("logout", 1), (503, "unavailable"))
        self.relay.restore()
        self.host.wait_for("ready")
        self.assertEqual(self.call("me", 0), (401, "token_revoked"))
        self.assertEqual(self.call("me", 1), (200, None))
        self.assertEqual(self.call("logout", 1), (200, None))
        self.assertEqual(self.call("me", 1), (401, "token_revoked"))

    def test_many_survive_a_kill(self):
        # S-74: what was answered is kept, page by page, also where the host ends at once
        self.folder.write("resources/logout.json", LOGOUT)
        with self.make_host() as self.host:
            self.assertEqual(self.call("logout", 0), (200, None))
        self.database.cluster.execute(
            "INSERT INTO _sub0_revoked_tokens (fingerprint, expires_at) SELECT encode(sha256(n::text::bytea), 'hex'), 32503680000 FROM generate_series(1, 25000) n;"
            "INSERT INTO _sub0_revoked_tokens (fingerprint, expires_at) VALUES ('a line that is no fingerprint', 32503680000), "
            "(encode(sha256('x'), 'hex'), 1)")
        self.host = self.make_host()
        self.host.port = self.host.start().wait_for("ready")["port"]
        self.assertEqual(self.call("me", 0), (401, "token_revoked"))
        self.assertEqual(self.call("logout", 2), (200, None))
        self.host.signal(signal.SIGKILL)
        self.host.wait()
        self.assertEqual(self.database.cluster.execute("SELECT count(*) FROM _sub0_revoked_tokens WHERE expires_at = 1"), "0")
        with self.make_host() as self.host:
            self.assertEqual(self.call("me", 2), (401, "token_revoked"))
            self.assertEqual(self.call("me", 0), (401, "token_revoked"))
            self.assertEqual(self.call("me", 1), (200, None))


    def test_what_is_kept(self):
        # S-74, Q-18: fingerprints alone, until the token expires or longer where that is wanted; once however often it is said
        longer = {**LOGOUT, "id": "longer", "resource": "longer", "invalidate_tokenize": {
            "tokens": ["$HEADER.x-access-token", "$HEADER.x-access-token"], "expires_after": 10_000_000}}
        self.folder.write("resources/logout.json", [LOGOUT, longer])
        with self.make_host() as self.host:
            self.assertEqual(self.call("logout", 0), (200, None))
            self.assertEqual(self.call("longer", 1), (200, None))
        rows = self.database.cluster.execute(
            "SELECT string_agg((fingerprint ~ '^[0-9a-f]{64}$')::text || ' ' || (expires_at - extract(epoch FROM now())::int) / 1000000, ', ' "
            "ORDER BY expires_at) FROM _sub0_revoked_tokens")
        self.assertIn(rows, ("true 0, true 9", "true 0, true 10"))

    def test_database_lets_nobody_make_tables(self):
        # S-74, Q-90: a reload whose list cannot be kept is refused, and nothing changes; with a table that the administrator made it is taken
        execute = self.database.cluster.execute
        execute("CREATE ROLE app LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        self.host = self.enterContext(hosts.Host(self.folder.path, "--database",
                                                 f"postgres://app@127.0.0.1:{self.relay.port}/postgres", "--loops", 3))
        self.folder.write("resources/logout.json", LOGOUT)
        self.host.signal(signal.SIGHUP)
        self.assertIn("the list of revoked tokens cannot be read", self.host.wait_for("reload_refused")["message"])
        self.assertIn("permission denied", self.host.wait_for("revocations_unknown")["message"])
        self.assertEqual(self.call("me", 0), (200, None))
        self.assertEqual(self.host.call("logout")["status"], 404)
        execute("CREATE TABLE _sub0_revoked_tokens (fingerprint VARCHAR(64) NOT NULL, expires_at BIGINT NOT NULL, "
                "PRIMARY KEY (fingerprint, expires_at)); GRANT SELECT, INSERT ON _sub0_revoked_tokens TO app")
        self.host.signal(signal.SIGHUP)
        self.host.wait_for("reloaded")
        self.assertEqual(self.call("logout", 0), (200, None))
        self.assertEqual(self.call("me", 0), (401, "token_revoked"))

    def test_reload_loses_no_call(self):
        # while the list is read for the first time nobody is turned away
        self.host = self.enterContext(self.make_host())
        wire = open_socket(self, self.host.port, "", f"x-access-token: {self.tokens[0]['x-access-token']}")
        self.folder.write("resources/logout.json", LOGOUT)
        self.host.signal(signal.SIGHUP)
        while not self.host.count("reloaded"):
            self.assertEqual(wire.send(frame(call_text("me"))).text().get("data"), 0)
        for _ in range(50):
            self.assertEqual(wire.send(frame(call_text("me"))).text().get("data"), 0)

    def test_server_ends_the_connection(self):
        # the connection of the host's own statements was ended while it was idle: the next logout does not notice
        self.folder.write("resources/logout.json", LOGOUT)
        self.host = self.enterContext(self.make_host())
        self.assertEqual(self.call("logout", 0), (200, None))
        self.database.cluster.kill_backends()
        self.host.wait_until_readyz(200)
        self.assertEqual(self.call("logout", 1), (200, None))
        self.assertEqual(self.call("me", 1), (401, "token_revoked"))

    def test_locked_table(self):
        # S-74: at the deadline nobody knows whether it is written, so it is refused; Q-92: a statement that waits does not keep the
        # process from ending
        self.folder.write("resources/logout.json", LOGOUT)
        with self.make_host() as self.host:
            with Lock(self.database.cluster, "LOCK TABLE _sub0_revoked_tokens"):
                self.assertEqual(self.call("logout", 0), (504, "timeout"))
                self.assertEqual(self.call("me", 0), (401, "token_revoked"))
                self.host.signal(signal.SIGTERM)
                self.assertEqual(self.host.wait(), 0)


if __name__ == "__main__":
    hosts.main()
