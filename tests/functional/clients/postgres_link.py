# SPDX-License-Identifier: Apache-2.0
"""What moves PostgreSQL's messages: over TLS, cut into pieces of a few bytes, and from a server that says what is no message."""

import json
import signal
import socket
import threading
import unittest

import host as hosts
from database_away import Relay
from postgres_cluster import PostgresCluster
from wire import call_text, frame, open_socket


def query(name, sql, **more):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {"query": sql, **more}}]}


PROJECT = {"resources/all.json": [
    query("tls", "SELECT ssl, version LIKE 'TLS%' AS is_known FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
    query("same", "SELECT $1::text AS text", parameters=["$PAYLOAD.text"]),
    query("rows", "SELECT i, repeat('x', $1::int) AS text FROM generate_series(1, $2::int) i", parameters=["$PAYLOAD.size", "$PAYLOAD.count"]),
    query("write", "INSERT INTO kept VALUES ($1) RETURNING id", parameters=["$PAYLOAD.id"]),
    query("kept", "SELECT count(*) AS n FROM kept"),
    query("warn", "SELECT warn() AS n"),
    query("number", "SELECT $1::int AS n", parameters=["$PAYLOAD.n"]),
    query("wrong", "SELECT 1 / ($1::int - $1::int) AS n", parameters=["$PAYLOAD.n"]),
]}
SETUP = """
    CREATE TABLE kept (id int PRIMARY KEY);
    CREATE FUNCTION warn() RETURNS int LANGUAGE plpgsql AS $$BEGIN RAISE WARNING '%', repeat('w', 100000); RETURN 1; END$$;
"""
PASSWORD = "p4ss-w0rd"


class ChangingRelay(Relay):
    """Passes on what the server says through `change(bytes)`, which gives pieces."""

    def __init__(self, target_port, change):
        self._change = change
        super().__init__(target_port)

    def connections(self):
        return len(self._pairs)

    def _hand_on(self, data, one, other):
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        is_servers = any(server is one for _, server in self._pairs)
        for piece in self._change(data) if is_servers else [data]:
            other.sendall(piece)


class Calls(unittest.TestCase):
    def start(self, url, **env):
        folder = self.enterContext(hosts.Folder(PROJECT))
        return self.enterContext(hosts.Host(folder.path, "--database", url, "--loops", "1", env=env, secrets=[PASSWORD]))

    def call(self, host, resource, **payload):
        status, _, body = host.request("POST", f"/{resource}", body=payload)
        reply = json.loads(body)
        return status, reply["data"] if status == 200 else reply["message"]

    def check_answers(self, host):
        """Small and large, both ways, many at once, and mistakes in between."""
        large = "a" * 900000
        self.assertEqual(self.call(host, "same", text=large), (200, {"text": large}))
        status, rows = self.call(host, "rows", size=5000, count=150)
        self.assertEqual((status, len(rows), rows[149]), (200, 150, {"i": 150, "text": "x" * 5000}))
        self.assertEqual(self.call(host, "warn"), (200, {"n": 1}))
        wire = open_socket(self, host.port)
        for i in range(400):
            wire.send(frame(call_text("wrong", {"n": i}) if i % 40 == 7 else call_text("same", {"text": f"{i}"})))
        self.assertEqual([wire.text()["data"] for _ in range(400)],
                         [None if i % 40 == 7 else {"text": f"{i}"} for i in range(400)])


class Tls(Calls):
    """A server that takes TLS alone, and a password."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = PostgresCluster()
        cls.addClassCleanup(cls.cluster.remove)
        cls.certificate = cls.cluster.require_tls()
        cls.cluster.start()
        cls.cluster.execute(SETUP + f"CREATE ROLE app LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_signal_backend; GRANT ALL ON kept TO app;")
        cls.url = f"postgres://app:{PASSWORD}@localhost:{cls.cluster.port}/postgres?sslmode=verify-full&sslrootcert={cls.certificate}"

    def test_calls(self):
        host = self.start(self.url)
        self.assertEqual(self.call(host, "tls"), (200, {"ssl": True, "is_known": True}))
        self.check_answers(host)
        self.assertEqual(self.call(host, "write", id=1), (200, {"id": 1}))

    def test_a_connection_that_is_killed_comes_back(self):
        host = self.start(self.url)
        self.assertEqual(self.call(host, "tls")[0], 200)
        lost = host.count("plugin")
        self.cluster.kill_backends()
        host.wait_for_count("plugin", lost + 1)
        host.wait_until_readyz(200)
        self.assertEqual(self.call(host, "tls"), (200, {"ssl": True, "is_known": True}))
        self.assertIn("terminating connection due to administrator command", host.log())

    def test_a_row_past_the_limit_is_refused(self):
        host = self.start(self.url, SUB0_RESULT_LIMIT="100000")
        self.assertEqual(self.call(host, "rows", size=30000000, count=1)[0], 500)
        self.assertEqual(self.call(host, "rows", size=1000, count=1000)[0], 500)
        self.assertEqual(self.call(host, "same", text="a"), (200, {"text": "a"}))


class Frozen(Calls):
    """A server that is there and says nothing."""

    def setUp(self):
        self.cluster = self.enterContext(hosts.Postgres()).cluster
        self.cluster.execute(SETUP)

    def test_a_silent_server_is_noticed_though_nobody_calls(self):
        host = self.start(self.cluster.url)
        host.wait_until_readyz(200)
        self.cluster.freeze()
        host.wait_until_readyz(503)
        self.assertEqual(self.call(host, "same", text="a")[0], 503)
        self.assertIn("the server does not answer", host.log())
        self.cluster.thaw()
        host.wait_until_readyz(200)
        self.assertEqual(self.call(host, "same", text="a"), (200, {"text": "a"}))

    def test_the_host_stops_though_the_server_is_silent(self):
        logout = {"id": "logout", "resource": "logout", "tokenize": {"type": "JWT", "encryption_key": "$ENV.WALLET_TOKEN_KEY"},
                  "protected": {"provide_as": "x-access-token"}, "invalidate_tokenize": {"tokens": "$HEADER.x-access-token"}}
        folder = self.enterContext(hosts.Folder({"resources/all.json": [logout, *PROJECT["resources/all.json"]]}))
        for signals in ([], [signal.SIGHUP]):
            with self.subTest(signals=signals), hosts.Host(folder.path, "--database", self.cluster.url) as host:
                host.wait_until_readyz(200)
                self.cluster.freeze()
                try:
                    for each in signals:
                        host.signal(each)
                    host.stop()
                finally:
                    self.cluster.thaw()
                self.assertNotIn("have not stopped in time", host.log())


class Pieces(Calls):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Postgres())
        cls.database.cluster.execute(SETUP)

    def relay(self, change):
        relay = ChangingRelay(self.database.cluster.port, change)
        self.addCleanup(relay.close)
        return relay, self.database.url.replace(f":{self.database.cluster.port}/", f":{relay.port}/")

    def test_messages_come_in_pieces(self):
        def cut(data):
            head = data[:2000]  # the rest at once, else it takes minutes
            return [head[i:i + 3] for i in range(0, len(head), 3)] + [data[2000:]]
        _, url = self.relay(cut)
        self.check_answers(self.start(url))

    def test_what_is_no_message_costs_the_connection_alone(self):
        spoilt = threading.Event()

        def spoil(data):
            if b"spoil" in data and not spoilt.is_set():
                spoilt.set()
                return [b"\x00\x00garbage" + data]
            return [data]
        relay, url = self.relay(spoil)
        host = self.start(url)
        self.assertEqual(self.call(host, "same", text="a"), (200, {"text": "a"}))
        before = relay.connections()
        self.assertEqual(self.call(host, "same", text="spoil")[0], 503)
        host.wait_until_readyz(200)
        self.assertEqual(self.call(host, "same", text="spoil"), (200, {"text": "spoil"}))
        self.assertEqual(relay.connections(), before + 1)
        self.assertIn("no message of its protocol", host.log())

    def test_an_error_that_is_too_large_costs_nothing(self):
        host = self.start(self.database.url, SUB0_RESULT_LIMIT="1024", MAX_PAYLOAD_LIMIT="8000000")
        self.assertEqual(self.call(host, "number", n="x" * 7000000)[0], 500)
        self.assertEqual(self.call(host, "number", n="7"), (200, {"n": 7}))
        self.assertNotIn("is lost", host.log())

    def test_a_write_whose_answer_is_cut_off_is_told_as_unknown(self):
        is_cut = threading.Event()

        def cut(data):
            if b"INSERT 0 1\0" in data:
                is_cut.set()
                raise OSError
            return [data]
        _, url = self.relay(cut)
        host = self.start(url)
        status, message = self.call(host, "write", id=7)
        self.assertEqual(status, 503)
        self.assertIn("whether the change was made is not known", message)
        self.assertTrue(is_cut.is_set())
        self.assertEqual(self.database.cluster.execute("SELECT id FROM kept"), "7")


if __name__ == "__main__":
    unittest.main()
