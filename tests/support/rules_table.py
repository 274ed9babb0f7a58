#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Which test shows which rule.

Tests cite rules in comments (`// spec S-31`, `// Q-21: unmasked frame`), above a TEST or inside it; scenario and script
files anywhere. This reads the citations and the JUnit report of a CTest run and writes a table: rule, test, and the input
that would fail (the text behind the citation, else the test's name). Only tests that ran and passed count. A rule of
covered_rules.txt without such a test is an error, and so is one that its page in docs/ does not describe, and one of
everywhere_rules.txt that no scenario shows on one of its databases or over one of its ways.
A citation in the opening comment of a C++ file describes the file and counts for no test.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
CITATION = re.compile(r"\b([SQ])-(\d{1,3})\b(?:\s*(?:\.{2,3}|…|–)\s*(?:\1-)?(\d{1,3})\b)?")
ITEM = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+)\s*,\s*(\w+)\s*\)"
                  r"|^INSTANTIATE_TEST_SUITE_P\(\s*\w+\s*,\s*(\w+)", re.M)
SCRIPTS = {".txt", ".py", ".sh", ".mjs", ".js", ".c", ".json", ".sql", ".scenario", ".html"}
ENGINES = ("sqlite", "postgres", "mariadb")
WAYS = ("http", "websocket")
DOCUMENTS_OF = {"S": "docs/reference", "Q": "docs/quality.md"}


def order(rule):
    return (rule[0] == "Q", int(rule[2:]))


def rules_in(text):
    """Yields (rule, start, end of the whole citation) for each rule that `text` cites."""
    for match in CITATION.finditer(text):
        last = int(match[3] or match[2])
        for number in range(int(match[2]), last + 1):
            yield f"{match[1]}-{number}", match.start(), match.end()


def note_behind(line, end):
    """The words behind the last citation of a line, without comment marks and code."""
    note = re.split(r"\*/|\"", line[end:])[0]
    note = re.sub(r"^[\s,:;.)\]–-]+", "", note).strip().rstrip("\\").strip()
    return note if re.search(r"\w", note) and not re.search(r"[{};]\s*$", note) else ""


def is_said(line, start, end):
    """Whether the citation at start..end of a C++ line is a remark (in a comment, or first in a text with more words)
    and not a value that the test works with."""
    if "//" in line[:start] or line.lstrip().startswith(("*", "/*")):
        return True
    return re.search(r'"(spec )?$', line[:start]) is not None and re.match(r"[:, ]+\w", line[end:]) is not None


def cpp_citations(text):
    """Yields (rule, note, pattern of the CTest names)."""
    items = []
    for match in ITEM.finditer(text):
        close = text.find(";\n" if match[3] else "\n}", match.end())
        items.append((match.start(), close if close >= 0 else len(text), match))
    opening = text.find("#include")
    offset = 0
    for line in text.splitlines(keepends=True):
        cited = [(rule, end) for rule, start, end in rules_in(line) if is_said(line, start, end)]
        for rule, _ in cited:
            if offset < opening:
                continue
            owner = next((m for start, close, m in items if close >= offset), items[-1][2] if items else None)
            if owner is None:
                continue
            name = rf"{owner[1]}\.{owner[2]}(/|$)" if owner[1] else rf"{owner[3]}\."
            yield rule, note_behind(line, cited[-1][1]), rf"(^|[./]){name}"
        offset += len(line)


def script_citations(path, text):
    name = f"{path.parent.name}.session" if path.name == "session.scenario" else path.stem
    stem = re.escape(name).replace("_", "[-_]").replace(r"\-", "[-_]")
    for line in text.splitlines():
        cited = list(rules_in(line))
        for rule, _, _ in cited:
            yield rule, note_behind(line, cited[-1][2]), rf"(^|[./]){stem}([./]|$)"


def citations(root):
    for folder in ("tests", "plugins", "sample-resources", "sdk"):
        for path in sorted((root / folder).rglob("*")):
            if not path.is_file() or "node_modules" in path.parts or path.is_relative_to(root / "tests/support"):
                continue
            if path.suffix in {".cpp", ".hpp"}:
                found = cpp_citations(path.read_text())
            elif path.suffix in SCRIPTS and path.name != "CMakeLists.txt":
                found = script_citations(path, path.read_text(errors="replace"))
            else:
                continue
            for rule, note, pattern in found:
                yield rule, note, re.compile(pattern), path.relative_to(root)


