#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fetch-balance of sample-resources/wallet (a token, one row by its key) next to what the database's own library can do:

    fetch_balance.py sqlite|postgres [--shape 64x1] [--rounds 7] [--seconds 1] [--instructions]

Calls go over WebSocket to sub0-host with one loop, SHAPE = connections x calls in flight on each. Rounds take turns: `host`
(fetch-balance), `echo` (the same host, a reply of about the same length, no database), and the raw peers, all on the same
database, statement and row:
  sqlite    raw: sqlite3 in one thread, the statement prepared once, no transaction around a read; raw_group: 16 reads in one
  postgres  raw: libpq, one connection, non-blocking, pipelined, a batch of 64 calls and its sync under way
Prints one JSON line. `query_cpu_us` is the host's CPU per call less that of an echo call of the same round: what stays is the call's
database part (the query plugin and its library, a token already known), without network, frames, envelopes. What is compared:
  ratio         sqlite: raw's CPU per call / query_cpu_us
                postgres: the same with the CPU of PostgreSQL's own processes for each call added on both sides, as it is client and
                server together that say how many calls a machine can do
  ratio_client  postgres, without the server's
  ratio_group   sqlite: raw_group's CPU per call / query_cpu_us (the host, too, may read in groups)
  rate_ratio    the host's calls per second / raw's; the host shares the machine with its clients, raw has none
Each is of the same round. With --instructions user-space instructions per call are counted instead (callgrind; no rounds, they do
not move), of the host alone and so without PostgreSQL's. On SQLite it wants a machine that is not loaded: callgrind makes a read slow, and
one that takes over a millisecond twice goes to the reading threads for a while, which costs thrice as much.
"""

import argparse
import functools
import json

from instructions import CountedHost, counted_tool, per_call
from rounds import ROOT, call_load, column, hosts, per_second, ratios, rounds, shape_of, spread, tool

QUERY = "SELECT wallet_balance FROM users WHERE id = {}"
USER, BALANCE = "user_12345", "1250.75"
FETCH = '{"resource":"fetch-balance","action":"balance_check","payload":{}}'
ECHO = '{"resource":"echo","action":"balance_check","payload":{"wallet_balance":1250.75}}'
EXPECTED = '"data":{"wallet_balance":1250.75}'
GROUP = 16
BATCH = 64


def raw_words(database, seconds):
    """What the peers of this database are run with, by name."""
    if database.name == "sqlite":
        path = database.url.removeprefix("sqlite:")
        return {name: ("bench_raw_sqlite", "read", path, seconds, group, QUERY.format("?1"), USER, BALANCE)
                for name, group in (("raw", 1), ("raw_group", GROUP))}
    return {"raw": ("bench_raw_postgres", database.url, seconds, BATCH, 1, QUERY.format("$1"), USER, BALANCE)}


def server_processes(database):
    """The server's processes that serve the host."""
    if database.name == "sqlite":
        return []
    return database.cluster.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                    "AND pid <> pg_backend_pid()").split()


def measure(database, shape, count, seconds):
    header = f"x-access-token: {hosts.mint_token(USER)}"
    with hosts.Host(hosts.WALLET, "--database", database.url, "--loops", "1") as host:
        processes = server_processes(database)

        def run(message):
            return call_load(host, shape, seconds, [message], EXPECTED, header, processes)

        raw = {name: functools.partial(tool, *words) for name, words in raw_words(database, seconds).items()}
        return rounds(count, {"host": lambda: run(FETCH), "echo": lambda: run(ECHO), **raw})


def count_instructions(database, shape, seconds):
    """Per call, as the difference of a long and a short run."""
    header = f"x-access-token: {hosts.mint_token(USER)}"
    counts = {}
    with CountedHost(hosts.WALLET, "--database", database.url, "--loops", "1") as counted:
        for name, message in (("host", FETCH), ("echo", ECHO)):
            counts[name] = per_call(*(counted.counted(lambda: call_load(counted.host, shape, length, [message], EXPECTED, header))
                                      for length in (seconds, 3 * seconds)))
    for name in raw_words(database, 0):
        counts[name] = per_call(*(counted_tool(*raw_words(database, length)[name]) for length in (seconds, 3 * seconds)))
    query = counts["host"] - counts["echo"]
    return {"instructions": {**counts, "query": round(query, 1)}, "ratio_instructions": round(counts["raw"] / query, 3)}


def report(name, shape, count, results):
    query_cpu = [a - b for a, b in zip(column(results["host"], "cpu_us"), column(results["echo"], "cpu_us"))]
    line = {"benchmark": "fetch-balance", "database": name, "shape": shape, "rounds": count}
    for row, figures in results.items():
        line[row] = {"calls_per_s": spread(per_second(figures)), "cpu_us": spread(column(figures, "cpu_us"))}
        if name == "postgres" and row != "echo":
            line[row]["server_cpu_us"] = spread(column(figures, "server_cpu_us"))
    line["query_cpu_us"] = spread(query_cpu)
    raw_cpu = column(results["raw"], "cpu_us")
    if name == "sqlite":
        line["ratio"] = spread(ratios(raw_cpu, query_cpu))
        line["ratio_group"] = spread(ratios(column(results["raw_group"], "cpu_us"), query_cpu))
    else:
        both = ([client + server for client, server in zip(cpu, column(results[row], "server_cpu_us"))]
                for row, cpu in (("raw", raw_cpu), ("host", query_cpu)))
        line["ratio"] = spread(ratios(*both))
        line["ratio_client"] = spread(ratios(raw_cpu, query_cpu))
    line["rate_ratio"] = spread(ratios(per_second(results["host"]), per_second(results["raw"])))
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=sorted(hosts.DATABASES))
    parser.add_argument("--shape", default="64x1", help="connections x calls in flight on each (64x1)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement, a fifth of it to get warm (1)")
    parser.add_argument("--instructions", action="store_true", help="count instructions per call instead")
    words = parser.parse_args()
    shape = shape_of(words.shape)
    with hosts.DATABASES[words.database]() as database:
        hosts.run_sql(database.url, "-f", ROOT / "sample-resources/wallet/demo.sql")
        if words.instructions:
            line = {"benchmark": "fetch-balance", "database": words.database, "shape": words.shape,
                    **count_instructions(database, shape, words.seconds)}
        else:
            line = report(words.database, words.shape, words.rounds, measure(database, shape, words.rounds, words.seconds))
    print(json.dumps(line))


if __name__ == "__main__":
    main()
