# SPDX-License-Identifier: Apache-2.0
"""How a load is measured: CPU of the server, instructions (callgrind), system calls (strace).

All three look at the same window: from the moment when the load has connected and warmed up until its last answer.
"""
import re
import signal
import subprocess
import time

from suite import processes


def cpu_per(server, load, count):
    """Runs a load that waits; returns µs of the server's CPU per `count`ed thing, and the load's own result."""
    before = server.cpu_ns()
    result = load.go()
    spent = server.cpu_ns() - before
    load.end()
    return spent / 1000 / result[count], result


class Callgrind:
    """A server under callgrind; each window is a dump of its own. The server must be at rest at both ends."""

    def __init__(self, peers, name, **options):
        self.out = peers.scratch / f"callgrind.{name.replace('/', '_')}.{time.monotonic_ns()}"
        self.server = peers.start(name, wrapper=["valgrind", "--tool=callgrind", "-q",
                                                 f"--callgrind-out-file={self.out}"], **options)
        self.dumps = 0

    def _dump(self):
        output, _ = processes.run(["callgrind_control", "-d", self.server.pid], seconds=60)
        if "OK" not in output:
            raise processes.Failed(f"callgrind_control: {output}")
        self.dumps += 1
        return self.out.with_name(f"{self.out.name}.{self.dumps}")

    def window(self, load, count):
        """Instructions per `count`ed thing, and the file of the window."""
        self._dump()
        result = load.go()
        path = self._dump()
        load.end()
        total = int(re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)[1])
        return total / result[count], path, result[count]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop()


def system_calls(server, load, scratch):
    """Runs a load under an attached strace; returns the load's result and {call: how many}."""
    out = scratch / f"strace.{time.monotonic_ns()}"
    tracer = processes.start(["strace", "-f", "-c", "-U", "calls,name", "-o", out, "-p", server.pid], signal.SIGINT,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    line = tracer.stderr.readline().decode()
    if "attached" not in line:
        processes.stop(tracer)
        raise processes.Failed(f"strace: {line}")
    result = load.go()
    processes.stop(tracer)
    load.end()
    rows = re.findall(r"^ *(\d+) +(\w+)$", out.read_text(), re.MULTILINE)
    return result, {name: int(calls) for calls, name in rows if name != "total"}


def functions(path):
    """Self instructions per function of a callgrind window: {function: instructions}."""
    names, costs, current, skip = {}, {}, None, False
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("fn="):
            number, _, name = line[3:].partition(" ")
            if name:
                names[number] = name
            current = names.get(number, number)
        elif line.startswith("cfn=") or line.startswith("cfni="):
            number, _, name = line.partition("=")[2].partition(" ")
            if name:
                names[number] = name
        elif line.startswith("calls="):
            skip = True  # the next line is what the called function cost
        elif line[:1] in "0123456789+-*" and line:
            if skip:
                skip = False
            elif current is not None:
                costs[current] = costs.get(current, 0) + int(line.split()[1])
    return costs
