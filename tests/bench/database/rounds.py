# SPDX-License-Identifier: Apache-2.0
"""What the database scenarios share: the tools, what they need around them, and rounds in which the compared take turns, so that
what else happens on the machine meets all of them alike.

    figures = rounds(7, {"host": run_host, "raw": run_raw})     # figures["host"] is a list of what the tool printed
    print(json.dumps({"host": spread(figures["host"], "cpu_us")}))
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/functional/clients"), str(ROOT / "tests/support")]

import host as hosts  # noqa: E402  (it takes its build folder from SUB0_BUILD_DIR)

TOOLS = pathlib.Path(os.environ.get("SUB0_BENCH_BUILD", hosts.BUILD)) / "tests/bench/database"


def tool(name, *words, messages=None):
    """Runs a tool to its end; the object that it printed."""
    done = subprocess.run([str(TOOLS / name), *map(str, words)], input=messages, stdin=None if messages else subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


def rounds(count, runs):
    """Each of `runs` once a round, in turn; their results by name. Says on stderr how far it is, if somebody looks."""
    results = {name: [] for name in runs}
    for number in range(count):
        for name, run in runs.items():
            results[name].append(run())
        if sys.stderr.isatty():
            print(f"round {number + 1} of {count}", end="\r", file=sys.stderr)
    return results


def spread(values):
    return {"min": round(min(values), 4), "median": round(statistics.median(values), 4), "max": round(max(values), 4)}


def per_second(results):
    return [result["calls"] / result["seconds"] for result in results]


def column(results, key):
    return [result[key] for result in results]


def ratios(above, below):
    """Of the same round each."""
    return [a / b for a, b in zip(above, below)]


def call_load(host, shape, seconds, messages, expected, header="", processes=()):
    """Calls of `messages` in turn; the tool's figures, with `cpu_us` that of the host and `server_cpu_us` that of `processes`."""
    connections, in_flight = shape
    result = tool("bench_call_load", host.port, connections, in_flight, seconds, expected, header, host.process.pid, *processes,
                  messages="\n".join(messages) + "\n")
    host_cpu, *others = result["cpu_us"]
    return {**result, "cpu_us": host_cpu, "server_cpu_us": sum(others)}


def shape_of(text):
    """`64x1`: connections, and calls in flight on each."""
    connections, in_flight = text.split("x")
    return int(connections), int(in_flight)
