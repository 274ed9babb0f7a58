#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the made regions of the pages in docs/ equal to what the host declares.

    tables.py [--host PATH] [--write]

`<!-- made of: WHAT -->` … `<!-- end -->`, where WHAT is
  keys OBJECT [KEY...]   a table of the object's keys (of those named), from `sub0-host schema`: its last word is the path
                         below resource, actionable, field_type or model (a field of one), such as resource/tokenize
  unsupported            the keys that this version does not run
  settings [PREFIX]      from `sub0-host config`
  errors                 from the host's list of codes
  commands               from `sub0-host --help`
Without --write it fails where a region differs, and where a key stands in no region. Other keys than the host's own stand
in the plugins' pages.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pages  # noqa: E402

REGION = re.compile(r"(<!-- made of: (.+?) -->\n).*?(<!-- end -->)", re.S)
RULE = re.compile(r" \((S-\d+)\)")
DEFAULT = re.compile(r"[;,] default:? (.+)$")
NAMES = {"integer": "whole number", "boolean": "true, false", "string": "text"}


def output_of(host, *words):
    environment = {"PATH": "/usr/bin:/bin", **{name: text for name, text in os.environ.items() if name.endswith("SAN_OPTIONS")}}
    return subprocess.run([str(host), *words], check=True, stdout=subprocess.PIPE, env=environment, cwd="/").stdout.decode()