def tests_that_passed(junit):
    passed = []
    for case in xml.etree.ElementTree.parse(junit).iter("testcase"):
        if case.get("status") == "run" and case.find("failure") is None and case.find("skipped") is None:
            passed.append(case.get("name"))
    return passed


def covered_rules(path):
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return sorted({rule for rule, _, _ in rules_in("\n".join(lines))}, key=order)


def table_of(root, passed):
    """rule -> {test: note}; a test that cites a rule twice keeps the notes apart by '; '."""
    table = {}
    for rule, note, pattern, path in citations(root):
        for test in passed:
            if pattern.search(test):
                notes = table.setdefault(rule, {}).setdefault((test, str(path)), [])
                if note and note not in notes:
                    notes.append(note)
    return table


def engine_of(test):
    return next((part for part in test.split(".") if part in (*ENGINES, "odbc")), "")


def ways_of(path):
    """The ways over which the calls of a scenario are replayed: its line `ways`."""
    line = re.search(r"^ways (.+)$", path.read_text(), re.M) if path.suffix == ".scenario" else None
    return line[1].split() if line else []


def everywhere_rules(path):
    """rule -> the pairs of database and way that it is to be shown on"""
    wanted = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            rules, _, places = line.partition(":")
            words = places.split() or [*ENGINES, *WAYS]
            pairs = [(engine, way) for engine in ENGINES for way in WAYS if engine in words and way in words]
            wanted.update({rule: pairs for rule, _, _ in rules_in(rules)})
    return wanted


def places_of(root, table):
    """rule -> the pairs of database and way that scenarios show it on"""
    return {rule: {(engine_of(test), way) for test, path in tests for way in ways_of(root / path)} for rule, tests in table.items()}


def undocumented(root, covered):
    for letter, name in DOCUMENTS_OF.items():
        page = root / name
        text = "\n".join(one.read_text() for one in (sorted(page.glob("*.md")) if page.is_dir() else [page]) if one.exists())
        written = {rule for rule, _, _ in rules_in(text)}
        for rule in covered:
            if rule[0] == letter and rule not in written:
                yield rule, name


def everywhere_lines(wanted, shown):
    lines = ["## On every database, over every way", "", "| rule | " + " | ".join(ENGINES) + " |", "|---" * (len(ENGINES) + 1) + "|"]
    for rule, pairs in sorted(wanted.items(), key=lambda item: order(item[0])):
        cells = []
        for engine in ENGINES:
            ways = [way if (engine, way) in shown.get(rule, ()) else f"**no {way}**" for way in WAYS if (engine, way) in pairs]
            cells.append(", ".join(ways))
        lines.append(f"| {rule} | " + " | ".join(cells) + " |")
    return lines


def write_table(out, root, table, covered, wanted):
    lines = ["# Rules and the tests that show them", "", "Made by `./dev test`; counts only tests that ran and passed.", "",
             *everywhere_lines(wanted, places_of(root, table)), "", "## All tests", "",
             "| rule | test | database | ways | the input that fails when it is broken | where |", "|---|---|---|---|---|---|"]
    for rule in sorted(set(table) | set(covered), key=order):
        tests = table.get(rule)
        if not tests:
            lines.append(f"| {rule} | **none** | | | | |")
            continue
        for (test, path), notes in sorted(tests.items()):
            words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", test.split("/")[0].split(".")[-1].replace("_", " ")).lower()
            lines.append(f"| {rule} | {test} | {engine_of(test)} | {' '.join(ways_of(root / path))} | {'; '.join(notes) or words} | {path} |".replace("\n", " "))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")


