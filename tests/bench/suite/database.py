# SPDX-License-Identifier: Apache-2.0
"""database: one row by key, a call of two queries that depend on each other, and a durable transfer, next to bare libpq and sqlite3.
The programs of tests/bench/database do the work, rounds and pairing included, and print one JSON line; here they are called, and
their figures get names."""
import json
import signal
import sys

from suite import processes
from suite.report import progress, shown

RUNS = (("fetch_balance", "sqlite", 0.5), ("fetch_balance", "postgres", 0.5), ("chain", "postgres", 0.5),
        ("transfer", "sqlite", 1.0), ("transfer", "postgres", 1.0))


def database(suite):
    for name in suite.peers.ours():
        for program, engine, seconds in RUNS:
            progress(f"database: {program} on {engine}, {suite.rounds} rounds, {name}")
            _show(suite, f"database.{program}.{engine}.{name}", _run(suite, name, program, engine, suite.scaled(seconds)))
        for engine in ("sqlite", "postgres") if "instructions" in suite.only and not suite.quick else ():
            progress(f"database: instructions of fetch_balance on {engine}, {name}")
            line = _run(suite, name, "fetch_balance", engine, 2.0, "--instructions")
            for what, value in line["instructions"].items():
                suite.report.single(f"database.fetch_balance.{engine}.{name}.instructions.{what}", value, "instructions per call")
            suite.report.single(f"database.fetch_balance.{engine}.{name}.instructions.ratio", line["ratio_instructions"], "raw / ours")


def _run(suite, name, program, engine, seconds, *options):
    environment = {"SUB0_BUILD_DIR": str(suite.peers.hosts[name][1]), "SUB0_BENCH_BUILD": str(suite.options.build)}
    words = [sys.executable, suite.peers.root / "tests/bench/database" / f"{program}.py", engine,
             "--rounds", suite.rounds, "--seconds", seconds, *options]
    # Ended by an interrupt, so that it ends what it has started itself.
    output, _ = processes.run(words, seconds=300, environment=environment, ending=signal.SIGINT)
    return json.loads(output.strip().splitlines()[-1])


def _show(suite, key, line):
    """{"ratio": {"min", "median", "max"}, "host": {"cpu_us": {...}}, ...}: every spread becomes a figure."""
    suite.report.line(f"{key} ({line['shape']})", "minimum", "median", "maximum")
    for path, spread in _spreads(line):
        suite.report.add_spread(f"{key}.{path}", spread["min"], spread["median"], spread["max"], line["rounds"], path.rpartition(".")[2])
        suite.report.line("  " + path, shown(spread["min"]), shown(spread["median"]), shown(spread["max"]))
    if not line.get("available", True):
        suite.report.line(f"  this host cannot run it: {line['reason']}")


def _spreads(line, prefix=""):
    for name, value in line.items():
        if isinstance(value, dict) and value.keys() == {"min", "median", "max"}:
            yield prefix + name, value
        elif isinstance(value, dict):
            yield from _spreads(value, f"{prefix}{name}.")
