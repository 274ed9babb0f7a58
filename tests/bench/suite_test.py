#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the benchmark suite says what it has measured: suite_test.py BUILD_DIR [unittest arguments]. No figure is judged here."""
import contextlib
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else HERE.parents[1] / "build/release"
sys.path.insert(0, str(HERE))
from suite import measure, report  # noqa: E402

ECHO = ["echo", "--only", "cpu", "--quick", "--rounds", "1", "--peers", "host", "--build", str(BUILD)]
STALL_S = 0.4


def bench(*arguments):
    return [sys.executable, str(HERE / "bench.py"), *arguments]


class Stalling(threading.Thread):
    """A server of one connection that answers each 64-byte echo, but stops once, in the middle, for STALL_S."""

    def __init__(self, answers_before_stall):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers_before_stall = answers_before_stall

    def run(self):
        peer, _ = self.listener.accept()
        with peer:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += peer.recv(4096)
            peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            received = answered = 0
            while block := peer.recv(65536):
                received += len(block)
                count = received // 70 - answered
                peer.sendall((b"\x81\x36" + b"r" * 54) * count)
                if answered < self.answers_before_stall <= answered + count:
                    time.sleep(STALL_S)  # the thing measured, not a wait for something
                answered += count


class Suite(unittest.TestCase):
    def test_echo_is_measured_next_to_the_floor(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "figures.json"
            done = subprocess.run(bench(*ECHO, "--scale", "0.02", "--json", str(path)), capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            written = json.loads(path.read_text())
        self.assertEqual(written["scenarios"], ["echo"])
        figures = written["figures"]
        for case in ("64B.64c.1", "64B.64c.16", "1024B.64c.1", "1024B.64c.16"):
            floor, host = (figures[f"echo.{case}.cpu.{peer}"]["values"] for peer in ("floor", "host"))
            self.assertGreater(floor[0], 0)
            self.assertAlmostEqual(figures[f"echo.{case}.cpu.host.ratio"]["median"], host[0] / floor[0])
        self.assertIn("echo, 64 B, 64 connections, 1 in flight", done.stdout)

    def test_what_cannot_start_fails_the_run(self):
        done = subprocess.run(bench(*ECHO, "--build", "/nonexistent"), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent", done.stderr)

    def test_an_interrupt_leaves_nothing_behind(self):
        driver = subprocess.Popen(bench(*ECHO, "--scale", "1000"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        children = pathlib.Path(f"/proc/{driver.pid}/task/{driver.pid}/children")
        end = time.monotonic() + 30
        while len(children.read_text().split()) < 3 and time.monotonic() < end:  # two servers and a load
            self.assertIsNone(driver.poll())
        started = children.read_text().split()
        driver.send_signal(signal.SIGINT)
        self.assertNotEqual(driver.wait(30), 0)
        self.assertEqual(len(started), 3)
        for child in started:
            self.assertFalse(os.path.exists(f"/proc/{child}"), f"process {child} was left")

    def test_a_stall_is_charged_to_all_that_were_due_in_it(self):
        """A tenth of the messages is due in the stall: a load that waits with sending would see one slow message alone."""
        server = Stalling(answers_before_stall=1000)
        self.addCleanup(server.listener.close)
        server.start()
        done = subprocess.run([BUILD / "tests/bench/bench_open_load", str(server.port), "1", "1000", "4"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(result["messages"], 4000)
        self.assertGreaterEqual(result["max_us"], STALL_S * 0.99e6)
        self.assertGreaterEqual(result["p99_us"], STALL_S * 0.85e6)


class Reports(unittest.TestCase):
    def setUp(self):
        self.report = report.Report()
        self.printed = io.StringIO()

    def printing(self):
        return contextlib.redirect_stdout(self.printed)

    def test_ratios_are_of_the_same_round(self):
        with self.printing():
            self.report.compare("work", {"floor": [1.0, 4.0, 2.0], "host": [3.0, 4.0, 4.0]}, "µs")
        self.assertEqual(self.report.figures["work.host.ratio"]["values"], [3.0, 1.0, 2.0])
        self.assertEqual(self.report.median("work.host.ratio"), 2.0)

    def test_bars_are_met_missed_or_not_measured(self):
        self.report.add("wall.ns", 20.5, "ns")
        self.report.add("idle.10000.host.rss", 384, "B")
        self.report.add("database.fetch_balance.sqlite.host.ratio", 0.61, "ratio")
        with self.printing():
            missed = self.report.bars(["wall", "idle", "database"])
        rows = self.printed.getvalue().splitlines()
        self.assertRegex(next(row for row in rows if "plugin boundary" in row), "MISSED$")
        self.assertRegex(next(row for row in rows if "idle connection" in row), "   met$")
        self.assertRegex(next(row for row in rows if "row by its key, SQLite" in row), "   met$")
        self.assertRegex(next(row for row in rows if "row by its key, PostgreSQL" in row), "not measured$")
        self.assertEqual(missed, 3)

    def test_every_bar_names_a_scenario_and_one_limit(self):
        for bar in json.loads(report.BARS.read_text()):
            self.assertEqual(bar["figure"].split(".")[0], bar["scenario"])
            self.assertEqual(len({"at_most", "at_least"} & bar.keys()), 1, bar)

    def test_callgrind_lines_of_called_functions_are_not_the_callers_own(self):
        with tempfile.NamedTemporaryFile("w", suffix=".out") as file:
            file.write("events: Ir\nfn=(1) main\n10 5\ncfn=(2) work\ncalls=3 20\n10 900\n+1 2\nfn=(2)\n20 30\n* 3\nfn=(1)\n12 1\n")
            file.flush()
            self.assertEqual(measure.functions(pathlib.Path(file.name)), {"main": 8, "work": 33})


if __name__ == "__main__":
    unittest.main()