def run(root, junit, out, covered_path, everywhere_path):
    covered, wanted = covered_rules(covered_path), everywhere_rules(everywhere_path)
    table = table_of(root, tests_that_passed(junit))
    write_table(out, root, table, covered, wanted)
    shown = places_of(root, table)
    gaps = [(rule, *pair) for rule, pairs in wanted.items() for pair in pairs if pair not in shown.get(rule, ())]
    untested = [rule for rule in covered if rule not in table]
    missing = list(undocumented(root, covered))
    for rule in untested:
        print(f"{rule}: no test that ran and passed cites it", file=sys.stderr)
    for rule, name in missing:
        print(f"{rule}: {name} does not describe it", file=sys.stderr)
    for rule, engine, way in gaps:
        print(f"{rule}: no scenario that ran and passed shows it on {engine} over {way}", file=sys.stderr)
    print(f"{len(covered) - len(untested)} of {len(covered)} rules are shown by tests that ran: {out}")
    return 1 if untested or missing or gaps else 0


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "tests/unit").mkdir(parents=True)
        (root / "docs/reference").mkdir(parents=True)
        (root / "tests/unit/a_test.cpp").write_text(
            "// About Q-99.\n#include <x>\n\n// spec S-31: two rows\nTEST(Rows, BecomeAnArray) {\n  // Q-21: unmasked\n  EXPECT(\"S-40\", 1);\n}\n"
            "\nTEST(Rows, AreSkipped) {\n  // Q-22\n}\n\nTEST_P(Cuts, EveryByte) {\n}\n"
            'INSTANTIATE_TEST_SUITE_P(All, Cuts, Values(\n  "Q-5..Q-7 cut"));\n')
        (root / "tests/unit/wallet_session.txt").write_text("# spec S-115, S-116: reply first\n")
        (root / "docs/quality.md").write_text("Q-5 Q-21")
        (root / "docs/reference/rows.md").write_text("S-31")
        (root / "docs/reference/sockets.md").write_text("S-115…S-116")
        (root / "junit.xml").write_text(
            '<testsuite><testcase name="unit.a.Rows.BecomeAnArray" status="run"/>'
            '<testcase name="unit.a.Rows.AreSkipped" status="notrun"><skipped/></testcase>'
            '<testcase name="unit.a.All/Cuts.EveryByte/3" status="run"/>'
            '<testcase name="functional.wallet-session.sqlite" status="run"/></testsuite>')
        table = table_of(root, tests_that_passed(root / "junit.xml"))
        assert set(table) == {"S-31", "Q-21", "Q-5", "Q-6", "Q-7", "S-115", "S-116"}, table
        assert list(table["Q-21"].values()) == [["unmasked"]] and list(table["S-31"].values()) == [["two rows"]], table
        (root / "covered").write_text("S-31 S-115..S-116 Q-5 Q-21\n")
        (root / "nowhere").write_text("")
        assert run(root, root / "junit.xml", root / "out.md", root / "covered", root / "nowhere") == 0
        (root / "covered").write_text("S-31 Q-22\n")
        assert run(root, root / "junit.xml", root / "out.md", root / "covered", root / "nowhere") == 1
        assert "| Q-22 | **none**" in (root / "out.md").read_text()
    self_test_of_places()
    return 0


def self_test_of_places():
    """A database or a way without a scenario is a gap, and so is a scenario that failed or says no ways."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "tests").mkdir()
        (root / "docs").mkdir()
        (root / "docs/quality.md").write_text("")
        (root / "tests/both.scenario").write_text("# spec S-31\nways http websocket\n")
        (root / "tests/one.scenario").write_text("# spec S-32\nways http\n")
        (root / "tests/none.scenario").write_text("# spec S-33\nhttp POST /ways\n")
        (root / "covered").write_text("")

        def gaps(everywhere, *passed):
            (root / "everywhere").write_text(f"# S-99\n{everywhere}\n")
            (root / "junit.xml").write_text("<testsuite>" + "".join(
                f'<testcase name="functional.{name}.loops1" status="run"/>' for name in passed) + "</testsuite>")
            return run(root, root / "junit.xml", root / "out.md", root / "covered", root / "everywhere")

        assert gaps("S-31", "both.sqlite", "both.postgres", "both.mariadb") == 0
        assert "| S-31 | http, websocket | http, websocket | http, websocket |" in (root / "out.md").read_text()
        assert gaps("S-31", "both.sqlite", "both.postgres") == 1
        assert "| S-31 | http, websocket | http, websocket | **no http**, **no websocket** |" in (root / "out.md").read_text()
        assert gaps("S-31: sqlite postgres http websocket", "both.sqlite", "both.postgres") == 0
        assert gaps("S-32", "one.sqlite", "one.postgres", "one.mariadb") == 1
        assert gaps("S-32: sqlite postgres mariadb http", "one.sqlite", "one.postgres", "one.mariadb") == 0
        assert gaps("S-33", "none.sqlite", "none.postgres", "none.mariadb") == 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--junit", type=pathlib.Path)
    arguments.add_argument("--out", type=pathlib.Path, default=ROOT / "build/rules.md")
    arguments.add_argument("--self-test", action="store_true")
    chosen = arguments.parse_args()
    if chosen.self_test:
        return self_test()
    if not chosen.junit:
        arguments.error("--junit FILE is needed")
    return run(ROOT, chosen.junit, chosen.out, ROOT / "tests/support/covered_rules.txt", ROOT / "tests/support/everywhere_rules.txt")


if __name__ == "__main__":
    sys.exit(main())
