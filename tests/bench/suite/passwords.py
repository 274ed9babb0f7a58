# SPDX-License-Identifier: Apache-2.0
"""passwords: what sign-ins at full load do to everybody else: percentiles of `echo` at a fixed rate, without and with them."""
import http.client
import json
import threading

from suite.report import progress

RATE = 2_000
SIGN_INS = 16  # callers, each with one sign-in under way all the time
HASH = "$2b$12$FGDxyc7.leU0DLFw4Kli5ewPz7Pcsd724PfrVetdzj0TvAGgBaEdy"
PROJECT = [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    {"id": "sign-in", "resource": "sign-in", "actionables": [
        {"id": 1, "mode": "VALUE", "value": {"id": 1, "password": HASH},
         "payload_validation": [{"field": {"password": {"type": "STRING"}}}],
         "verify_hashables": [{"property": "password", "algorithm": "BCRYPT"}]}]},
]


class SignIns:
    """Callers that sign in until they are told to stop."""

    def __init__(self, port):
        self.counts = {}
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(port, number % 2 == 0)) for number in range(SIGN_INS)]

    def _run(self, port, is_right):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        body = json.dumps({"password": "correct horse" if is_right else "wrong"})
        while not self._stopping.is_set():
            connection.request("POST", "/sign-in", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            response.read()
            self.counts[response.status] = self.counts.get(response.status, 0) + 1
        connection.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()


def passwords(suite):
    folder = suite.scratch / "passwords" / "resources"
    folder.mkdir(parents=True)
    (folder / "all.json").write_text(json.dumps(PROJECT))
    percentiles = {key: {} for key in ("p50", "p99", "p999")}
    rates = []
    seconds = suite.scaled(2.0 if suite.quick else 4.0)
    for number in range(suite.rounds):
        with suite.peers.start("host", resources=folder.parent) as server:
            for name in suite.turn(number, ["alone", "signing_in"]):
                progress(f"passwords: round {number + 1} of {suite.rounds}, {name}")
                if name == "alone":
                    result = _echo(suite, server.port, seconds)
                else:
                    with SignIns(server.port) as sign_ins:
                        result = _echo(suite, server.port, seconds)
                        rates.append(sum(sign_ins.counts.values()) / seconds)
                for key, rounds in percentiles.items():
                    rounds.setdefault(name, []).append(result[key + "_us"])
    for key, rounds in percentiles.items():
        suite.report.compare(f"passwords.echo.{key}", rounds, "µs after it was due", floor="alone")
    suite.report.add("passwords.sign_ins", rates, "per second")
    suite.report.line(f"  sign-ins (BCRYPT, 12): {suite.report.median('passwords.sign_ins'):.1f} a second")


def _echo(suite, port, seconds):
    load = suite.peers.load("open_load", port, 16, RATE, seconds)
    result = load.go()
    load.end()
    return result
