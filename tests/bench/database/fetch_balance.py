#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fetch-balance of sample-resources/wallet (a token, one row by its key) next to what the database's own library can do:

    fetch_balance.py sqlite|postgres [--shape 64x1] [--rounds 7] [--seconds 1]

Calls go over WebSocket to sub0-host with one loop, SHAPE = connections x calls in flight on each. Rounds take turns: `host`
(fetch-balance), `echo` (the same host, a reply of about the same length, no database), and the raw peers, all on the same
database, statement and row:
  sqlite    raw: sqlite3 in one thread, the statement prepared once, no transaction around a read; raw_group: 16 reads in one
  postgres  raw: libpq, one connection, non-blocking, pipelined, a batch of 64 calls and its sync under way
Prints one JSON line. `query_cpu_us` is the host's CPU per call less that of an echo call of the same round: what stays is the call's
database part (the query plugin and its library, a token already known), without network, frames, envelopes. `ratio` is raw's CPU per
call divided by it, `ratio_group` the same for raw_group (the host, too, may read in groups), `rate_ratio` host's calls per second
divided by raw's. On PostgreSQL `server_cpu_us` is that of the server's processes for each call, and `ratio_with_server` compares what client
and server use together. The network to PostgreSQL is in both sides; that to the host's clients is in neither, but in `rate_ratio`,
where the host shares the machine with its clients and raw does not.
"""

import argparse
import json

from rounds import ROOT, call_load, column, hosts, per_second, ratios, rounds, shape_of, spread, tool

QUERY = "SELECT wallet_balance FROM users WHERE id = {}"
USER, BALANCE = "user_12345", "1250.75"
FETCH = '{"resource":"fetch-balance","action":"balance_check","payload":{}}'
ECHO = '{"resource":"echo","action":"balance_check","payload":{"wallet_balance":1250.75}}'
EXPECTED = '"data":{"wallet_balance":1250.75}'
GROUP = 16
BATCH = 64


def raw_runs(database, seconds):
    if database.name == "sqlite":
        path = database.url.removeprefix("sqlite:")
        return {name: lambda group=group: tool("bench_raw_sqlite", "read", path, seconds, group, QUERY.format("?1"), USER, BALANCE)
                for name, group in (("raw", 1), ("raw_group", GROUP))}
    return {"raw": lambda: tool("bench_raw_postgres", database.url, seconds, BATCH, 1, QUERY.format("$1"), USER, BALANCE)}


def server_processes(database):
    """The server's processes that serve the host."""
    if database.name == "sqlite":
        return []
    return database.cluster.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                    "AND pid <> pg_backend_pid()").split()


def measure(database, shape, count, seconds):
    hosts.run_sql(database.url, "-f", ROOT / "sample-resources/wallet/demo.sql")
    header = f"x-access-token: {hosts.mint_token(USER)}"
    with hosts.Host(hosts.WALLET, "--database", database.url, "--loops", "1") as host:
        processes = server_processes(database)

        def run(message):
            return call_load(host, shape, seconds, [message], EXPECTED, header, processes)

        return rounds(count, {"host": lambda: run(FETCH), "echo": lambda: run(ECHO), **raw_runs(database, seconds)})


def report(name, shape, count, results):
    query_cpu = [a - b for a, b in zip(column(results["host"], "cpu_us"), column(results["echo"], "cpu_us"))]
    line = {"benchmark": "fetch-balance", "database": name, "shape": shape, "rounds": count}
    for row, figures in results.items():
        line[row] = {"calls_per_s": spread(per_second(figures)), "cpu_us": spread(column(figures, "cpu_us"))}
        if name == "postgres" and row != "echo":
            line[row]["server_cpu_us"] = spread(column(figures, "server_cpu_us"))
    line["query_cpu_us"] = spread(query_cpu)
    line["ratio"] = spread(ratios(column(results["raw"], "cpu_us"), query_cpu))
    if "raw_group" in results:
        line["ratio_group"] = spread(ratios(column(results["raw_group"], "cpu_us"), query_cpu))
    if name == "postgres":
        ours, raw = ([a + b for a, b in zip(cpu, column(results[row], "server_cpu_us"))]
                     for row, cpu in (("host", query_cpu), ("raw", column(results["raw"], "cpu_us"))))
        line["ratio_with_server"] = spread(ratios(raw, ours))
    line["rate_ratio"] = spread(ratios(per_second(results["host"]), per_second(results["raw"])))
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=sorted(hosts.DATABASES))
    parser.add_argument("--shape", default="64x1", help="connections x calls in flight on each (64x1)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement, a fifth of it to get warm (1)")
    words = parser.parse_args()
    with hosts.DATABASES[words.database]() as database:
        results = measure(database, shape_of(words.shape), words.rounds, words.seconds)
    print(json.dumps(report(words.database, words.shape, words.rounds, results)))


if __name__ == "__main__":
    main()
