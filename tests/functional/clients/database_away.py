# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL that is away, comes back, cannot be reached, answers nothing, or takes few connections. Between the host and the
server stands a relay of the test's, so that the address itself can fail."""

import collections
import contextlib
import socket
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame


def query(name, sql):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {"query": sql}}]}


PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    query("one", "SELECT 1 AS one"),
    query("write", "UPDATE held SET a = a + 1 RETURNING a"),
    query("backend", "SELECT pg_backend_pid() AS pid"),
    query("own", "SELECT set_config('a.b', 'c', false) AS a"),
]}
SETUP = "CREATE TABLE held (a INTEGER); INSERT INTO held VALUES (0)"


class Relay:
    """A port that stands before a server's. `mode`: "pass" hands all on; "freeze" takes connections and bytes and hands
    nothing on; "refuse" listens no more; "full" has a queue of connections that is full, so that not even a connection is
    answered."""

    def __init__(self, target_port):
        self._target_port = target_port
        self._listener = self._listen(0, 64)
        self.port = self._listener.getsockname()[1]
        self._fillers = []
        self._pairs = []
        self._is_passing = threading.Event()
        self._is_passing.set()
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    @staticmethod
    def _listen(port, backlog):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(backlog)
        return listener

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target_port), timeout=hosts.PATIENCE_S)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._pairs.append((client, server))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, one, other):
        try:
            while data := one.recv(65536):
                self._is_passing.wait()
                self._hand_on(data, one, other)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _hand_on(self, data, _, other):
        other.sendall(data)

    def _close_listener(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _cut(self):
        for pair in self._pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()
        self._pairs.clear()

    def freeze(self):
        self._is_passing.clear()

    def refuse(self):
        self._close_listener()
        self._cut()

    def fill(self):
        """Nothing accepts, and the queue is full: further connections get no answer at all."""
        self.refuse()
        self._listener = self._listen(self.port, 0)
        while True:
            filler = socket.socket()
            filler.setblocking(False)
            self._fillers.append(filler)
            filler.connect_ex(("127.0.0.1", self.port))
            if len(self._fillers) >= 4:
                return

    def restore(self):
        self._is_passing.set()
        if self._listener.fileno() >= 0 and self._fillers:
            self._close_listener()
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._listener.fileno() < 0:
            self._listener = self._listen(self.port, 64)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self):
        self._is_passing.set()
        self._close_listener()
        for filler in self._fillers:
            filler.close()
        self._cut()


class Caller(threading.Thread):
    """Calls without pause on one connection, four at a time; each call must have one reply, in order."""

    def __init__(self, port):
        super().__init__()
        self._port = port
        self._is_over = threading.Event()
        self.statuses = collections.Counter()
        self.written = []
        self.maybe_written = 0
        self.sent = 0
        self.wrong = []
        self.failure = None

    def run(self):
        try:
            with Wire(self._port) as wire:
                wire.upgrade()
                expected = collections.deque()
                while expected or not self._is_over.is_set():
                    while len(expected) < 4 and not self._is_over.is_set():
                        name = ("one", "write", "echo")[self.sent % 3]
                        wire.send(frame(call_text(name, self.sent, action=str(self.sent))))
                        expected.append((name, self.sent))
                        self.sent += 1
                    self.take(wire.next_text(), *expected.popleft())
        except Exception as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure

    def take(self, reply, name, number):
        status = reply.get("status", 200)
        self.statuses[name, status] += 1
        good = reply["action"] == str(number)
        if name == "echo":
            good = good and reply.get("data") == number
        elif status == 200 and name == "one":
            good = good and reply["data"] == {"one": 1}
        elif status == 200:
            self.written.append(reply["data"]["a"])
        else:
            good = good and (status, reply["error"]["code"]) in ((503, "unavailable"), (504, "timeout"))
            self.maybe_written += name == "write"
        if not good:
            self.wrong.append((name, number, reply))

    def wait_for(self, name, is_good, more):
        """Until so many more calls of that resource have ended well, or badly."""
        def count():
            return sum(times for (resource, status), times in list(self.statuses.items())
                       if resource == name and (status == 200) == is_good)
        wanted = count() + more
        until = time.monotonic() + hosts.PATIENCE_S
        pause = threading.Event()
        while count() < wanted:
            if time.monotonic() > until or self.failure:
                raise AssertionError(f"no {more} replies of {name}: {self.statuses} {self.failure!r}")
            pause.wait(0.01)

    def finish(self):
        self._is_over.set()
        self.join(hosts.PATIENCE_S)


class AwayTest(unittest.TestCase):
    deadline_ms = 3000

    def setUp(self):
        self.database = self.enterContext(hosts.Postgres())
        self.cluster = self.database.cluster
        self.cluster.execute(SETUP)
        self.folder = self.enterContext(hosts.Folder(PROJECT))
        self.relay = Relay(self.cluster.port)
        self.addCleanup(self.relay.close)

    def make_host(self, port, loops=2, user="postgres"):
        return hosts.Host(self.folder.path, "--database", f"postgres://{user}@127.0.0.1:{port}/postgres", "--loops", loops,
                          env={"SUB0_CALL_DEADLINE_MS": str(self.deadline_ms)})

    def start(self, *arguments, **more):
        self.host = self.enterContext(self.make_host(*arguments, **more))

    def expect_away(self):
        self.host.wait_until_readyz(503)
        self.assertEqual(self.host.request("GET", "/healthz")[0], 200)
        self.assertEqual(self.host.call("echo", 1)["data"], 1)
        reply = self.host.call("one")
        self.assertIn((reply["status"], reply["error"]["code"]), ((503, "unavailable"), (504, "timeout")))
        self.assertNotIn(str(self.relay.port), reply["message"])

    def expect_back(self):
        self.host.wait_until_readyz(200)
        self.assertEqual(self.host.call("one")["data"], {"one": 1})


