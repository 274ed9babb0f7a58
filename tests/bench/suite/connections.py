# SPDX-License-Identifier: Apache-2.0
"""churn: CPU per cycle; idle: bytes per idle connection, ours and the kernel's; waves: what stays when they have gone."""
import contextlib
import os
import re
import resource
import time

from suite import measure, processes
from suite.report import progress

CLIENT_HOLDS = 5000  # connections of one client process
MOST_DESCRIPTORS = 20_000  # of one process
SPARE_DESCRIPTORS = 200  # of the server, for what is no connection


def churn(suite):
    names = ["floor", *suite.peers.ours(), *suite.installed("poco"), *suite.installed("ws")]
    spent = {}
    for number in range(suite.rounds):
        with contextlib.ExitStack() as stack:
            servers = {name: stack.enter_context(suite.peers.start(name)) for name in names}
            for name in suite.turn(number, names):
                progress(f"churn: round {number + 1} of {suite.rounds}, {name}")
                suite.peers.load("churn_load", servers[name].port, suite.scaled(300)).end()  # warm
                load = suite.peers.load("churn_load", servers[name].port, suite.scaled(3000))
                value, _ = measure.cpu_per(servers[name], load, "cycles")
                spent.setdefault(name, []).append(value)
    suite.report.line("")
    suite.report.compare("churn.cpu", spent, "µs of CPU per connect + call + close")
    if "calls" in suite.only:
        for name in ["floor", *suite.peers.ours()]:
            with suite.peers.start(name) as server:
                load = suite.peers.load("churn_load", server.port, suite.scaled(500))
                result, calls = measure.system_calls(server, load, suite.scratch)
                suite.report.single(f"churn.calls.{name}", sum(calls.values()) / result["cycles"], "system calls per cycle")


class Crowd:
    """Idle connections to a server, held by several client processes."""

    def __init__(self, suite, server, count):
        self.count = count
        self.clients = []
        while count > 0:
            self.clients.append(suite.peers.load("idle_clients", server.port, min(count, CLIENT_HOLDS)))
            count -= CLIENT_HOLDS

    def leave(self):
        kept = sum(client.end()["kept"] for client in self.clients)
        if kept != self.count:
            raise processes.Failed(f"the server has kept {kept} of {self.count} idle connections")


def _kernel_bytes():
    """Of the whole machine, so of both ends of each connection; sockets' buffers count as pages of TCP."""
    memory = dict(re.findall(r"^(\w+): +(\d+) kB", open("/proc/meminfo").read(), re.MULTILINE))
    buffers = re.search(r"^TCP:.* mem (\d+)", open("/proc/net/sockstat").read(), re.MULTILINE)
    return {"slab": int(memory["Slab"]) * 1024, "buffers": int(buffers[1]) * os.sysconf("SC_PAGE_SIZE")}


def _slab_caches():
    """{cache: bytes in use}; nothing for those who may not look (not root)."""
    try:
        rows = re.findall(r"^(\S+) +(\d+) +\d+ +(\d+) ", open("/proc/slabinfo").read(), re.MULTILINE)
    except OSError:
        return {}
    return {name: int(count) * int(size) for name, count, size in rows}


def _descriptors(server):
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def _await_descriptors(server, most, seconds=30):
    """Until the server has closed what its clients have closed."""
    end = time.monotonic() + seconds
    while _descriptors(server) > most:
        if time.monotonic() > end:
            raise processes.Failed(f"after {seconds} s the server still holds {_descriptors(server)} descriptors")
        time.sleep(0.02)


def _most():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], MOST_DESCRIPTORS) - SPARE_DESCRIPTORS


def raise_descriptor_limit():
    """Many systems give a process few descriptors, and more if it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MOST_DESCRIPTORS and (hard > soft or hard == resource.RLIM_INFINITY):
        wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def idle(suite):
    sizes = [min(10_000, _most())] if suite.quick else [10_000, _most()]
    for name in ["floor", *suite.peers.ours(), *suite.installed("ws")]:
        for size in sizes:
            size = suite.scaled(size)
            with suite.peers.start(name) as server:
                progress(f"idle: {size} connections, {name}")
                Crowd(suite, server, 10).leave()  # what comes with the first connections is not theirs
                before, kernel_before, caches_before = server.rollup(), _kernel_bytes(), _slab_caches()
                crowd = Crowd(suite, server, size)
                after, kernel_after, caches_after = server.rollup(), _kernel_bytes(), _slab_caches()
                crowd.leave()
            label = "most" if size != 10_000 and size == suite.scaled(_most()) else "10000"
            key = f"idle.{label}.{name}"
            suite.report.line(f"{key} ({size} connections)")
            for part in ("Rss", "Pss", "Private_Dirty"):
                suite.report.single(f"{key}.{part.lower()}", (after[part] - before[part]) / size, "B of ours per connection")
            for part, value in kernel_after.items():
                suite.report.single(f"{key}.kernel_{part}", (value - kernel_before[part]) / size,
                                    "B of the kernel's per connection, both ends")
            grown = {cache: (value - caches_before.get(cache, 0)) / size for cache, value in caches_after.items()}
            largest = sorted(grown.items(), key=lambda row: -row[1])[:6]
            suite.report.line("    of which " + ", ".join(f"{cache} {value:,.0f}" for cache, value in largest if value >= 1))


def waves(suite):
    """Ten crowds, one after another. Memory that only grows shows in the last against the second."""
    size = suite.scaled(2000 if suite.quick else _most())
    for name in suite.peers.ours():
        at_peak, after = [], []
        with suite.peers.start(name) as server:
            Crowd(suite, server, 10).leave()
            at_rest = _descriptors(server)
            for number in range(10):
                progress(f"waves: {number + 1} of 10, {size} connections, {name}")
                crowd = Crowd(suite, server, size)
                at_peak.append(server.rollup()["Rss"])
                crowd.leave()
                _await_descriptors(server, at_rest)
                after.append(server.rollup()["Rss"])
        suite.report.line(f"waves of {size} connections, {name}: RSS in MiB at the peak, and afterwards")
        suite.report.line("  " + " ".join(f"{value / 2**20:.1f}" for value in at_peak))
        suite.report.line("  " + " ".join(f"{value / 2**20:.1f}" for value in after))
        suite.report.single(f"waves.peak.{name}", at_peak[9] / at_peak[1], "RSS at the peak, wave 10 / wave 2")
        suite.report.single(f"waves.after.{name}", after[9] / after[1], "RSS afterwards, wave 10 / wave 2")
