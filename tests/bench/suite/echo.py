# SPDX-License-Identifier: Apache-2.0
"""echo: CPU, instructions and system calls per message; latency: percentiles of an open loop at a fixed rate."""
import contextlib

from suite import measure
from suite.report import progress

CASES = [(size, connections, in_flight)
         for size in (64, 1024) for connections in (64, 1000) for in_flight in (1, 16)]
LATENCY_RATE = 10_000


def _name(size, connections, in_flight):
    return f"echo.{size}B.{connections}c.{in_flight}"


def echo(suite):
    suite.report.line("")
    if "cpu" in suite.only:
        _cpu(suite)
    if "instructions" in suite.only:
        _instructions(suite)
    if "calls" in suite.only:
        _calls(suite)


def _cpu(suite):
    """All servers of a round stand side by side, and each case goes through them in turn."""
    fast, slow = ["floor", *suite.peers.ours()], [*suite.installed("net"), *suite.installed("poco"), *suite.installed("ws")]
    spent = {case: {} for case in CASES}
    for number in range(suite.rounds):
        names = suite.turn(number, fast + (slow if number < 3 else []))
        with contextlib.ExitStack() as stack:
            servers = {name: stack.enter_context(suite.peers.start(name)) for name in names}
            for case in CASES:
                size, connections, in_flight = case
                for name in names:
                    if name in slow and connections != 64:
                        continue
                    progress(f"echo: round {number + 1} of {suite.rounds}, {size} B, {connections} connections, "
                             f"{in_flight} in flight, {name}")
                    messages = suite.scaled((80_000 if in_flight == 1 else 400_000)
                                            // (2 if suite.quick else 1) // (8 if name in slow else 1))
                    load = suite.peers.load("echo_load", servers[name].port, connections, in_flight, messages, size)
                    value, _ = measure.cpu_per(servers[name], load, "messages")
                    spent[case].setdefault(name, []).append(value)
    for case, rounds in spent.items():
        suite.report.compare(_name(*case) + ".cpu", rounds, "µs of CPU per message")


def _instructions(suite):
    for name in ["floor", *suite.peers.ours()]:
        with measure.Callgrind(suite.peers, name) as callgrind:
            for size, connections, in_flight in (case for case in CASES if case[1] == 64):
                progress(f"echo: instructions, {size} B, {in_flight} in flight, {name}")
                load = suite.peers.load("echo_load", callgrind.server.port, connections, in_flight,
                                        suite.scaled(8_000 if in_flight == 1 else 32_000), size)
                value, path, messages = callgrind.window(load, "messages")
                key = f"{_name(size, connections, in_flight)}.instructions.{name}"
                suite.report.single(key, value, "instructions per message")
                suite.keep_profile(key, path, messages)


def _calls(suite):
    for name in ["floor", *suite.peers.ours(), *suite.installed("ws")]:
        with suite.peers.start(name) as server:
            for size, connections, in_flight in (case for case in CASES if case[1] == 64):
                progress(f"echo: system calls, {size} B, {in_flight} in flight, {name}")
                messages = suite.scaled(4_000 if in_flight == 1 or name == "ws" else 32_000)
                load = suite.peers.load("echo_load", server.port, connections, in_flight, messages, size)
                result, calls = measure.system_calls(server, load, suite.scratch)
                suite.report.single(f"{_name(size, connections, in_flight)}.calls.{name}",
                                    sum(calls.values()) / result["messages"], "system calls per message")


def latency(suite):
    """From the moment when a message was due, not when it was sent: what waits behind a slow one is charged too."""
    names = ["floor", *suite.peers.ours(), *suite.installed("poco"), *suite.installed("ws")]
    percentiles = {key: {} for key in ("p50", "p99", "p999")}
    late = []
    for number in range(suite.rounds):
        for name in suite.turn(number, names):
            progress(f"latency: round {number + 1} of {suite.rounds}, {name}")
            with suite.peers.start(name) as server:
                load = suite.peers.load("open_load", server.port, 64, LATENCY_RATE, suite.scaled(1.0 if suite.quick else 2.0))
                result = load.go()
                load.end()
            late.append(result["client_late_p99_us"])
            for key, rounds in percentiles.items():
                rounds.setdefault(name, []).append(result[key + "_us"])
    suite.report.line("")
    for key, rounds in percentiles.items():
        suite.report.compare(f"latency.{LATENCY_RATE}.{key}", rounds, "µs after it was due")
    suite.report.add("latency.client_late_p99", late, "µs")
    suite.report.line(f"  the client itself was late by (p99): median {suite.report.median('latency.client_late_p99'):.0f} µs")