def table(head, rows):
    """Columns that are empty in all rows are left out."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    lines = [[head[column] for column in kept], *([row[column].replace("|", "\\|") for column in kept] for row in rows)]
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in lines]
    return "\n".join([lines[0], "|" + "---|" * len(kept), *lines[1:]]) + "\n"


class Tables:
    def __init__(self, host):
        self.host = host
        self.definitions = json.loads(output_of(host, "schema"))["definitions"]
        self.objects = {}
        for name, schema in self.definitions.items():
            self._collect(name, schema)
        self._collect("model", json.loads(output_of(host, "schema", "--models"))["additionalProperties"])
        self._mark_modes_of_later()
        self.shown = set()

    def _collect(self, path, schema):
        if "properties" not in schema:
            return
        self.objects[path] = schema
        for key, member in schema["properties"].items():
            for one in [member, *member.get("anyOf", [])]:  # "off" is another form of some objects
                self._collect(f"{path}/{key}", one)
                if isinstance(one.get("items"), dict):
                    self._collect(f"{path}/{key}", one["items"])

    def _mark_modes_of_later(self):
        """A key that configures a mode which no plugin offers is like one that is not supported."""
        keys = self.objects["actionable"]["properties"]
        for key in keys.values():
            mode = re.search(r"\bof mode ([A-Z]+) \(", key.get("description", ""))
            if mode and mode[1] not in keys["mode"]["enum"]:
                key["description"] += "; not supported yet"

    def make(self, what):
        kind, *words = what.split()
        return getattr(self, "make_" + kind)(*words)

    # ---- keys -------------------------------------------------------------------------------------
    def make_keys(self, path, *only):
        if path not in self.objects:
            raise SystemExit(f"the host declares no object {path}; there are {', '.join(self.objects)}")
        schema = self.objects[path]
        names = list(only) or list(schema["properties"])
        same = [one for one, other in self.objects.items() if other == schema]  # cacheable of actions and of resources
        self.shown.update(f"{one}/{name}" for one in same for name in names)
        rows = [self._row(name, schema["properties"][name], name in schema.get("required", [])) for name in names]
        return table(["key", "value", "default", "meaning", "rule"], rows)

    def _row(self, name, key, is_required):
        text = key.get("description", "")
        rule = RULE.search(text)
        text = RULE.sub("", text)
        default = DEFAULT.search(text)
        text = DEFAULT.sub("", text) + (" (needed)" if is_required else "")
        value = self._value(key)
        if "not supported" in text:
            text, value = re.sub(r"; not supported.*", ": not supported yet" if "yet" in text else ": not supported", text), ""
        return [f"`{name}`", value, default[1] if default else "", text, rule[1] if rule else ""]

    def _value(self, key):
        if "anyOf" in key:
            off = {"[false, null, 0, []]": ["off"], "[false, null]": [], "[null]": []}  # null is a missing key, which goes without saying
            ways = [off.get(json.dumps(one.get("enum")), [one]) for one in reversed(key["anyOf"])]
            return " or ".join(one if one == "off" else self._value(one) for way in ways for one in way)
        if "enum" in key:
            return ", ".join(f"`{one}`" for one in key["enum"])
        types = key.get("type", "any")
        types = types if isinstance(types, list) else [types]
        value = " or ".join(NAMES.get(one, one) for one in types)
        if types == ["array"] and key.get("items", {}).get("type"):
            of = key["items"]["type"]
            value = "array of " + (NAMES.get(of, of) + "s" if isinstance(of, str) else "values")
        elif types == ["array"] and "$ref" in key.get("items", {}):
            value = "array of objects"
        if "minimum" in key or "maximum" in key:
            value += f", {key['minimum']} to {key['maximum']}" if "minimum" in key and "maximum" in key else \
                f", at least {key['minimum']}" if "minimum" in key else f", at most {key['maximum']}"
        return value

    def make_unsupported(self):
        rows = []
        for path, schema in self.objects.items():
            for name, key in schema["properties"].items():
                text = key.get("description", "")
                if "; not supported" in text:
                    where = path.replace("field_type", "type of a field").replace("/", ".")
                    never = "" if "yet" in text else "; it will not be supported"
                    rows.append([f"`{name}`", where, RULE.sub("", text.split("; not supported")[0]) + never, RULE.search(text)[1]])
        return table(["key", "of", "meaning", "rule"], rows) if rows else "None.\n"

    # ---- the rest ---------------------------------------------------------------------------------
    def make_settings(self):
        rows = []
        for row in json.loads(output_of(self.host, "config", "--json")):
            if "given by the host" not in row["text"]:
                default = f"`{row['value']}`" if row["value"] else ""
                text = re.sub(r"^[A-Z][a-z]*\b", lambda word: word[0].lower(), row["text"].rstrip("."))
                rows.append([f"`{row['name']}`", default, text])
        return table(["setting", "default", "meaning"], rows)

    def make_errors(self):
        codes = re.findall(r'\{(\d{3}), "(\w+)", "([^"]*)"\}', (pages.ROOT / "host/base/error.cpp").read_text())
        rows = [[status, f"`{code}`", text] for status, code, text in sorted(codes, key=lambda row: row[0]) if code != "ok"]
        return table(["status", "`error.code`", "message, where nothing more exact is known"], rows)

    def make_commands(self):
        return "```\n" + output_of(self.host, "--help").strip().split("\n", 2)[2] + "\n```\n"

    def missing(self):
        return sorted(f"{path}/{name}" for path, schema in self.objects.items() for name in schema["properties"]
                      if f"{path}/{name}" not in self.shown)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--host", type=pathlib.Path, default=pages.ROOT / "build/release/bin/sub0-host")
    arguments.add_argument("--write", action="store_true")
    chosen = arguments.parse_args()
    tables = Tables(chosen.host.resolve())
    failures = []
    for path in sorted((pages.ROOT / "docs").rglob("*.md")):
        text = path.read_text()
        made = REGION.sub(lambda match: match[1] + tables.make(match[2]) + match[3], text)
        if made != text and chosen.write:
            path.write_text(made)
            print(f"{path.relative_to(pages.ROOT)}: rewritten")
        elif made != text:
            failures.append(f"{path.relative_to(pages.ROOT)}: a table is stale: './dev docs' makes it anew")
    failures += [f"docs/: no table tells of the key {key}" for key in tables.missing()]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
