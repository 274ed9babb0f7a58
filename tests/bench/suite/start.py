# SPDX-License-Identifier: Apache-2.0
"""start: a project of 1,000 resources, started and checked; wall: what the plugin boundary costs."""
import json
import re
import time

from suite import processes
from suite.report import progress

RESOURCES = 1000


def _write_project(folder):
    """A third of the resources echoes, a third asks the database, a third broadcasts."""
    resources = folder / "resources"
    resources.mkdir(parents=True, exist_ok=True)
    for number in range(RESOURCES):
        action = {"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}
        if number % 3 == 1:
            action = {"id": 1, "mode": "QUERY",
                      "sql_query": {"query": f"SELECT name, {number} AS number FROM people WHERE id = $1",
                                    "parameters": ["$PAYLOAD.id"]}}
        if number % 3 == 2:
            action["broadcast_websocket_message"] = {"broadcast_type": "SINGLE", "action": f"changed_{number}",
                                                     "broadcast_to": "$PAYLOAD.uid"}
        text = json.dumps({"id": f"resource-{number}", "resource": f"resource-{number}", "actionables": [action]}, indent=2)
        (resources / f"resource-{number}.json").write_text(text)
    return folder


def start(suite):
    project = _write_project(suite.scratch / "project")
    times = {"run": {}, "check": {}}
    spent = {"run": {}, "check": {}}
    settings = {name: {"DATABASE_URL": f"sqlite:{suite.scratch}/start.{number}.db"} for number, name in enumerate(suite.peers.ours())}
    for name in settings:
        processes.run([suite.peers.command(name)[0], "sql", "--resources", project,
                       "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)"], environment=settings[name])
    for number in range(suite.rounds):
        for name in suite.turn(number, list(settings)):
            progress(f"start: round {number + 1} of {suite.rounds}, {RESOURCES} resources, {name}")
            begun = time.monotonic()
            with suite.peers.start(name, resources=project, settings=settings[name]) as server:
                times["run"].setdefault(name, []).append(time.monotonic() - begun)
                spent["run"].setdefault(name, []).append(server.cpu_ns() / 1e9)
                ready = re.search(r'"resources":(\d+)', server.log.read_text())
                if not ready or int(ready[1]) != RESOURCES:
                    raise processes.Failed(f"{name} did not load {RESOURCES} resources")
            begun = time.monotonic()
            _, cpu = processes.run([suite.peers.command(name)[0], "check", project], environment=settings[name])
            times["check"].setdefault(name, []).append(time.monotonic() - begun)
            spent["check"].setdefault(name, []).append(cpu)
    suite.report.line("")
    for what in times:
        suite.report.compare(f"start.{what}", times[what], f"s until {'ready' if what == 'run' else 'the end'}", floor="host")
        suite.report.compare(f"start.{what}.cpu", spent[what], "s of CPU", floor="host")


def wall(suite):
    """A run through tickets and the plugin's function table, less a direct call that builds and copies the same."""
    program = suite.peers.bin / "bench_wall"
    runs = suite.scaled(2_000_000)
    costs = []
    for number in range(suite.rounds):
        progress(f"wall: round {number + 1} of {suite.rounds}")
        nanoseconds = {}
        for what in suite.turn(number, ["wall", "direct"]):
            output, _ = processes.run([program, what, runs])
            nanoseconds[what] = float(re.search(r"([\d.]+) ns of CPU per run", output)[1])
        costs.append(nanoseconds["wall"] - nanoseconds["direct"])
    suite.report.line("")
    suite.report.add("wall.ns", costs, "ns")
    suite.report.line("wall.ns (ns of CPU per run, less a direct call)", *(f"{value:.1f}" for value in
                      (min(costs), suite.report.median("wall.ns"), max(costs))))
    if "instructions" in suite.only:
        progress("wall: instructions")
        per_run = {what: _instructions(suite, program, what) for what in ("wall", "direct")}
        suite.report.single("wall.instructions", per_run["wall"] - per_run["direct"], "instructions per run, less a direct call")


def _instructions(suite, program, what, fewer=2_000, more=12_000):
    totals = []
    for runs in (fewer, more):
        out = suite.scratch / f"wall.{what}.{runs}"
        processes.run(["valgrind", "--tool=callgrind", "-q", f"--callgrind-out-file={out}", program, what, runs])
        totals.append(int(re.search(r"^(?:totals|summary): (\d+)", out.read_text(), re.MULTILINE)[1]))
    return (totals[1] - totals[0]) / (more - fewer)
