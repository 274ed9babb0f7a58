#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines and branches per folder, from `llvm-cov export -summary-only` on stdin; writes the table and the least covered files."""
import json
import os
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
LEAST = 15


def folder_of(path):
    parts = path.split("/")
    if parts[0] == "sdk":
        return "sdk"
    if parts[:2] == ["host", "net"] and len(parts) > 3:
        return "/".join(parts[:3])
    return "/".join(parts[:2])


def percent(covered, count):
    return f"{100 * covered / count:5.1f} %" if count else "     -"


def main():
    files = {}
    for entry in json.load(sys.stdin)["data"][0]["files"]:
        path = os.path.relpath(os.path.realpath(entry["filename"]), ROOT)
        if path.startswith(("host/", "plugins/", "sdk/")):
            files[path] = [entry["summary"][kind][key] for kind in ("lines", "branches")
                           for key in ("covered", "count")]
    folders = {}
    for path, counts in files.items():
        for name in (folder_of(path), "all"):
            folders[name] = [a + b for a, b in zip(folders.get(name, [0] * 4), counts)]
    print(f"{'folder':18} {'lines':>7}  {'covered':>7}   {'branches':>8}  {'covered':>7}")
    for name in sorted(folders, key=lambda name: (name == "all", name)):
        covered, lines, taken, branches = folders[name]
        print(f"{name:18} {lines:7}  {percent(covered, lines)}   {branches:8}  {percent(taken, branches)}")
    print("\nLeast covered files (of at least 20 lines): lines, branches, lines not reached")
    large = [path for path in files if files[path][1] >= 20]
    for path in sorted(large, key=lambda path: files[path][0] / files[path][1])[:LEAST]:
        covered, lines, taken, branches = files[path]
        print(f"{percent(covered, lines)}  {percent(taken, branches)}  {lines - covered:5}  {path}")


if __name__ == "__main__":
    main()
