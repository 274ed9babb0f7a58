# SPDX-License-Identifier: Apache-2.0
"""Bad plugins in the real binary: what the client is told, what the log and the metrics name, and that everybody else is served
on. Nothing blocks for a time: a plugin that holds its loop waits for a byte that the test writes."""

import errno
import os
import shutil
import signal
import threading
import time
import unittest

import host as hosts
from wire import Wire, call_text, frame
from wire_project import PROJECT

BAD_PLUGINS = hosts.BUILD / "tests/bad-plugins/plugins"
SECRET = "a-secret-that-no-crash-report-shows"


def resource(name, mode, key, value):
    return {"id": name, "resource": name, "actionables": [{"id": 1, "mode": mode, key: value}]}


def project(*resources):
    return {**PROJECT, "resources/bad.json": list(resources)}


class WallTest(unittest.TestCase):
    def folder(self, files):
        return self.enterContext(hosts.Folder(files))

    def plugins(self, *names):
        """A plugin folder with copies of these bad plugins."""
        folder = self.folder({})
        for name in names:
            shutil.copy(BAD_PLUGINS / f"{name}.so", folder.path)
        return folder.path


class Faults(WallTest):
    def setUp(self):
        folder = self.folder(project(
            resource("throws", "THROWS_IN_RUN", "throws_in_run", 1), resource("never", "NEVER", "never", 1),
            resource("twice", "TWICE", "twice", 1), resource("promise", "PROMISE", "promise", 1),
            resource("none", "BAD_RESULTS", "bad_results", 1), resource("good", "GOOD", "good", 1)))
        plugins = self.plugins("throws_in_run", "never_ends", "ends_twice", "breaks_promise", "bad_results", "good")
        self.host = self.enterContext(hosts.Host(folder.path, "--plugins", plugins, "--loops", "1",
                                                 env={"SUB0_CALL_DEADLINE_MS": "300"}))

    def faults_of(self, name):
        """Who was blamed in the log for this resource; waits for the first line."""
        until = time.monotonic() + hosts.PATIENCE_S
        pause = threading.Event()
        while True:
            faults = [(entry["plugin"], entry["handler"]) for entry in self.host.events()
                      if entry["event"] == "plugin_fault" and entry["resource"] == name]
            if faults or time.monotonic() > until:
                return faults
            pause.wait(0.01)

    def expect_fault(self, name, code, status, plugin, mode):
        reply = self.host.call(name)
        self.assertEqual((reply["status"], reply["error"]["code"]), (status, code), reply)
        self.assertEqual(self.faults_of(name), [(plugin, mode)])
        self.assertEqual(self.host.call("good")["data"], 1)

    def counted(self, column, plugin, mode):
        """The value of one of the wall's metrics."""
        start = f"sub0_plugin_{column}"
        for line in self.host.request("GET", "/metrics")[2].splitlines():
            if line.startswith(start) and f'plugin="{plugin}"' in line and f'handler="{mode}"' in line:
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"no metric {start} of {plugin} {mode}")

    def test_faults_are_replies_log_lines_and_metrics(self):
        # throws, breaks its promise, hands over what is no value, never ends, ends twice
        self.expect_fault("throws", "internal", 500, "test.throws-in-run", "THROWS_IN_RUN")
        self.expect_fault("promise", "internal", 500, "test.breaks-promise", "PROMISE")
        self.expect_fault("none", "internal", 500, "test.bad-results", "BAD_RESULTS")
        self.expect_fault("never", "timeout", 504, "test.never-ends", "NEVER")
        self.assertEqual(self.host.call("twice")["data"], 1)
        for column, plugin, mode in (("exceptions", "test.throws-in-run", "THROWS_IN_RUN"),
                                     ("broken_promises", "test.breaks-promise", "PROMISE"),
                                     ("bad_results", "test.bad-results", "BAD_RESULTS"),
                                     ("never_ended", "test.never-ends", "NEVER"),
                                     ("abandoned", "test.never-ends", "NEVER"),
                                     ("double_ends", "test.ends-twice", "TWICE")):
            with self.subTest(column):
                self.assertEqual(self.counted(column, plugin, mode), 1)

    def test_client_that_leaves(self):
        # the client left while its run was under way, and the run is never ended
        with Wire(self.host.port) as wire:
            wire.upgrade()
            wire.send(frame(call_text("never", action="gone")))
            until = time.monotonic() + hosts.PATIENCE_S
            while self.counted("runs", "test.never-ends", "NEVER") == 0:
                self.assertLess(time.monotonic(), until)
        fault = self.host.wait_for("plugin_fault")
        self.assertEqual((fault["plugin"], fault["handler"], fault["resource"]), ("test.never-ends", "NEVER", "never"))
        self.assertEqual(self.host.call("good")["data"], 1)


