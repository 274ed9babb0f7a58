#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the examples of the pages in docs/ against the real binary, as a reader would, and compares the answers.

    examples.py [--host PATH] [--engine sqlite|postgres|mariadb]... PAGE.md...

All blocks under one heading are one example, with a project folder and a database of its own:
- a block with a file name in bold right above it is that file;
- ```console: lines behind `$ ` are run by bash in the project folder, what stands below each is its whole answer.
  `sub0-host run . …` starts the host (so does the first call, if nothing else has); port 8080 stands for its port;
- ```websocket: `NAME connects to ws://…[, protocols: a, $TOKEN]`, `NAME > what it sends`, `NAME < what it gets`.
Blocks of JSON without a name only have to be JSON. Answers are compared like those of scenarios (see ../README.md):
`…` in a string stands for any text, a member "…" for any others. UPDATE_EXPECT=1 rewrites answers that differ.
"""
import argparse
import asyncio
import json
import os
import pathlib
import re
import shlex
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "scenarios")]
import database  # noqa: E402
import pages  # noqa: E402
import patterns  # noqa: E402
import run  # noqa: E402
from scenario import Failure  # noqa: E402
from sockets import DEADLINE_S  # noqa: E402

NEEDS_HOST = re.compile(r"\bcurl\b|\bsub0-host call\b")
NEEDS_DATABASE = re.compile(r"\bsub0-host (sql|migrate)\b|\"sql_query\"")
STARTS_HOST = re.compile(r"^((?:\w+=\S* )*)sub0-host run\b(.*)$")
MARK = "---the answer ends here---"
PROLOGUE = """exec 2>&1
sub0-host() { if [[ $1 == call ]]; then shift; command sub0-host call "$@" --url "http://127.0.0.1:$PORT"; else command sub0-host "$@"; fi; }
"""


class Example:
    """The blocks under one heading as steps, in the form that a replay takes; line numbers are those of the page."""

    def __init__(self, page, section):
        self.path, self.lines, self.heading = page.path, page.lines, section.heading
        self.steps = []
        self.ends = {}  # number of a command's line -> index behind its answer
        self.is_started = False
        for block in section.blocks:
            if block.name:
                self.steps.append((block.first, f"file {block.name}", block.lines))
            elif block.language == "console":
                self._console(block)
            elif block.language == "websocket":
                self._start(block.first)
                self.steps += [(block.first + i, line, None) for i, line in enumerate(block.lines)]
        self.is_run = any(not line.startswith("file ") for _, line, _ in self.steps)
        self.needs_database = any(NEEDS_DATABASE.search("\n".join([line, *(block or [])])) for _, line, block in self.steps)

    def _start(self, number, arguments=""):
        if not self.is_started:
            self.steps.append((number, ("start" + arguments).strip(), None))
        self.is_started = True

    def _console(self, block):
        index = 0
        while index < len(block.lines):
            number, command = block.first + index, block.lines[index]
            if not command.startswith("$ "):
                raise Failure(f"{self.path}:{number + 1}: a command begins with '$ '")
            command = command[2:]
            index += 1
            while command.endswith("\\"):
                command = command[:-1].rstrip() + " " + block.lines[index].strip()
                index += 1
            answer = index
            while index < len(block.lines) and not block.lines[index].startswith("$ "):
                index += 1
            self._command(number, command, block.lines[answer:index])
            self.ends[number] = (block.first + answer, block.first + index)

    def _flags_of(self, arguments):
        """What stands behind `run`, without the folder: the replay names it, and the port, itself."""
        flags = re.match(r" \.(?= |$)(.*?)[ &]*$", arguments)
        if not flags:
            raise Failure(f"{self.path}: an example starts its host by 'sub0-host run .'")
        return flags[1]

    def _command(self, number, command, answer):
        if starts := STARTS_HOST.match(command):
            for setting in shlex.split(starts[1]):
                self.steps.append((number, "env " + setting, None))
            self._start(number, self._flags_of(starts[2]))
            return
        if NEEDS_HOST.search(command):
            self._start(number)
        self.steps.append((number, "shell " + command, answer))


class ExampleRun(run.Run):
    def __init__(self, example, host, engine):
        super().__init__(example, host, engine, "1")
        self.shell = None
        if example.needs_database:
            self.need_database()

    async def step(self, line, block):
        if line.startswith("shell "):
            await self.shell_step(line[6:], block)
        elif connects := re.match(r"(\w+) connects to ws://127\.0\.0\.1:8080(/\S*?)(?:, protocols: (.+))?$", line):
            name, path, protocols = connects.groups()
            tail = f" [protocols: {await self.with_variables(protocols)}]" if protocols else ""
            await self.do_connect(f"{name} {path}{tail}", None)
        else:
            await super().step(line, block)

    async def with_variables(self, text):
        return await self.answer_of(f'printf %s "{text}"')

    async def answer_of(self, command):
        if self.shell is None:
            environment = {"DATABASE_URL": f"sqlite:{self.folder}/unused.db", **self.environment, "SUB0_LOG": "text", "SUB0_LOG_LEVEL": "warning",
                           "PATH": f"{self.host.parent}:{self.environment['PATH']}"}
            self.shell = await asyncio.create_subprocess_exec(
                "bash", "--norc", cwd=self.project, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            self.shell.stdin.write(PROLOGUE.encode())
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        self.shell.stdin.write(f"PORT={self.port}\n{command}\nprintf '\\n%s\\n' '{MARK}'\n".encode())
        lines = []
        while not lines or lines[-1] != MARK:
            line = await asyncio.wait_for(self.shell.stdout.readline(), DEADLINE_S)
            if not line:
                raise Failure("the shell has ended: " + "\n  ".join(lines))
            lines.append(line.decode(errors="replace").rstrip("\n"))
        return "\n".join(lines[:-1]).strip("\n")

    async def shell_step(self, command, expected):
        got = await self.answer_of(command)
        if difference := difference_of("\n".join(expected).strip("\n"), got):
            if not os.environ.get("UPDATE_EXPECT"):
                raise Failure(f"{difference}\n  got {got}")
            self.rewrites[self.number] = got.split("\n") if got else []

    async def replay(self):
        try:
            await super().replay()
        finally:
            if self.shell:
                self.shell.stdin.close()
                await asyncio.wait_for(self.shell.wait(), DEADLINE_S)


def difference_of(expected, got):
    """Whole answers that are one JSON value, however it is broken into lines, by value; else line by line."""
    try:
        patterns.parse(expected)
        return patterns.compare(expected, got)
    except ValueError:
        pass
    wanted, lines = expected.split("\n"), got.split("\n")
    if len(wanted) != len(lines):
        return f"expected {len(wanted)} lines, got {len(lines)}"
    return next((difference for want, line in zip(wanted, lines) if (difference := patterns.compare(want, line))), None)


def without_comments(text):
    """JSON as the dialect takes it (spec S-2), without its comments and trailing commas."""
    text = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.S)
    return re.sub(r'("(?:[^"\\]|\\.)*")|,(\s*[\]}])', lambda m: m[1] or m[2], text, flags=re.S)


def unreadable(page):
    """Blocks of JSON that are none."""
    for section in page.sections:
        for block in section.blocks:
            if block.language in ("json", "jsonc"):
                text = "\n".join(block.lines)
                try:
                    json.loads(without_comments(text) if block.language == "jsonc" or block.name else text)
                except ValueError as problem:
                    yield f"{page.path}:{block.first + 1}: not JSON: {problem}"


def rewrite(example, rewrites):
    lines = list(example.lines)
    for number in sorted(rewrites, reverse=True):
        begin, end = example.ends.get(number, (number, number + 1))
        lines[begin:end] = rewrites[number]
    example.path.write_text("\n".join(lines))


def run_page(path, host, engines):
    """Prints a line for each example; returns (how many ran, how many failed)."""
    ran = failed = 0
    for problem in unreadable(pages.Page(path)):
        failed += 1
        print(f"FAILED  {problem}")
    for position in range(len(pages.Page(path).sections)):
        for engine in engines:
            page = pages.Page(path)  # anew: an earlier example may have been rewritten
            example = Example(page, page.sections[position])
            if not example.is_run or (engine != "sqlite" and not example.needs_database):
                continue
            ran += 1
            replay = ExampleRun(example, host, engine)
            try:
                asyncio.run(replay.replay())
                print(f"ok      {page.path.name}: {example.heading} ({engine})")
            except Failure as failure:
                failed += 1
                print(f"FAILED  {page.path.name}: {example.heading} ({engine})\n{failure}")
            if replay.rewrites:
                rewrite(example, replay.rewrites)
    return ran, failed


def run_pages(paths, host, engines):
    failures = 0
    for path in paths:
        ran, failed = run_page(path.resolve(), host, engines)
        failures += failed
        if ran == 0:
            failures += 1
            print(f"FAILED  {path}: it has no example to run")
    return 1 if failures else 0


SELF_TEST = """# Page
**`resources/a.json`**
```json
{"id": "a", "resource": "a", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD.x"}]}
```
```console
$ curl -s http://127.0.0.1:8080/a -H 'content-type: application/json' -d '{"x": 1}'
ANSWER
$ sub0-host routes . >/dev/null
```
"""


def self_test(host):
    """A wrong answer is noticed, and mended by UPDATE_EXPECT=1; so are a missing one and JSON that is none."""
    right = '{"success":true,"message":"Operation Successful","data":1}'
    os.environ.pop("UPDATE_EXPECT", None)
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "page.md"

        def result_of(text):
            page.write_text(text)
            return run_page(page, host, ["sqlite"])

        assert result_of(SELF_TEST.replace("ANSWER", right)) == (1, 0)
        assert result_of(SELF_TEST.replace("ANSWER", right.replace("1", "2"))) == (1, 1)
        assert result_of(SELF_TEST.replace("ANSWER", right + "\nmore")) == (1, 1)
        assert result_of(SELF_TEST.replace("ANSWER", right) + "```json\n{,}\n```\n") == (1, 1)
        os.environ["UPDATE_EXPECT"] = "1"
        result_of(SELF_TEST.replace("ANSWER\n", ""))
        assert page.read_text() == SELF_TEST.replace("ANSWER", right), page.read_text()
    return 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", type=pathlib.Path, default=pages.ROOT / "build/release/bin/sub0-host")
    arguments.add_argument("--engine", action="append", choices=["sqlite", "postgres", "mariadb"])
    arguments.add_argument("--self-test", action="store_true")
    arguments.add_argument("pages", nargs="*", type=pathlib.Path)
    chosen = arguments.parse_args()
    if chosen.self_test:
        return self_test(chosen.host.resolve())
    try:
        return run_pages(chosen.pages, chosen.host.resolve(), chosen.engine or ["sqlite", "postgres"])
    finally:
        database.remove_own_servers()


if __name__ == "__main__":
    sys.exit(main())