class UnderLoad(AwayTest):
    def check(self, go_away, come_back):
        """Q-85: away under load: clear errors in bounded time, recovery by itself, no reply lost or doubled."""
        callers = [Caller(self.host.port) for _ in range(4)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(2):
                for caller in callers:
                    caller.wait_for("write", True, 20)
                go_away()
                self.host.wait_until_readyz(503)
                for caller in callers:
                    caller.wait_for("write", False, 5)
                    caller.wait_for("echo", True, 5)
                come_back()
                self.host.wait_until_readyz(200)
                for caller in callers:
                    caller.wait_for("write", True, 20)
        finally:
            for caller in callers:
                caller.finish()
        for caller in callers:
            self.assertIsNone(caller.failure)
            self.assertEqual(caller.wrong, [])
            self.assertEqual(sum(caller.statuses.values()), caller.sent)
        written = [value for caller in callers for value in caller.written]
        self.assertEqual(len(set(written)), len(written), "a write was answered twice")
        total = int(self.cluster.execute("SELECT a FROM held"))
        self.assertGreaterEqual(total, len(written))
        self.assertLessEqual(total, len(written) + sum(caller.maybe_written for caller in callers))
        print(sum((caller.statuses for caller in callers), collections.Counter()))
        return callers

    def test_cluster_stops(self):
        # the server is stopped and started
        self.start(self.cluster.port)
        self.check(self.cluster.stop, self.cluster.start)

    def test_nobody_listens(self):
        # the address refuses connections, and those that there were are cut
        self.start(self.relay.port)
        self.check(self.relay.refuse, self.relay.restore)

    def test_no_answer(self):
        # connections stay open and nothing comes: calls end at their deadline, and the connection is given up
        self.start(self.relay.port)
        callers = self.check(self.relay.freeze, self.relay.restore)
        self.assertGreater(sum(caller.statuses["one", 503] for caller in callers), 0)
        self.assertIn("the server does not answer", self.host.log())


class AtStart(AwayTest):
    def start_away(self):
        host = self.make_host(self.relay.port)
        host.port = host.start("database_away").wait_for("database_away")["port"]
        self.addCleanup(host.stop)
        self.host = host

    def check(self, go_away):
        go_away()
        self.start_away()
        self.expect_away()
        self.relay.restore()
        self.host.wait_for("ready")
        self.expect_back()

    def test_nobody_listens(self):
        # a port nobody listens on
        self.check(self.relay.refuse)

    def test_address_does_not_answer(self):
        # an address that answers no packet
        self.check(self.relay.fill)

    def test_server_says_nothing(self):
        # an address that takes the connection and says nothing
        self.check(self.relay.freeze)


class FewConnections(AwayTest):
    rounds = 0

    def setUp(self):
        super().setUp()
        self.cluster.execute("CREATE ROLE few LOGIN; ALTER ROLE few CONNECTION LIMIT 2; GRANT ALL ON held TO few")

    def backend(self):
        """The one server process that answers calls on many connections, which the loops share out among them. A statement that
        calls functions has a connection of its own until the host has looked them up: asked until there is one process only."""
        until = time.monotonic() + hosts.PATIENCE_S
        while len(found := self.backends()) != 1:
            self.assertLess(time.monotonic(), until, found)
        return found.pop()

    def backends(self):
        self.rounds += 1
        found = set()
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(Wire(self.host.port)) for _ in range(24)]
            for wire in wires:
                wire.upgrade()
                wire.send(frame(call_text("backend")) * 4 + frame(call_text("write")))
            for wire in wires:
                replies = [wire.text() for _ in range(5)]
                for reply in replies:
                    self.assertEqual(reply.get("status", 200), 200, reply)
                found.update(reply["data"]["pid"] for reply in replies[:4])
        return found

    def test_role_with_two_connections(self):
        # a role limited to two connections, six loops: one does the work of all, the other what must have one for itself,
        # with one warning
        self.start(self.cluster.port, loops=6, user="few")
        self.host.wait_until_readyz(200)
        first = self.backend()
        for _ in range(12):
            self.assertEqual(self.host.call("own")["data"], {"a": "c"})
        self.assertEqual(self.cluster.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'few'"), "2")
        # Both are lost: it recovers by itself.
        self.cluster.kill_backends()
        self.host.wait_until_readyz(200)
        until = time.monotonic() + hosts.PATIENCE_S
        while self.host.call("one")["status"] != 200 and time.monotonic() < until:
            pass
        self.assertNotEqual(self.backend(), first)
        warned = [entry for entry in self.host.events() if "fewer connections" in entry.get("message", "")]
        self.assertEqual(len(warned), 1, warned)
        noise = [entry for entry in self.host.events() if "cannot connect" in entry.get("message", "")]
        self.assertLessEqual(len(noise), 4, noise)
        self.assertEqual(self.cluster.execute("SELECT a FROM held"), str(24 * self.rounds))


if __name__ == "__main__":
    hosts.main()
