# SPDX-License-Identifier: Apache-2.0
"""Many connections, connections without end, bad tokens, a database that does not keep up: against the real binary, from
several addresses of the loopback network. What waits does so for bytes or for a count, never for a time."""

import os
import pathlib
import resource
import socket
import sqlite3
import time
import unittest

import host as hosts
from metrics_project import read_page
from wire import CLOSE, PING, Wire, call_text, close_frame, frame, upgrade_request
from wire_project import PROJECT, WireTest

def wait_until(holds, what):
    """Asks `holds` until it says so."""
    until = time.monotonic() + hosts.PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"never: {what}")
        time.sleep(0.01)


class Process:
    """A running host as the system sees it."""

    def __init__(self, host):
        self.pid = host.process.pid
        self._folder = pathlib.Path("/proc") / str(self.pid)

    def descriptors(self):
        """Those that are no pipes: the undefined-behaviour sanitizer opens some for a moment, the host none."""
        count = 0
        for entry in (self._folder / "fd").iterdir():
            try:
                count += not os.readlink(entry).startswith("pipe:")
            except FileNotFoundError:  # closed meanwhile
                pass
        return count

    def threads(self):
        return len(os.listdir(self._folder / "task"))

    def resident_kib(self):
        for line in (self._folder / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    def cpu_seconds(self):
        fields = (self._folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class From(Wire):
    """A connection from another address of 127.0.0.0/8."""

    def __init__(self, address, port):
        self.socket = socket.socket()
        self.socket.settimeout(hosts.PATIENCE_S)
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", port))
        self._input = b""


class ConnectionLimits(WireTest):
    environment = {"SUB0_UNLIMITED_ADDRESSES": "127.0.0.1", "SUB0_CONNECTIONS_PER_ADDRESS": "5",
                   "SUB0_PENDING_PER_ADDRESS": "3", "SUB0_CONNECTION_LIMIT": "40"}

    def test_an_address_has_its_limit(self):
        # limit - 1, limit, limit + 1; others are served
        wires = []
        for _ in range(5):
            wires.append(self.enterContext(From("127.0.0.2", self.host.port)))
            self.assertEqual(wires[-1].request("GET", "/healthz").status, 200)
        with From("127.0.0.2", self.host.port) as wire:
            response = wire.response()
            self.assertEqual((response.status, response.json()["error"]["code"]), (429, "rate_limited"))
            self.assertIn("retry-after", response.headers)
            self.assertEqual(wire.rest(), b"")
        with From("127.0.0.3", self.host.port) as wire:
            wire.upgrade()
        self.assertEqual(wires[0].request("GET", "/healthz").status, 200)
        self.assertEqual(self.host.wait_for("refused")["address"], "127.0.0.2")

    def test_before_a_request_there_are_fewer(self):
        # before authentication: sockets that say nothing, and half a handshake
        host = self.enterContext(hosts.Host(self.folder.path, *self.arguments,
                                            env={**self.environment, "SUB0_ADMIN_PORT": "0"}))
        admin = host.wait_for("admin")["port"]
        silent = [self.enterContext(From("127.0.0.4", host.port)) for _ in range(3)]
        # Each loop admits for itself: the fourth must not be quicker than these.
        wait_until(lambda: read_page(admin)["sub0_connections_pending"] == 3, "they are admitted")
        silent[0].send(upgrade_request()[:-2])
        with From("127.0.0.4", host.port) as wire:
            self.assertEqual(wire.response().status, 429)
        silent[0].send(b"\r\n")
        self.assertEqual(silent[0].response().status, 101)
        with From("127.0.0.4", host.port) as wire:
            self.assertEqual(wire.request("POST", "/echo", b"{}").status, 200)

    def test_in_all(self):
        # 503 to whoever comes when there are as many as there may be; when one goes the next is served
        wires = []
        while True:
            wire = self.open()
            wires.append(wire)
            self.addCleanup(wire.socket.close)
            wire.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
            response = wire.response()
            if response.status != 200:
                break
        self.assertLessEqual(len(wires), 40)  # the watcher and other tests' have their share
        self.assertEqual((response.status, response.json()["error"]["code"]), (503, "busy"))
        with self.open() as wire:
            wire.send(upgrade_request())
            self.assertEqual(wire.response().status, 503)
        wires[0].socket.close()

        def is_served():
            with self.open() as again:
                return again.request("GET", "/healthz").status == 200
        wait_until(is_served, "a place that somebody left is given to the next")


class MessageRate(WireTest):
    environment = {"SUB0_MESSAGE_RATE": "20"}

    def test_too_fast(self):
        # a second's worth at once is answered; one more closes by 1008; pings count; others are not concerned
        for count, data in ((20, frame(call_text())), (19, frame(call_text())), (20, frame(b"", PING))):
            with self.subTest(count), self.open() as wire:
                wire.upgrade("", rest=data * count)
                for _ in range(count):
                    self.assertNotEqual(wire.frame()[0], CLOSE)
        with self.open() as wire:
            wire.upgrade("", rest=frame(call_text()) * 200)
            while (message := wire.frame())[0] != CLOSE:
                pass
            self.assertEqual(message[1][:2], (1008).to_bytes(2, "big"))
            self.assertIn(b"SUB0_MESSAGE_RATE", message[1])


class UidReplace(WireTest):
    environment = {"SUB0_UID_CONNECTIONS": "replace"}

    def test_the_newest_stays(self):
        # the older connection of a uid is closed by 1008, whatever loop it is on; messages reach the newest alone
        before = None
        for _ in range(12):
            wire = self.enterContext(self.open())
            wire.upgrade("?uid=slow")
            if before:
                self.assertEqual(before.close_code(), 1008)
            self.assertEqual(self.host.call("count-slow", {})["data"]["recipients"], 1)
            self.assertEqual(wire.text()["action"], "ping")
            before = wire


class UidRefuse(WireTest):
    environment = {"SUB0_UID_CONNECTIONS": "refuse"}

    def test_the_first_stays(self):
        # a further connection of a uid gets 409, whatever loop it is on, until the first has gone
        first = self.open()
        first.upgrade("?uid=slow")
        for _ in range(12):
            with self.open() as wire:
                wire.send(upgrade_request("/ws?uid=slow"))
                self.assertEqual(wire.response().status, 409)
        with self.open() as other:
            other.upgrade("?uid=other")
        self.assertEqual(self.host.call("count-slow", {})["data"]["recipients"], 1)
        self.assertEqual(first.text()["action"], "ping")
        first.send(close_frame(1000))
        first.rest()
        first.socket.close()
        with self.open() as wire:
            wire.upgrade("?uid=slow")


class BulkLimit(unittest.TestCase):
    def test_uids(self):
        # limit - 1, limit, limit + 1 uids, and very many; each connection hears a message once
        tell = {"id": 1, "mode": "BROADCAST", "broadcast": {
            "broadcast_type": "BULK", "broadcast_to": "$PAYLOAD.to", "action": "told", "data": {"n": "$PAYLOAD.n"}}}
        project = {"resources/all.json": [
            *PROJECT["resources/all.json"], {"id": "tell", "resource": "tell", "actionables": [tell]}]}
        with hosts.Folder(project) as folder, hosts.Host(folder.path, "--loops", "1", env={"SUB0_BULK_LIMIT": "3"}) as host, \
                Wire(host.port) as wire:
            wire.upgrade("?uid=u0")
            for to in (["u0", "u1"], ["u0", "u1", "u2"], ["u0", "u0", "u0"]):
                self.assertEqual(host.call("tell", {"to": to, "n": len(to)})["data"]["recipients"], 1)
                self.assertEqual(wire.text()["data"]["n"], len(to))
            for to in (["u0", "u1", "u2", "u3"], ["u0"] * 150000):
                reply = host.call("tell", {"to": to, "n": 4})
                self.assertEqual((reply["status"], reply["error"]["code"]), (400, "limit_exceeded"))
            wire.send(frame(call_text("echo", "next")))
            self.assertEqual(wire.text()["data"], "next")


class BadTokens(WireTest):
    environment = {"SUB0_BAD_TOKENS_PER_SECOND": "1", "SUB0_BAD_TOKEN_BURST": "3"}

    def test_guessing_is_slow(self):
        # a hundred bad tokens at once from one address: few are answered at once, the rest later or with 429; good tokens
        # of that address, and other addresses, are not concerned
        request = (b"POST /fetch-balance HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                   b"x-access-token: %s\r\n\r\n{}")
        wires = [self.enterContext(From("127.0.0.2", self.wallet.port)) for _ in range(100)]
        for wire in wires:
            wire.send(request % b"not.a.token")
        with From("127.0.0.2", self.wallet.port) as good:
            good.send(request % hosts.mint_token().encode())
            self.assertNotIn(good.response().status, (401, 429))
        with From("127.0.0.3", self.wallet.port) as other:
            other.send(request % b"not.a.token")
            self.assertEqual(other.response().status, 401)
        statuses = [wire.response().status for wire in wires]
        self.assertLessEqual(set(statuses), {401, 429})
        self.assertGreaterEqual(statuses.count(401), 5)  # the burst, and those that wait a second or two
        self.assertGreater(statuses.count(429), statuses.count(401))

    def setUp(self):
        self.wallet = self.enterContext(hosts.Host(env=self.environment))


@unittest.skipIf(hosts.is_sanitized(), "the undefined-behaviour sanitizer opens descriptors itself, and reports what it cannot see")
class Descriptors(unittest.TestCase):
    def test_used_up(self):
        # no busy loop, one log line a period, recovers
        with hosts.Folder(PROJECT) as folder, hosts.Host(folder.path, "--loops", "1") as host:
            process = Process(host)
            room = process.descriptors() + 20
            _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (room, hard))
            wires = [Wire(host.port) for _ in range(60)]  # the kernel takes those that the host cannot
            try:
                host.wait_for("accept_paused")
                self.assertEqual(wires[0].request("GET", "/healthz").status, 200)
                begin, begin_cpu = time.monotonic(), process.cpu_seconds()
                wires[1].upgrade()
                for number in range(300):  # other clients are served meanwhile
                    wires[1].send(frame(call_text("echo", number)))
                    self.assertEqual(wires[1].text()["data"], number)
                    time.sleep(0.005)
                passed = time.monotonic() - begin
                self.assertLess(process.cpu_seconds() - begin_cpu, passed * 0.5, "a busy loop")
                paused = [entry for entry in host.events() if entry["event"] == "accept_paused"]
                self.assertLessEqual(len(paused), passed + 2)
                self.assertLess(len(paused), 300 * 0.005 * 10, "a line per attempt")
                for wire in wires[2:40]:
                    wire.socket.close()
                for wire in wires[40:]:
                    self.assertEqual(wire.request("GET", "/healthz").status, 200)
            finally:
                for wire in wires:
                    wire.socket.close()


class Waves(unittest.TestCase):
    WAVES = 10
    COUNT = 2000

    def wave(self, port, number):
        """Connects of every kind, at once; then all go, in several ways."""
        sockets = []
        for index in range(self.COUNT):
            wire = Wire(port)
            sockets.append(wire)
            kind = index % 5
            if kind == 0:
                wire.send(upgrade_request(f"/ws?uid=u{number}-{index}") + frame(call_text("echo", index)))
            elif kind == 1:
                wire.send(upgrade_request("/ws") + frame(b"x" * 5000)[:1000])
            elif kind == 2:
                wire.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
            elif kind == 3:
                wire.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
        for wire in sockets[0::5]:
            self.assertEqual(wire.response().status, 101)
            self.assertEqual(wire.text()["action"], "a")
        for wire in sockets[3::5]:
            self.assertEqual(wire.response().status, 200)
        for index, wire in enumerate(sockets):
            if index % 3 == 0:
                wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            wire.socket.close()

    def test_nothing_is_left(self):
        # 10 waves of connects and disconnects: descriptors as before, memory after wave 10 within 5 % of wave 2
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, self.COUNT + 500)), hard))
        with hosts.Folder(PROJECT) as folder, hosts.Host(folder.path, "--loops", "2") as host:
            process = Process(host)
            before, threads = process.descriptors(), process.threads()
            resident = []
            for number in range(self.WAVES):
                self.wave(host.port, number)
                wait_until(lambda: process.descriptors() == before, "all descriptors are closed")
                resident.append(process.resident_kib())
            self.assertEqual(process.threads(), threads)
            if not hosts.is_sanitized():
                self.assertLessEqual(resident[-1], resident[1] * 1.05, resident)
            self.assertEqual(host.call("echo", {"n": 1})["status"], 200)


