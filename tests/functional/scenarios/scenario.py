# SPDX-License-Identifier: Apache-2.0
"""A scenario file: its steps with their blocks, the variants it asks for, and its rewriting."""

import re

BLOCKS = ("file", "sql")
CONDITION = re.compile(r"on ([a-z ]+): ")  # `on ENGINE... WAY...: STEP`


class Failure(Exception):
    pass


class Scenario:
    """The lines of one file: steps, and the blocks that belong to some of them."""

    def __init__(self, path):
        self.path = path
        self.lines = path.read_text().split("\n")
        self.steps = []  # (line number from 0, text, block)
        index = 0
        while index < len(self.lines):
            line, start = self.lines[index].rstrip(), index
            index += 1
            if not line or line.startswith("#"):
                continue
            block = None
            step = CONDITION.sub("", line, count=1)
            if step.split()[0] in BLOCKS and not step.startswith("file copy "):
                block = []
                while index < len(self.lines) and self.lines[index].rstrip() != "end":
                    block.append(self.lines[index])
                    index += 1
                if index == len(self.lines):
                    raise Failure(f"{path}:{start + 1}: no line 'end' behind this")
                index += 1
            elif step.startswith("expect exit"):
                block = []
                while index < len(self.lines) and self.lines[index].startswith("|"):
                    block.append(self.lines[index][1:].strip())
                    index += 1
            self.steps.append((start, line, block))

    def words_of(self, name):
        return [word for _, line, _ in self.steps if line.split()[0] == name for word in line.split()[1:]]

    def engines(self):
        return self.words_of("engines") or (["sqlite", "postgres"] if self.words_of("sql") or any(
            line.split()[0] in ("sql", "sqlfile") for _, line, _ in self.steps) else ["sqlite"])

    def ways(self):
        ways, calls = self.words_of("ways"), any(CONDITION.sub("", line, count=1).startswith("call ") for _, line, _ in self.steps)
        if calls != ("http" in ways):
            raise Failure(f"{self.path}: `ways` names the ways of its steps `call`, and they are sent over HTTP at least")
        return ways or ["http"]

    def loops(self):
        has_sockets = any(line.startswith("connect ") or line.startswith("ways ") and "websocket" in line for _, line, _ in self.steps)
        return self.words_of("loops") or (["1", "3"] if has_sockets else ["1"])


def rewrite(scenario, rewrites):
    """Puts what was seen in the place of expectations that differed."""
    lines = list(scenario.lines)
    for number in sorted(rewrites, reverse=True):
        end = number + 1
        if lines[number].startswith("expect exit"):
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
        lines[number:end] = rewrites[number]
    scenario.path.write_text("\n".join(lines))
