#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A call as projects have them (chain/resources): five fields are validated, a query by key, a second one by what the first gave, and
a broadcast to one connection. Next to the same two statements by bare libpq; and a query whose result is cached, next to echo:

    chain.py postgres [--shape 64x1] [--rounds 7] [--seconds 1]

Calls go over WebSocket to sub0-host with one loop, SHAPE = connections x calls in flight on each. Rounds take turns: `host`, `echo`
(the same host and payload, no database), `cached` (a query that is answered from the cache), and `raw`, once for each statement: one connection, non-blocking, pipelined, a batch of
64 and its sync under way. Prints one JSON line. `chain_cpu_us` is the host's CPU per call less that of an echo call of the same round:
validation, two queries, broadcast. `ratio`: raw's CPU for both statements / chain_cpu_us, the CPU of PostgreSQL's own processes
added on both sides; `ratio_client` without it. `cached_over_echo`: the CPU of a cached call over that of an echo call. A broadcast that does not arrive fails the run.
"""

import argparse
import contextlib
import json
import pathlib
import threading

from rounds import call_load, column, hosts, per_second, ratios, rounds, shape_of, spread, tool

from wire import Wire

PROJECT = pathlib.Path(__file__).resolve().parent / "chain"
PAYLOAD = ('{"member":7,"name":"Ada Lovelace","mail":"ada@example.org","tags":["a","b"],'
           '"place":{"city":"London","zip":"W1"}}')
STATEMENTS = (("SELECT circle FROM members WHERE id = $1", "7", "3"),
              ("SELECT title, balance FROM circles WHERE id = $1", "3", "Savings"))
BATCH = 64


class Watcher(threading.Thread):
    """The connection that is told; counts the bytes that it gets."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self._wire = Wire(port)
        self._wire.upgrade("?uid=watcher")
        self.bytes = 0
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while block := self._wire.socket.recv(1 << 20):
                self.bytes += len(block)

    def close(self):
        self._wire.socket.shutdown(2)
        self.join()
        self._wire.socket.close()


def server_processes(database):
    return database.cluster.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                    "AND pid <> pg_backend_pid()").split()


def measure(database, shape, count, seconds):
    with hosts.Host(PROJECT, "--database", database.url, "--loops", "1") as host:
        processes = server_processes(database)
        watcher = Watcher(host.port)

        def run(resource, expected):
            message = f'{{"resource":"{resource}","action":"a","payload":{PAYLOAD}}}'
            return call_load(host, shape, seconds, [message], expected, "", processes)

        def run_raw(statement, parameter, expected):
            return tool("bench_raw_postgres", database.url, seconds, BATCH, 1, statement, parameter, expected)

        results = rounds(count, {"host": lambda: run("chain", '"data":{"title":"Savings","balance":1250}'),
                                 "echo": lambda: run("echo", '"data":{"member":7'),
                                 "cached": lambda: run("cached", '"data":{"title":"Savings","balance":1250}'),
                                 "raw_first": lambda: run_raw(*STATEMENTS[0]), "raw_second": lambda: run_raw(*STATEMENTS[1])})
        watcher.close()
        told = watcher.bytes / len(b'\x81\x34{"action":"seen","data":{"title":"Savings","balance":1250}}')
        calls = sum(result["answered"] for result in results["host"])
        if told < calls:
            raise SystemExit(f"{calls} calls were answered, and the watcher was told {told:.0f} times")
        return results


def report(shape, count, results):
    line = {"benchmark": "chain", "database": "postgres", "shape": shape, "rounds": count}
    for row, figures in results.items():
        line[row] = {"calls_per_s": spread(per_second(figures)), "cpu_us": spread(column(figures, "cpu_us")),
                     "server_cpu_us": spread(column(figures, "server_cpu_us"))}
    chain_cpu = [a - b for a, b in zip(column(results["host"], "cpu_us"), column(results["echo"], "cpu_us"))]
    raw_cpu = [sum(values) for values in zip(*(column(results[row], "cpu_us") for row in ("raw_first", "raw_second")))]
    raw_server = [sum(values) for values in zip(*(column(results[row], "server_cpu_us") for row in ("raw_first", "raw_second")))]
    line["chain_cpu_us"] = spread(chain_cpu)
    line["cached_over_echo"] = spread(ratios(column(results["cached"], "cpu_us"), column(results["echo"], "cpu_us")))
    line["ratio_client"] = spread(ratios(raw_cpu, chain_cpu))
    line["ratio"] = spread(ratios([a + b for a, b in zip(raw_cpu, raw_server)],
                                  [a + b for a, b in zip(chain_cpu, column(results["host"], "server_cpu_us"))]))
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["postgres"])
    parser.add_argument("--shape", default="64x1", help="connections x calls in flight on each (64x1)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement, a fifth of it to get warm (1)")
    words = parser.parse_args()
    with hosts.Postgres() as database:
        hosts.run_sql(database.url, "-f", PROJECT / "schema.sql")
        results = measure(database, shape_of(words.shape), words.rounds, words.seconds)
    print(json.dumps(report(words.shape, words.rounds, results)))


if __name__ == "__main__":
    main()
