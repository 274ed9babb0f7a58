# SPDX-License-Identifier: Apache-2.0
"""broadcast: CPU, instructions and system calls per delivery; scaling: one and two loops, and whom a SINGLE wakes."""
import contextlib

from suite import measure
from suite.report import progress

SIZES = (1000, 5000)


def broadcast(suite):
    suite.report.line("")
    if "cpu" in suite.only:
        _cpu(suite)
    for name in ["floor", *suite.peers.ours()]:
        if "instructions" in suite.only:
            _instructions(suite, name)
        if "calls" in suite.only:
            with suite.peers.start(name) as server:
                progress(f"broadcast: system calls, {name}")
                load = suite.peers.load("broadcast_load", server.port, 1000, suite.scaled(6))
                result, calls = measure.system_calls(server, load, suite.scratch)
                suite.report.single(f"broadcast.1000.calls.{name}", sum(calls.values()) / result["deliveries"],
                                    "system calls per delivery")


def _cpu(suite):
    names = ["floor", *suite.peers.ours(), *suite.installed("ws")]
    spent = {size: {} for size in SIZES}
    for number in range(suite.rounds):
        with contextlib.ExitStack() as stack:
            servers = {name: stack.enter_context(suite.peers.start(name)) for name in names}
            for size in SIZES:
                for name in suite.turn(number, names):
                    progress(f"broadcast: round {number + 1} of {suite.rounds}, {size} connections, {name}")
                    load = suite.peers.load("broadcast_load", servers[name].port, size, suite.scaled(100_000) // size)
                    value, _ = measure.cpu_per(servers[name], load, "deliveries")
                    spent[size].setdefault(name, []).append(value)
    for size, rounds in spent.items():
        suite.report.compare(f"broadcast.{size}.cpu", rounds, "µs of CPU per delivery")


def _instructions(suite, name):
    progress(f"broadcast: instructions, {name}")
    with measure.Callgrind(suite.peers, name) as callgrind:
        load = suite.peers.load("broadcast_load", callgrind.server.port, 1000, suite.scaled(10))
        value, path, deliveries = callgrind.window(load, "deliveries")
    suite.report.single(f"broadcast.1000.instructions.{name}", value, "instructions per delivery")
    suite.keep_profile(f"broadcast.1000.instructions.{name}", path, deliveries)


def scaling(suite):
    """One and two loops side by side. With two cores the client has the second one: read CPU, not only speed."""
    jobs = {"echo": ("echo_load", (64, 16, suite.scaled(200_000)), "messages"),
            "broadcast": ("broadcast_load", (1000, suite.scaled(100)), "deliveries")}
    speed, spent = ({job: {} for job in jobs} for _ in range(2))
    for number in range(suite.rounds):
        for job, (program, arguments, count) in jobs.items():
            for loops in suite.turn(number, [1, 2]):
                progress(f"scaling: round {number + 1} of {suite.rounds}, {job}, {loops} loops")
                with suite.peers.start("host", loops=loops) as server:
                    load = suite.peers.load(program, server.port, *arguments)
                    value, result = measure.cpu_per(server, load, count)
                spent[job].setdefault(f"loops{loops}", []).append(value)
                speed[job].setdefault(f"loops{loops}", []).append(result[count] / result["seconds"])
    suite.report.line("")
    for job, (_, _, count) in jobs.items():
        suite.report.compare(f"scaling.{job}.cpu", spent[job], f"µs of CPU, {count}", floor="loops1")
        suite.report.compare(f"scaling.{job}.speed", speed[job], f"{count} per second", floor="loops1")
    _wakes(suite)


def _wakes(suite, loops=4, connections=256):
    """SINGLEs to connections on all loops, one after another: each wakes its receiver's loop, or none if that is the sender's."""
    with suite.peers.start("host", loops=loops) as server:
        progress("scaling: whom a SINGLE wakes")
        load = suite.peers.load("broadcast_load", server.port, connections, suite.scaled(1500), "single")
        result, calls = measure.system_calls(server, load, suite.scratch)
    wakes = calls.get("write", 0) / result["broadcasts"]
    waits = sum(number for name, number in calls.items() if name.startswith("epoll_") and "wait" in name)
    if wakes == 0:
        suite.report.line("all connections fell on one loop: who is woken was not seen")
        return
    suite.report.single("scaling.single.wakes", wakes, f"eventfd writes per SINGLE, {loops} loops")
    suite.report.single("scaling.single.waits", waits / result["broadcasts"], f"epoll waits per SINGLE of all {loops} loops")
