#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Durable transfers: two updates and an insert in one transaction (`transaction: true`), each answered when it is on the disk:

    transfer.py sqlite|postgres [--shape 64x1] [--rounds 7] [--seconds 2]

Calls go over WebSocket to sub0-host with one loop, SHAPE = connections x calls in flight on each; rounds take turns with the
raw peer, which has the same schema in a database of its own on the same disk:
  sqlite    sqlite3 in one thread: 64 transfers, each between savepoints, in one BEGIN IMMEDIATE ... COMMIT; log, synchronous=FULL
  postgres  libpq: 64 connections, on each BEGIN, the three statements and COMMIT in one batch; fsync on
Prints one JSON line; `ratio` is the host's transfers per second divided by raw's, in the same round. The run fails unless every answered
transfer is in the database and no money came or went. A host that cannot run the project is told as `"available": false`; the
raw figures stand then alone.
"""

import argparse
import contextlib
import json
import pathlib
import random
import re

from rounds import call_load, column, hosts, per_second, ratios, rounds, shape_of, spread, tool

PROJECT = pathlib.Path(__file__).resolve().parent / "transfer"
ACCOUNTS = 10_000
GROUP = 64
OK = '"data":null}'  # a failure has more behind it
COUNTED = "SELECT (SELECT count(*) FROM transfers) AS transfers, (SELECT sum(balance) FROM accounts) AS money"


def messages():
    """Always from the lower to the higher account, so that no two wait for each other in PostgreSQL."""
    choice = random.Random(1)
    for _ in range(4096):
        source, target = sorted(choice.sample(range(1, ACCOUNTS + 1), 2))
        yield f'{{"resource":"transfer","action":"t","payload":{{"source":{source},"target":{target},"amount":1}}}}'


class Ledger:
    """A database with the schema, and what must be in it at the end."""

    def __init__(self, url):
        self.url = url
        self.answered = 0
        hosts.run_sql(url, "-f", PROJECT / "schema.sql")
        self.money = self.counted()["money"]

    def counted(self):
        return json.loads(hosts.run_sql(self.url, COUNTED))

    def add(self, result):
        self.answered += result["answered"]
        return result

    def check(self):
        """REQUIRES: nobody else has the database open."""
        found = self.counted()
        if (found["transfers"], int(found["money"])) != (self.answered, int(self.money)):
            raise SystemExit(f"{self.answered} transfers were answered, {self.money} is all the money, but the database has {found}")


class Sqlite:
    def __init__(self, stack):
        self._folder = stack.enter_context(hosts.Folder())

    def url(self, name):
        return f"sqlite:{self._folder.path}/{name}.db"

    def run_raw(self, seconds):
        return tool("bench_raw_sqlite", "transfer", self.url("raw").removeprefix("sqlite:"), seconds, GROUP, ACCOUNTS)


class Postgres:
    def __init__(self, stack):
        from postgres_cluster import PostgresCluster
        self._cluster = stack.enter_context(PostgresCluster(is_durable=True))
        for name in ("host", "raw"):
            self._cluster.execute(f"CREATE DATABASE {name}")

    def url(self, name):
        return self._cluster.url.removesuffix("/postgres") + "/" + name

    def run_raw(self, seconds):
        return tool("bench_raw_transfer", self.url("raw"), seconds, GROUP, ACCOUNTS)


DATABASES = {"sqlite": Sqlite, "postgres": Postgres}


def refusal(url):
    """What the host says about `transaction` in the project: nothing, if it can do it. A warning is that no plugin takes part."""
    done = hosts.run_program("check", PROJECT, "--database", url)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if done.returncode != 0 or "[/transaction]" in line]
    return re.sub("^.*?(error|warning): ", "", lines[0]) if lines else ""


def measure(database, shape, count, seconds, is_available):
    raw = Ledger(database.url("raw"))
    runs = {"raw": lambda: raw.add(database.run_raw(seconds))}
    with contextlib.ExitStack() as stack:
        ledgers = [raw]
        if is_available:
            ours = Ledger(database.url("host"))
            ledgers.append(ours)
            host = stack.enter_context(hosts.Host(PROJECT, "--database", ours.url, "--loops", "1"))
            calls = list(messages())
            runs = {"host": lambda: ours.add(call_load(host, shape, seconds, calls, OK)), **runs}
        results = rounds(count, runs)
    for ledger in ledgers:
        ledger.check()
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=sorted(DATABASES))
    parser.add_argument("--shape", default="64x1", help="connections x calls in flight on each (64x1)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement, a fifth of it to get warm (2)")
    words = parser.parse_args()
    with contextlib.ExitStack() as stack:
        database = DATABASES[words.database](stack)
        why_not = refusal(database.url("host"))
        results = measure(database, shape_of(words.shape), words.rounds, words.seconds, not why_not)
    line = {"benchmark": "transfer", "database": words.database, "shape": words.shape, "rounds": words.rounds, "available": not why_not}
    for name, figures in results.items():
        line[name] = {"transfers_per_s": spread(per_second(figures)), "cpu_us": spread(column(figures, "cpu_us"))}
    if why_not:
        line["reason"] = why_not
    else:
        line["ratio"] = spread(ratios(per_second(results["host"]), per_second(results["raw"])))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
