#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Replays text scenarios against the real binary and real databases: see tests/functional/README.md for the format.

    run.py [--host PATH] [--engine sqlite|postgres|mariadb|odbc]... [--loops N]... [--way http|websocket]... FILE.scenario...

Without --engine, --loops and --way every variant that a file asks for is run. UPDATE_EXPECT=1 rewrites expectations that differ.
"""
import argparse
import asyncio
import http.client
import itertools
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

import websockets
import websockets.exceptions

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import database  # noqa: E402
import patterns  # noqa: E402
from calls import WAYS, CallSteps  # noqa: E402
from scenario import BLOCKS, CONDITION, Failure, Scenario, rewrite  # noqa: E402
from sockets import DEADLINE_S, SocketSteps, headers_of  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
ENGINES = ("sqlite", "postgres", "mariadb", "odbc")


class Run(SocketSteps, CallSteps):
    """One replay: a temporary folder, a database, at most one host at a time, any number of sockets."""

    def __init__(self, scenario, host, engine, loops, way="http"):
        self.scenario, self.host, self.engine, self.loops = scenario, host, engine, loops
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sub0-scenario-"))
        self.project = self.folder / "project"
        self.project.mkdir()
        self.environment = {"PATH": os.environ["PATH"], "SUB0_LOG": "json", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
        self.environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k == "LLVM_PROFILE_FILE"})
        self.database = None
        self.secrets = set()
        self.variables = {"SOURCE": str(ROOT), "PROJECT": str(self.project), "BUILD": str(host.parents[1]), "ENGINE": engine}
        self.words = {}  # the variables that blocks have too
        self.server = self.reader = None
        self.port = 0
        self.log = []
        self.log_grew = asyncio.Event()
        self.allowed_errors = []
        self.sockets = {}
        self.last = None  # what `expect` looks at: ("http", status, headers, body) or ("exit", code, lines)
        self.rewrites = {}
        self.number = 0
        self.start_calling(way)

    # ---- steps --------------------------------------------------------------------------------
    async def replay(self):
        try:
            for number, line, block in self.scenario.steps:
                self.number = number
                await self.step(line, block)
            await self.finish()
        except (Failure, AssertionError, OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException) as problem:
            what = str(problem) or type(problem).__name__
            log = "".join("\n      " + line for line in self.log[-12:])
            raise Failure(f"{self.scenario.path}:{self.number + 1}: {self.scenario.lines[self.number]}\n  {what}"
                          + (f"\n    the host's log:{log}" if log else "")) from problem
        finally:
            if self.server and self.server.returncode is None:
                self.server.kill()
                await self.server.wait()
            if self.database:
                self.database.remove()
            shutil.rmtree(self.folder, ignore_errors=True)

    def is_meant(self, words):
        """on ENGINE... WAY...: both where both are named."""
        if unknown := set(words) - set(ENGINES) - set(WAYS):
            raise Failure(f"'{unknown.pop()}' is neither a database nor a way")
        return all(own in words for own, all_of_them in ((self.engine, ENGINES), (self.way, WAYS)) if set(words) & set(all_of_them))

    async def step(self, line, block):
        if condition := CONDITION.match(line):
            if not self.is_meant(condition[1].split()):
                return
            line = line[condition.end():]
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word not in BLOCKS:
            rest = self.expand(rest)
        if word in ("engines", "loops"):
            return
        if word in self.sockets:
            await self.socket_step(word, rest)
            return
        action = getattr(self, "do_" + word.replace("-", "_"), None)
        if action is None:
            raise Failure(f"'{word}' is neither a step nor a connection")
        await action(rest, block)

    def expand(self, text):
        text = re.sub(r"\$\{repeat (\d+) (.*?)\}", lambda m: m[2] * int(m[1]), text)
        return re.sub(r"\$\{(\w+)\}", lambda m: self.variables.get(m[1], m[0]), text)

    async def do_file(self, rest, block):
        words = rest.split()
        if words[0] == "copy":
            source = ROOT / self.expand(words[1])
            target = self.project / (words[2] if len(words) > 2 else ".")
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)
            return
        path = self.project / words[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.fill(block))

    async def do_let(self, rest, _):
        """let NAME = text: what `${NAME}` is from then on, in blocks too: for SQL that databases write in different words"""
        name, _, text = rest.partition("=")
        self.variables[name.strip()] = self.words[name.strip()] = text.strip()

    def fill(self, block):
        text = "\n".join(block) + "\n"
        for name, words in self.words.items():
            text = text.replace("${" + name + "}", words)
        return text

    async def do_env(self, rest, _):
        name, _, value = rest.partition("=")
        self.environment[name] = value
        if re.search("KEY|SECRET", name) and len(value) >= 8:
            self.secrets.add(value)

    def need_database(self):
        if self.database is None:
            self.database = database.create(self.engine, self.folder)
            self.environment.setdefault("DATABASE_URL", self.database.url)

    async def do_database(self, rest, _):
        self.need_database()

    async def do_sql(self, rest, block):
        self.need_database()
        if rest and self.engine not in rest.split():
            return
        script = self.folder / "script.sql"
        script.write_text(self.fill(block))
        await self.command(["sql", "-f", str(script), "--resources", str(self.project)])
        if self.last[1] != 0:
            raise Failure("\n  ".join(["sub0-host sql failed:"] + self.last[2]))

    async def do_sqlfile(self, rest, _):
        self.need_database()
        await self.command(["sql", "-f", str(self.project / rest), "--resources", str(self.project)])
        if self.last[1] != 0:
            raise Failure("\n  ".join(["sub0-host sql failed:"] + self.last[2]))

    async def command(self, words):
        """Runs sub0-host WORDS in the project folder; all that it prints, stderr last, is what `expect exit` sees."""
        process = await asyncio.create_subprocess_exec(
            str(self.host), *words, cwd=self.project, env={"DATABASE_URL": f"sqlite:{self.folder}/unused.db", **self.environment, "SUB0_LOG": "text", "SUB0_LOG_LEVEL": "warning"},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            out, err = await asyncio.wait_for(process.communicate(), DEADLINE_S)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()
            raise Failure(f"sub0-host {' '.join(words)} does not end") from None
        text = out.decode(errors="replace") + err.decode(errors="replace")
        self.last = ("exit", process.returncode, [line.rstrip() for line in text.splitlines() if line.strip()])
        return out.decode(errors="replace").strip()

    async def do_host(self, rest, _):
        await self.command(shlex.split(rest))

    async def do_keys(self, rest, _):
        """keys RSA, keys EC: a fresh pair of PEM keys in the environment, RSA_PRIVATE_KEY and RSA_PUBLIC_KEY"""
        pem = self.folder / "key.pem"
        kind = ["-algorithm", "RSA"] if rest == "RSA" else ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(["openssl", "genpkey", *kind, "-out", pem], check=True, stderr=subprocess.DEVNULL)
        await self.do_env(f"{rest}_PRIVATE_KEY={pem.read_text()}", None)
        self.environment[f"{rest}_PUBLIC_KEY"] = subprocess.run(["openssl", "pkey", "-in", pem, "-pubout"], check=True, stdout=subprocess.PIPE, text=True).stdout

    async def do_token(self, rest, _):
        """token NAME = mint RESOURCE claim=value... [--expires S]; token NAME = sign KEY CLAIMS: HS256, whatever they say"""
        name, _, words = rest.partition("=")
        verb, first, *more = words.split(maxsplit=2)
        if verb == "sign":
            self.variables[name.strip()] = token = patterns.signed_token(first, more[0])
            self.secrets.add(token)
            return
        arguments = ["token", "mint", first, "--resources", str(self.project)]
        for word in shlex.split(more[0] if more else ""):
            arguments += [word] if word.startswith("--") or word.lstrip("-").isdigit() else ["--claim", word]
        token = await self.command(arguments)
        if self.last[1] != 0:
            raise Failure("\n  ".join(["no token:"] + self.last[2]))
        self.variables[name.strip()] = token
        self.secrets.add(token)

    # ---- the host -----------------------------------------------------------------------------
    async def do_start(self, rest, _):
        words = shlex.split(rest)
        arguments = ["run", "--port", "0", "--state", str(self.folder / "state")]
        if "--resources" not in words:
            arguments += ["--resources", str(self.project)]
        if "--loops" not in words:
            arguments += ["--loops", self.loops]
        if self.engine != "sqlite":
            self.need_database()
        self.log.clear()
        self.server = await asyncio.create_subprocess_exec(
            str(self.host), *arguments, *words, cwd=self.folder, env=self.environment,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
        self.reader = asyncio.ensure_future(self.read_log())
        next_step = next((line for at, line, _ in self.scenario.steps if at > self.number), "")
        if next_step.startswith("expect exit"):
            await asyncio.wait_for(self.server.wait(), DEADLINE_S)
            await self.reader
            lines = [patterns.log_member(line, "message") for line in self.log
                     if patterns.log_member(line, "level") != "info"]
            self.last = ("exit", self.server.returncode, [part for text in lines for part in text.splitlines() if part])
            self.server = None
            return
        line = await self.wait_log('"event":"ready"')
        self.port = int(patterns.log_member(line, "port"))

    async def read_log(self):
        stream = self.server.stderr
        while True:
            line = await stream.readline()
            if not line:
                break
            self.log.append(line.decode(errors="replace").rstrip())
            self.log_grew.set()
        self.log_grew.set()

    async def wait_log(self, text):
        seen = 0
        while True:
            while seen < len(self.log):
                if text in self.log[seen]:
                    return self.log[seen]
                seen += 1
            if self.reader.done():
                raise Failure(f"the host ended before it logged {text}")
            self.log_grew.clear()
            try:
                await asyncio.wait_for(self.log_grew.wait(), DEADLINE_S)
            except asyncio.TimeoutError:
                raise Failure(f"the host does not log {text}") from None

    async def do_log(self, rest, _):
        """log TEXT: a line of the log holds TEXT, now or soon. log ! TEXT: none does so far."""
        if rest.startswith("! "):
            if any(rest[2:] in line for line in self.log):
                raise Failure("a line of the log holds it")
            return
        await self.wait_log(rest)

    async def do_allow(self, rest, _):
        self.allowed_errors.append(rest)

    async def do_stop(self, rest, _):
        for name in list(self.sockets):
            await self.close_quietly(name)
        await self.close_callers()
        server, self.server = self.server, None
        server.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(server.wait(), DEADLINE_S)
        except asyncio.TimeoutError:
            server.kill()
            raise Failure("the host does not end after SIGTERM") from None
        await self.reader
        if server.returncode != 0:
            raise Failure(f"the host ended with {server.returncode}")
        for line in self.log:
            for secret in self.secrets:
                if secret in line:
                    raise Failure("a secret or token stands in the log: " + line)
            if patterns.log_member(line, "level") == "error" and not any(text in line for text in self.allowed_errors):
                raise Failure("an error in the log: " + line)

    async def finish(self):
        if self.server:
            await self.do_stop("", None)

    # ---- HTTP ---------------------------------------------------------------------------------
    async def do_http(self, rest, _):
        """http METHOD /path [Name: value]... [body]"""
        method, path, *body = rest.split(" ", 2)
        headers, body = headers_of(body[0] if body else "")
        self.last = await self.request(method, path, headers, body)
        self.refuse_secrets(self.last[3])

    async def request(self, method, path, headers, body):
        data = bytes.fromhex(body[4:]) if body.startswith("hex:") else body.encode("utf-8", "surrogateescape")

        def call():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if data or method == "POST":
                if not any(name.lower() == "content-type" for name, _ in headers) and data:
                    connection.putheader("Content-Type", "application/json")
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data or None)
            response = connection.getresponse()
            answer = ("http", response.status, response.getheaders(), response.read().decode(errors="replace"))
            connection.close()
            return answer

        return await asyncio.get_running_loop().run_in_executor(None, call)

    def refuse_secrets(self, reply):
        if any(secret in reply for secret in self.secrets if secret not in line_of(self)):
            if not reply.count('"token"'):
                raise Failure("a secret stands in the reply: " + reply)

    async def do_expect(self, rest, block):
        if self.last is None:
            raise Failure("nothing has been asked before this")
        if rest.startswith("exit"):
            self.expect_exit(int(rest.split()[1]), [self.expand(line) for line in block])
            return
        kind, status, got_headers, body = self.last
        wanted, _, rest = rest.partition(" ")
        headers, pattern = headers_of(rest)
        if kind == "socket":  # its reply has neither headers nor another word for what goes on behind it
            headers, pattern = [], "data null" if pattern == "accepted" else pattern
        pattern = patterns.envelope(pattern)
        if str(status) != wanted:
            self.differs("expect", f"{status} {body}" if kind == "http" else patterns.short(status, body), f"status {status}, body {body}")
            return
        for name, value in headers:
            got = [v for n, v in got_headers if n.lower() == name.lstrip("!").lower()]
            if name.startswith("!"):
                if got:
                    raise Failure(f"header {name[1:]} is there: {got}")
            elif value not in got and not any(patterns.text_matches(value, v) for v in got):
                raise Failure(f"header {name}: {got}")
        if pattern and (difference := patterns.compare(pattern, body)):
            shown = "".join(f"[{name}: {value}] " if value is not None else f"[{name}] " for name, value in headers)
            self.differs("expect", f"{status} {shown}{body}" if kind == "http" else patterns.short(status, body), f"{difference}\n  got {body}")

    def expect_exit(self, code, lines):
        kind, got_code, got = self.last
        if kind != "exit":
            raise Failure("no command ran before this")
        same = got_code == code and ((not lines and not os.environ.get("UPDATE_EXPECT")) or (len(lines) == len(got) and all(map(patterns.text_matches, lines, got))))
        if same:
            return
        if os.environ.get("UPDATE_EXPECT"):
            self.rewrites[self.number] = [f"expect exit {got_code}"] + ["| " + line.replace(str(self.project), "…").replace(
                str(self.folder), "…").replace(str(self.host.parents[1]), "…") for line in got]
            return
        raise Failure(f"exit code {got_code}:" + "".join("\n  | " + line for line in got))

    async def do_capture(self, rest, _):
        """capture NAME path.in.the.body: keeps a value of the last reply; what is called a token counts as secret."""
        name, path = rest.split()
        try:
            value = patterns.value_at(self.last[3], path)
        except (LookupError, TypeError, ValueError):
            raise Failure(f"no {path} in {self.last[3]}") from None
        self.variables[name] = value
        if "token" in path.lower():
            self.secrets.add(value)

    def two_values(self, rest):
        left, right = rest.split()
        for value in (left, right):
            if value in self.variables:
                raise Failure(f"{value} is a name: ${{{value}}} is its value")
        return left, right

    async def do_same(self, rest, _):
        left, right = self.two_values(rest)
        if left != right:
            raise Failure(f"{left} is not {right}")

    async def do_differ(self, rest, _):
        left, right = self.two_values(rest)
        if left == right:
            raise Failure(f"both are {left}")

    def differs(self, verb, actual, message):
        if os.environ.get("UPDATE_EXPECT"):
            condition = CONDITION.match(self.scenario.lines[self.number])
            self.rewrites[self.number] = [f"{condition[0] if condition else ''}{verb} {actual}"]
            return
        raise Failure(message)


def line_of(run):
    return run.expand(run.scenario.lines[run.number])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", type=pathlib.Path, default=ROOT / "build/release/bin/sub0-host")
    arguments.add_argument("--engine", action="append", choices=ENGINES)
    arguments.add_argument("--loops", action="append")
    arguments.add_argument("--way", action="append", choices=WAYS)
    arguments.add_argument("files", nargs="+", type=pathlib.Path)
    chosen = arguments.parse_args()
    failed = 0
    for path in chosen.files:
        scenario = Scenario(path.resolve())
        for engine, loops, way in itertools.product(
                chosen.engine or scenario.engines(), chosen.loops or scenario.loops(), chosen.way or scenario.ways()):
            run = Run(scenario, chosen.host.resolve(), engine, loops, way)
            try:
                asyncio.run(run.replay())
                print(f"ok      {path} ({engine}, loops {loops}, {way})")
            except Failure as failure:
                failed += 1
                print(f"FAILED  {path} ({engine}, loops {loops}, {way})\n{failure}")
            if run.rewrites:
                rewrite(scenario, run.rewrites)
                scenario = Scenario(path.resolve())
    database.remove_own_servers()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