class HeldLoop(WallTest):
    def loop_of(self, wire):
        wire.send(frame(call_text("connection", action="where")))
        return (int(wire.text()["data"]["id"]) - 1) % 2

    def test_watchdog_names_it_and_the_other_loop_answers(self):
        # a plugin blocks a loop; 60 s are in the unit test, whose clock is moved
        folder = self.folder({})
        fifo = folder.path / "fifo"
        os.mkfifo(fifo)
        files = self.folder(project(resource("block", "BLOCK", "block", str(fifo))))
        with hosts.Host(files.path, "--plugins", self.plugins("blocks_loop"), "--loops", "2") as host:
            wires = {}
            while len(wires) < 2:
                wire = self.enterContext(Wire(host.port))
                wire.upgrade()
                wires.setdefault(self.loop_of(wire), wire)
            wires[0].send(frame(call_text("block", action="held")))
            held = host.wait_for("loop_held")
            self.assertEqual((held["plugin"], held["handler"], held["resource"], held["loop"]),
                             ("test.blocks-loop", "BLOCK", "block", 0))
            self.assertGreaterEqual(held["duration_ms"], 100)
            for number in range(100):
                wires[1].send(frame(call_text("echo", {"n": number}, action="e")))
                self.assertEqual(wires[1].text()["data"], {"n": number})
            self.release(fifo)
            self.assertEqual(wires[0].text()["data"], ord("x"))
            self.assertEqual([entry["event"] for entry in host.events()].count("plugin_slow"), 0)  # counted once

    def release(self, fifo):
        until = time.monotonic() + hosts.PATIENCE_S
        while True:
            try:
                end = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
                break
            except OSError as problem:  # the plugin has not opened it yet
                if problem.errno != errno.ENXIO or time.monotonic() > until:
                    raise
        os.write(end, b"x")
        os.close(end)


class Crashes(WallTest):
    def crash(self, how, number):
        """Has the plugin crash so; the lines of stderr from the crash report on."""
        files = self.folder(project(resource("crash-here", "CRASH", "crash", how)))
        host = hosts.Host(files.path, "--plugins", self.plugins("crashes"), "--loops", "2", secrets=[SECRET]).start()
        self.addCleanup(shutil.rmtree, host.state.parent)
        self.addCleanup(lambda: host.process.poll() is None and host.process.kill())
        with Wire(host.port) as wire:
            wire.upgrade()
            wire.send(frame(call_text("crash-here", {"token": SECRET}, action="boom")))
            self.assertEqual(host.wait(), -number, host.log())
        host.check_log()
        lines = host.log().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("sub0: crash:"))
        return lines[at:]

    def test_first_line_names_plugin_handler_and_resource(self):
        # a crash in a plugin, on a loop and in the pool, and a stack that overflows
        for how, name, address in (("null", "SIGSEGV", "0x0 "), ("pool", "SIGSEGV", "0x0 "), ("stack", "SIGSEGV", "0x"),
                                   ("abort", "SIGABRT", None), ("divide", "SIGFPE", "0x"), ("trap", "SIGILL", "0x")):
            with self.subTest(how):
                first, *rest = self.crash(how, signal.Signals[name])
                self.assertTrue(first.startswith("sub0: crash: plugin=test.crashes handler=CRASH resource=crash-here "
                                                 f'function="run" signal={name} '), first)
                self.assertIn(" thread=", first)
                if address is not None:
                    self.assertIn(f" address={address}", first)
                self.assertTrue(any("crashes.so" in line for line in rest), rest)


if __name__ == "__main__":
    hosts.main()
