# SPDX-License-Identifier: Apache-2.0
"""The list of revoked tokens (S-74) when things are not as they should be: the database is away, the host is killed, the
resource that revokes comes with a reload."""

import signal
import unittest

import database_away
import host as hosts
from wire import call_text, frame, open_socket

TOKENIZE = {"type": "JWT", "encryption_key": "$ENV.WALLET_TOKEN_KEY"}
PROTECTED = {"provide_as": "x-access-token"}
ME = {"id": "me", "resource": "me", "tokenize": TOKENIZE, "protected": PROTECTED,
      "actionables": [{"id": 1, "mode": "VALUE", "value": "$PROTECTED.id"}]}
LOGOUT = {"id": "logout", "resource": "logout", "tokenize": TOKENIZE, "protected": PROTECTED,
          "invalidate_tokenize": {"tokens": "$HEADER.x-access-token"}}


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
            "INSERT INTO _sub0_revoked_tokens SELECT encode(sha256(n::text::bytea), 'hex'), 32503680000 FROM generate_series(1, 25000) n;"
            "INSERT INTO _sub0_revoked_tokens VALUES ('a line that is no fingerprint', 32503680000), "
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


if __name__ == "__main__":
    hosts.main()
