#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./dev bench [SCENARIO...|all] [--rounds N] [--quick] [--json FILE] [--against REV] [--only WHAT] [--profile N]
Measures sub0-host next to a bare epoll server of the same bytes (the floor) and to peers that other people wrote.
How to read the figures: docs/benchmarks.md.

  echo        CPU, instructions, system calls per message: 64 B and 1 KiB, 64 and 1,000 connections, 1 and 16 in flight
  latency     percentiles at a fixed rate, from the moment when each message was due
  broadcast   the same as echo, per delivery, to 1,000 and 5,000 connections
  churn       connect, one call, close: CPU per cycle
  idle        bytes per idle connection: ours, and the kernel's
  waves       memory after ten waves of connections
  start       start and check of a project of 1,000 resources
  wall        what the plugin boundary costs
  scaling     one and two loops; whom a SINGLE wakes
  passwords   what sign-ins at full load do to the latency of everybody else
  database    one row by key, and a durable transfer, next to bare libpq and sqlite3
  all         all of them (the default), and one table of every bar: met or missed

  --rounds N      interleaved rounds (7; with --quick 2)
  --quick         fewer rounds and cases: in four minutes whether all works, not what to quote
  --json FILE     writes every figure with the values of its rounds
  --against REV   builds another revision under build/ and runs it side by side, as a peer of that name
  --only WHAT     cpu, instructions or calls alone (echo, broadcast, churn, wall)
  --profile N     prints the N functions with the most instructions of each callgrind window
  --peers LIST    leaves out peers that are not named, e.g. floor,host (the host and the floor always run)
  --scale F       multiplies the number of messages, connections, seconds
  --build DIR     a build folder with the programs (build/release)
"""
import argparse
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from suite import broadcast, connections, database, echo, measure, passwords, peers, processes, report, start  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = {"echo": echo.echo, "latency": echo.latency, "broadcast": broadcast.broadcast, "churn": connections.churn,
             "idle": connections.idle, "waves": connections.waves, "start": start.start, "wall": start.wall,
             "scaling": broadcast.scaling, "passwords": passwords.passwords, "database": database.database}
LIMIT_S = {False: 35 * 60, True: 10 * 60}  # a run that hangs ends here


class OutOfTime(Exception):
    pass


class Suite:
    """What a scenario is given: servers and loads, how much of all, and where figures go."""

    def __init__(self, options, scratch):
        self.options = options
        self.scratch = scratch
        self.quick = options.quick
        self.rounds = options.rounds or (2 if options.quick else 7)
        self.only = {options.only} if options.only else {"cpu", "instructions", "calls"}
        self.report = report.Report()
        self.peers = peers.Peers(ROOT, options.build, scratch)
        self._installed = {}

    def scaled(self, count):
        value = count * self.options.scale
        return value if isinstance(count, float) else max(1, int(value))

    def turn(self, number, names):
        """The order of a round: nobody always follows the same neighbour's end."""
        shift = number % len(names)
        return names[shift:] + names[:shift]

    def installed(self, name):
        """[name], or nothing if that peer is not wanted or not to be had here."""
        if self.options.peers and name not in self.options.peers.split(","):
            return []
        if name not in self._installed:
            self._installed[name] = name != "ws" or self.peers.install_ws()
            if not self._installed[name]:
                print("node `ws` could not be installed: left out", file=sys.stderr)
        return [name] if self._installed[name] else []

    def keep_profile(self, key, path, count):
        if not self.options.profile:
            return
        costs = sorted(measure.functions(path).items(), key=lambda row: -row[1])
        self.report.line(f"  of which, in the functions themselves ({key}):")
        for name, instructions in costs[:self.options.profile]:
            self.report.line(f"    {instructions / count:10.1f}  {name[:150]}")


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./dev bench", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage="./dev bench [SCENARIO...|all] [options]; see --help", add_help=False)
    parser.add_argument("--help", "-h", action="version", version=__doc__)
    parser.add_argument("scenarios", nargs="*")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--against")
    parser.add_argument("--only", choices=["cpu", "instructions", "calls"])
    parser.add_argument("--profile", type=int, default=0)
    parser.add_argument("--peers")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    options = parser.parse_args(arguments)
    options.scenarios = list(SCENARIOS) if options.scenarios in ([], ["all"]) else options.scenarios
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"unknown scenario '{unknown[0]}': {', '.join(SCENARIOS)} or all")
    if (options.rounds is not None and options.rounds < 1) or options.scale <= 0:
        parser.error("--rounds and --scale are above nothing")
    options.build = options.build.resolve()
    return options


def facts(suite):
    revision = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {"revision": revision.stdout.strip(), "kernel": platform.release(), "cores": os.cpu_count(),
            "load_average": os.getloadavg()[0], "rounds": suite.rounds, "quick": suite.quick,
            "scale": suite.options.scale, "scenarios": suite.options.scenarios, "against": suite.options.against}


def run(options, scratch):
    suite = Suite(options, scratch)
    about = facts(suite)
    print(f"sub0 {about['revision']}, {about['cores']} cores, load average {about['load_average']:.1f}, "
          f"{suite.rounds} rounds")
    if about["load_average"] > 0.5:
        print("the machine is busy: instructions and system calls hold, CPU and times are to be read with care")
    if options.against:
        report.progress(f"building {options.against} (log: build/against-*.log)")
        try:
            name, sources, build = peers.build_revision(ROOT, options.against)
            suite.peers.add_revision(name, sources, build)
            suite.report.against = name
        except processes.Failed as error:
            print(error, file=sys.stderr)
            return 1
    failed = []
    for name in options.scenarios:
        begun = time.monotonic()
        try:
            SCENARIOS[name](suite)
        except (processes.Failed, OutOfTime) as error:
            report.progress("")
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
            processes.stop_all()
            if isinstance(error, OutOfTime):
                break
        suite.report.line(f"[{name}: {time.monotonic() - begun:.0f} s]")
    suite.report.bars(options.scenarios)
    if options.json:
        suite.report.write(options.json, {**about, "failed": failed})
    return 1 if failed else 0


def main():
    options = parse(sys.argv[1:])

    def stop(*_):
        raise SystemExit("\nbench: stopped")

    def give_up(*_):
        raise OutOfTime(f"not done after {LIMIT_S[options.quick] // 60} minutes; what was measured until then follows")

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LIMIT_S[options.quick])
    connections.raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="sub0-bench-") as scratch:
        try:
            return run(options, pathlib.Path(scratch))
        finally:
            signal.alarm(0)
            processes.stop_all()


if __name__ == "__main__":
    sys.exit(main())
