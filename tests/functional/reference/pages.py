# SPDX-License-Identifier: Apache-2.0
"""Pages of docs/ as the tests read them: sections with their fenced blocks, links, headings, rules and made regions.

A block is named by the line right above it, a file name in bold: **`resources/person.json`**. A region between
`<!-- made of: WHAT -->` and `<!-- end -->` is written by tables.py.
"""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs/reference"
NAME = re.compile(r"^\*\*`([^`]+)`\*\*$")
RULE = re.compile(r"^- \*\*S-(\d+)\*\*")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Block:
    """A fenced block: its language, the file's name above it (or None), the index of its first line, and its lines."""

    def __init__(self, language, name, first, lines):
        self.language, self.name, self.first, self.lines = language, name, first, lines


class Section:
    """What stands under one heading, up to the next of any level."""

    def __init__(self, heading):
        self.heading, self.blocks = heading, []


class Page:
    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        self.lines = self.path.read_text().split("\n")
        self.sections = [Section("")]
        self.prose = []  # (index, line) outside of fences
        self._read()

    def _read(self):
        index, name = 0, None
        while index < len(self.lines):
            line = self.lines[index]
            if line.startswith("```"):
                close = self._close_of(index)
                self.sections[-1].blocks.append(Block(line[3:].strip(), name, index + 1, self.lines[index + 1:close]))
                index, name = close + 1, None
                continue
            if re.match(r"#{1,6} ", line):
                self.sections.append(Section(line.lstrip("#").strip()))
            self.prose.append((index, line))
            named = NAME.match(line)
            name = named[1] if named else None
            index += 1

    def _close_of(self, opening):
        for index in range(opening + 1, len(self.lines)):
            if self.lines[index].startswith("```"):
                return index
        raise ValueError(f"{self.path}:{opening + 1}: no closing ``` behind this")

    def anchors(self):
        """The fragments that GitHub makes of the headings."""
        found = set()
        for section in self.sections:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", section.heading)
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            number = 1
            while slug in found and f"{slug}-{number}" in found:
                number += 1
            found.add(f"{slug}-{number}" if slug in found else slug)
        return found

    def links(self):
        for index, line in self.prose:
            for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
                yield index, target

    def rules(self):
        """(index, number) of each rule that this page states."""
        return [(index, int(match[1])) for index, line in self.prose if (match := RULE.match(line))]


def markdown_files():
    """All pages of the tree, but those of the plugin template, which are its user's own."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "-c", "-o", "--exclude-standard", "--deduplicate", "--", "*.md"],
                            check=True, stdout=subprocess.PIPE).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and not name.startswith("sdk/template/") and (ROOT / name).is_file()]
