# SPDX-License-Identifier: Apache-2.0
"""User-space instructions per call, counted by callgrind: a figure that does not move with what else the machine does. Of a host
under callgrind everything is thrown away but what lies between two moments at which it is at rest; of a tool that ends by
itself, the difference between a long and a short run is taken."""

import contextlib
import json
import pathlib
import re
import subprocess

from rounds import TOOLS, hosts

CALLGRIND = ("valgrind", "--tool=callgrind", "-q")


def total(path):
    return int(re.search(r"^(?:totals|summary): (\d+)", path.read_text(), re.MULTILINE)[1])


class CountedHost:
    """sub0-host under callgrind; `per_call(load)` runs a load and divides."""

    def __init__(self, *words, **more):
        self._folder = hosts.Folder()
        self._out = self._folder.path / "callgrind.out"
        wrapper = self._folder.write("counted-host",
                                     f'#!/bin/sh\nexec {" ".join(CALLGRIND)} --callgrind-out-file={self._out} {hosts.PROGRAM} "$@"\n')
        wrapper.chmod(0o755)
        self.host = hosts.Host(*words, program=wrapper, **more)
        self._dumps = 0

    def _dump(self):
        subprocess.run(["callgrind_control", "-d", str(self.host.process.pid)], check=True, capture_output=True)
        self._dumps += 1
        return pathlib.Path(f"{self._out}.{self._dumps}")

    def counted(self, load):
        """Instructions of a whole run of `load`, and how many calls were answered in it."""
        self._dump()
        result = load()
        return total(self._dump()), result["answered"]

    def __enter__(self):
        self.host.start()
        return self

    def __exit__(self, *failure):
        with contextlib.ExitStack() as stack:
            stack.callback(self._folder.remove)
            self.host.__exit__(*failure)


def per_call(short, long):
    """`short`, `long`: (instructions, calls); what both do once cancels out."""
    return round((long[0] - short[0]) / (long[1] - short[1]), 1)


def counted_tool(name, *words):
    """Instructions of a tool's whole run, and how many calls it made."""
    with hosts.Folder() as folder:
        out = folder.path / "callgrind.out"
        done = subprocess.run([*CALLGRIND, f"--callgrind-out-file={out}", str(TOOLS / name), *map(str, words)], check=True,
                              capture_output=True, text=True)
        return total(out), json.loads(done.stdout)["answered"]
