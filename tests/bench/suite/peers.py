# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured, by name: how each is started, from which build and which sources.

floor  a bare epoll server of the same bytes          net   host/net with a dispatcher that echoes, without calls
host   sub0-host of this tree                         REV   sub0-host of another revision (--against), likewise
poco   Poco HTTPServer + WebSocket, a thread each     ws    node `ws`
"""
import subprocess

from suite import processes

SECRET = "bench-secret-bench-secret-bench-secret"


class Peers:
    def __init__(self, root, build, scratch):
        self.root = root
        self.bin = build / "tests" / "bench"
        self.scratch = scratch
        self.hosts = {"host": (root, build)}  # name: (sources, build)
        self._count = 0

    def add_revision(self, name, sources, build):
        self.hosts[name] = (sources, build)

    def ours(self):
        return list(self.hosts)

    def load(self, program, *arguments, seconds=120):
        return processes.Load([self.bin / f"bench_{program}", *arguments], seconds)

    def start(self, name, loops=1, wrapper=(), resources=None, settings=None):
        self._count += 1
        log = self.scratch / f"{self._count}.{name.replace('/', '_')}.log"
        return processes.Server([*wrapper, *self.command(name, loops, resources)], log,
                                {**self._environment(), **(settings or {})})

    def command(self, name, loops=1, resources=None):
        if name == "ws":
            return ["node", self.root / "tests/bench/peers/ws/server.js"]
        if name not in self.hosts:
            return [self.bin / f"bench_{name}"]
        sources, build = self.hosts[name]
        return [build / "bin/sub0-host", "run", "--resources", resources or sources / "sample-resources/wallet",
                "--state", self.scratch / f"state.{self._count}", "--port", "0", "--host", "127.0.0.1",
                "--loops", loops]

    @staticmethod
    def _environment():
        # What the caller's shell says about a database or a port is not part of the measurement.
        return {"ALLOW_WEBSOCKET_CONNECTIONS": "true", "SUB0_LOG": "json", "WALLET_TOKEN_KEY": SECRET, "DATABASE_URL": ""}

    def install_ws(self):
        """Whether node's `ws` is there, or could be fetched."""
        folder = self.root / "tests/bench/peers/ws"
        if (folder / "node_modules").is_dir():
            return True
        try:
            processes.run(["npm", "ci", "--no-audit", "--no-fund", "--prefix", folder], seconds=120)
        except (processes.Failed, OSError):
            return False
        return True


RESERVED = ("floor", "host", "net", "poco", "ws")


def build_revision(root, revision):
    """Checks a revision out in a worktree under build/ and builds it there; returns its name as a peer, sources, build.

    The second time only what is missing is done. `./dev clean` takes it away.
    """
    found, _ = processes.run(["git", "-C", root, "rev-parse", "--verify", "--short=12", revision + "^{commit}"])
    commit = found.strip()
    sources = root / "build" / f"against-{commit}"
    build = sources / "build" / "release"
    log = root / "build" / f"against-{commit}.log"
    with open(log, "w") as output:
        def step(*words, cwd=root):
            child = processes.start(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            code = child.wait()
            processes.stop(child)
            if code != 0:
                raise processes.Failed(f"--against {revision}: '{' '.join(map(str, words))}' failed, see {log}")
        if not (sources / "CMakeLists.txt").exists():
            step("git", "worktree", "prune")
            step("git", "worktree", "add", "--force", "--detach", sources, commit)
        step("cmake", "--preset", "release", "-B", build, "-DSUB0_TESTS=OFF", cwd=sources)
        step("ninja", "-C", build, "host/all", "plugins/all")
    return commit if revision in RESERVED else revision, sources, build