class SlowAndIdle(WireTest):
    environment = {"SUB0_HEAD_DEADLINE_MS": "3000", "SUB0_KEEP_ALIVE_MS": "3000", "SUB0_BODY_RATE_WINDOW_MS": "500"}

    def test_many_slow_heads(self):
        # heads that trickle from many sockets: all are closed, and others notice nothing meanwhile
        slow = [self.enterContext(self.open()) for _ in range(500)]
        for wire in slow:
            wire.send(b"G")
        for number in range(100):
            self.watcher.send(frame(call_text("echo", number)))
            self.assertEqual(self.watcher.text()["data"], number)
            for wire in slow[number * 5:number * 5 + 5]:
                wire.send(b"E")
        for wire in slow:
            self.assertRegex(wire.rest(), rb"\AHTTP/1.1 408 |\Z")

    def test_a_trickling_body(self):
        # a megabyte announced, ten bytes a second: given up by the minimum rate, long before the body's deadline of 30 s
        with self.open() as wire:
            wire.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{")
            self.assertEqual(wire.response().status, 408)

    def test_many_idle(self):
        # idle connections take no thread each and are closed at the keep-alive deadline
        process = Process(self.host)
        threads, before = process.threads(), process.descriptors()
        idle = [self.enterContext(self.open()) for _ in range(1000)]
        for wire in idle:
            self.assertEqual(wire.request("GET", "/healthz").status, 200)
        self.assertEqual(process.threads(), threads)
        for wire in idle:
            self.assertEqual(wire.rest(), b"")
        wait_until(lambda: process.descriptors() <= before, "all are closed")


class SlowDatabase(unittest.TestCase):
    def test_a_bounded_queue(self):
        # writes that wait for a lock: past 2,000 of them the next get `busy`; pings and other resources are served
        project = {"resources/all.json": [
            *PROJECT["resources/all.json"],
            {"id": "write", "resource": "write", "actionables": [
                {"id": 1, "mode": "QUERY", "sql_query": {"query": "UPDATE held SET a = a + 1 RETURNING a"}}]}]}
        with hosts.Sqlite() as database, hosts.Folder(project) as folder:
            hosts.run_sql(database.url, "CREATE TABLE held (a INTEGER); INSERT INTO held VALUES (0);", resources=folder.path)
            with hosts.Host(folder.path, "--loops", "1", env={
                    "DATABASE_URL": database.url, "SUB0_PING_INTERVAL_MS": "0", "SUB0_CALL_DEADLINE_MS": "600000"}) as host:
                self.flood(host, database.url.removeprefix("sqlite:"))

    def flood(self, host, path):
        lock = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        wires = [self.enterContext(Wire(host.port)) for _ in range(70)]
        for wire in wires:
            wire.upgrade("", rest=b"".join(frame(call_text("write", action="w", id=number)) for number in range(32)))
        other = self.enterContext(Wire(host.port))
        other.upgrade("", rest=frame(call_text("echo", 1)) + frame(b"p", PING))
        self.assertEqual(other.text()["data"], 1)
        self.assertEqual(other.frame()[1], b"p")
        self.assertEqual(host.request("GET", "/healthz")[0], 200)
        first = wires[-1].text()  # of the last connection's calls none has a place
        self.assertEqual((first["error"]["code"], first["status"]), ("busy", 503))
        lock.execute("COMMIT")
        replies = [first, *(wires[-1].text() for _ in range(31)), *(wire.text() for wire in wires[:-1] for _ in range(32))]
        codes = [reply["error"]["code"] if "error" in reply else "ok" for reply in replies]
        self.assertLessEqual(set(codes), {"ok", "busy"})
        self.assertGreaterEqual(codes.count("ok"), 1000)
        self.assertEqual(lock.execute("SELECT a FROM held").fetchone()[0], codes.count("ok"), "each once")


class ClosedLines(unittest.TestCase):
    def test_one_line_each(self):
        # one line per closed connection where SUB0_LOG_CLOSED asks for it: code, reason, side, bytes, lifetime
        with hosts.Folder(PROJECT) as folder, hosts.Host(folder.path, env={"SUB0_LOG_CLOSED": "true"}) as host:
            with Wire(host.port) as wire:
                wire.upgrade("", rest=frame(call_text("echo", 1)) + close_frame(4001, b"bye"))
                wire.text()
                wire.rest()
            line = host.wait_for("closed")
            self.assertEqual((line["protocol"], line["reason"], line["side"], line["address"]),
                             ("ws", "peer", "peer", "127.0.0.1"))
            self.assertEqual([str(line[name]) for name in ("code_sent", "code_received", "calls")], ["4001", "4001", "1"])
            self.assertGreater(int(line["bytes_in"]), 100)
            self.assertGreater(int(line["bytes_out"]), 100)
            self.assertGreaterEqual(int(line["lifetime_ms"]), 0)


if __name__ == "__main__":
    hosts.main()
