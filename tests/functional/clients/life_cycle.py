# SPDX-License-Identifier: Apache-2.0
"""Start, settings, commands and end of the real binary."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import unittest

import host as hosts
from wire import Wire, call_text, frame, open_socket

ECHO = {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]}
READS = {"id": "reads", "resource": "reads", "actionables": [
    {"id": 1, "mode": "QUERY", "sql_query": {"query": "SELECT 1 AS one"}}]}
PLUGINS = hosts.BUILD / "plugins"


def run_host(project, *words, env=None):
    """A start that fails by itself."""
    return hosts.run_program("run", "--resources", project, "--port", "0", *words, env=env, cwd=project)


class Commands(unittest.TestCase):
    def test_help(self):
        # every command of the list has a page of its own
        done = hosts.run_program("--help")
        self.assertEqual(done.returncode, 0)
        commands = re.findall(r"^  sub0-host ((?:token|plugin) \w+|\w+) ", done.stdout, re.M)
        self.assertLessEqual({"run", "check", "config", "routes", "sql", "call", "token mint", "token check", "plugin new",
                              "plugin inspect", "plugin list"}, set(commands))
        for command in commands:
            with self.subTest(command):
                page = hosts.run_program(*command.split(), "--help")
                self.assertEqual((page.returncode, page.stderr), (0, ""))
                self.assertIn("sub0-host " + command, page.stdout)

    def test_version(self):
        done = hosts.run_program("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^sub0-host \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        for words in ([], ["nonsense"], ["run"], ["run", "--resources", "x", "y"], ["check"], ["run", "--bogus"], ["call"],
                      ["call", "echo", "{"], ["token", "mint"], ["token", "mint", "echo", "--claim", "x"], ["plugin", "new"],
                      ["plugin"], ["sql", "a", "b"]):
            with self.subTest(words):
                done = hosts.run_program(*words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertTrue(done.stderr or done.stdout)

    def test_routes(self):
        done = hosts.run_program("routes", hosts.WALLET, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        routes = {row["route"]: row for row in json.loads(done.stdout)}
        self.assertEqual((routes["fetch-balance"]["token"], routes["fetch-balance"]["methods"]), ("x-access-token", "GET|POST"))
        self.assertEqual(routes["notify-all"]["methods"], "POST")

    def test_tokens(self):
        # S-71, S-72: a token that is minted is good, another's is not
        token = hosts.mint_token()
        done = hosts.run_program("token", "check", "fetch-balance", token, "--resources", hosts.WALLET)
        self.assertEqual((done.returncode, json.loads(done.stdout)["id"]), (0, "user_12345"))
        for words, env in (([token + "x"], None), ([token], {"WALLET_TOKEN_KEY": "another-key-0123456789-0123456789-01234"})):
            bad = hosts.run_program("token", "check", "fetch-balance", *words, "--resources", hosts.WALLET, env=env)
            self.assertEqual((bad.returncode, bad.stdout), (1, ""))
            self.assertNotIn(token, bad.stderr)
        self.assertEqual(hosts.run_program("token", "mint", "echo", "--resources", hosts.WALLET).returncode, 78)

    def test_sql(self):
        with hosts.Sqlite() as database:
            self.assertEqual(hosts.run_sql(database.url, "SELECT 1 AS one"), '{"one":1}\n')
            script = "CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('x;y'), ('z'); SELECT a FROM t ORDER BY a;"
            done = subprocess.run([hosts.PROGRAM, "sql", "--resources", hosts.WALLET, "--database", database.url], input=script,
                                  env=hosts.environment(), capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (0, '{"a":"x;y"}\n{"a":"z"}\n'), done.stderr)
            bad = hosts.run_program("sql", "--resources", hosts.WALLET, "--database", database.url, "SELECT nope FROM t")
            self.assertEqual(bad.returncode, 1)
            self.assertIn("nope", bad.stderr)

    def test_call_without_a_host(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            done = hosts.run_program("call", "echo", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("--url", done.stderr)


class Settings(unittest.TestCase):
    def shown(self, folder, *words, env=None):
        done = hosts.run_program("config", folder, "--json", *words, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {row["name"]: row for row in json.loads(done.stdout)}

    def test_layers(self):
        # spec §14: flags, then environment, then .env, then properties, then defaults; config shows where each came from
        with hosts.Folder({"resources/echo.json": ECHO, ".env": "PORT=1003\nSUB0_DRAIN_MS=1003\nSUB0_BULK_LIMIT=1003\n",
                           "my.properties": "PORT=1004\nSUB0_DRAIN_MS=1004\nSUB0_BULK_LIMIT=1004\nSUB0_LOOPS=4\n"}) as folder:
            config = ["--config", folder.path / "my.properties"]
            for project in (folder.path, folder.path / "resources"):
                with self.subTest(project=project.name):
                    rows = self.shown(project, *config, "--port", "1001", env={"PORT": "1002", "SUB0_DRAIN_MS": "1002"})
                    self.assertEqual([(rows[name]["value"], rows[name]["origin"]) for name in
                                      ("PORT", "SUB0_DRAIN_MS", "SUB0_BULK_LIMIT", "SUB0_LOOPS", "SUB0_POOL_THREADS")],
                                     [("1001", "--port"), ("1002", "environment"), ("1003", ".env"),
                                      ("4", str(folder.path / "my.properties")), ("4", "default")])

    def test_secrets_are_masked(self):
        # spec §14, Q-18: the password of a database never stands in an output
        secret = "postgres://user:hunter2@127.0.0.1:1/db"
        for words, env in ((["--database", secret], {}), ([], {"DATABASE_URL": secret})):
            with self.subTest(words):
                for form in ([], ["--json"]):
                    done = hosts.run_program("config", hosts.WALLET, *words, *form, env=env)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn("DATABASE_URL", done.stdout)
                    self.assertNotIn("hunter2", done.stdout + done.stderr)

    def test_settings_reach_the_host(self):
        # S-52, spec §14: .env supplies settings
        with hosts.Folder({"resources/echo.json": ECHO, ".env": "MAX_PAYLOAD_LIMIT=100\n"}) as folder:
            with hosts.Host(folder.path) as host:
                self.assertEqual(host.call("echo", "x" * 90)["status"], 200)
                self.assertEqual(host.call("echo", "x" * 200)["status"], 413)

    def test_output_that_nobody_gets_is_a_failure(self):
        with hosts.Folder({"resources/echo.json": ECHO}) as folder, open("/dev/full", "w") as full:
            for words in (("config",), ("config", "--json"), ("routes", folder.path), ("plugin", "list"), ("--help",)):
                done = subprocess.run([hosts.PROGRAM, *words], cwd=folder.path, env=hosts.environment(), stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
                self.assertEqual(done.returncode, 1, words)
                self.assertIn("stdout cannot be written", done.stderr)

    def test_all_that_is_wrong_at_once(self):
        # settings, resources and plugins: everything at once, exit 78
        env = {"SUB0_LOOPS": "-1", "ALLOW_WEBSOCKET_CONNECTIONS": "maybe", "SUB0_POOL_THREADS": "-5", "SUB0_LOG_LEVEL": "loud",
               "ALLOWED_ORIGINS": "http://a b", "SUB0_TRUSTED_PROXIES": "nowhere", "SUB0_PLUGIN_ERRORS": "perhaps",
               "MAX_PAYLOAD_LIMIT": "many", "SUB0_LOG": "text", "PORT": "70000"}
        with hosts.Folder({"resources/a.json": {**ECHO, "maintenence": True, "actionables": [{"id": 1, "mode": "VALU"}]}}) as folder:
            done = hosts.run_program("run", "--resources", folder.path, env=env)
        self.assertEqual(done.returncode, 78, done.stderr)
        for name in (*env, "VALU"):
            if name != "SUB0_LOG":
                self.assertIn(name, done.stderr)

    def test_unknown_words_of_properties(self):
        with hosts.Folder({"resources/echo.json": ECHO, "p": "PROT=1\n"}) as folder:
            done = run_host(folder.path, "--config", folder.path / "p")
            self.assertEqual(done.returncode, 78)
            self.assertIn("PROT", done.stderr)


class Starts(unittest.TestCase):
    def test_ready_line(self):
        with hosts.Host(hosts.WALLET) as host:
            ready = host.wait_for("ready")
            self.assertEqual((ready["url"], ready["port"]), (host.url, host.port))
            self.assertEqual(ready["resources"], 7)
            self.assertEqual(sorted(ready["plugins"].split() if isinstance(ready["plugins"], str) else ready["plugins"]),
                             ["dev.sub0.broadcast", "dev.sub0.query", "dev.sub0.value"])
            self.assertEqual(ready["database"], "sqlite")
            self.assertEqual([event["event"] for event in host.events()].count("ready"), 1)
            self.assertEqual(host.request("GET", "/healthz")[0], 200)
            self.assertEqual(host.request("GET", "/readyz")[0], 200)
            # spec §14: the embedded database is named in the log
            self.assertIn("sqlite:", host.log())

    def test_ready_line_as_text(self):
        env = hosts.environment({"SUB0_LOG": "text"})
        with hosts.Folder({"resources/echo.json": ECHO}) as folder:
            process = subprocess.Popen([hosts.PROGRAM, "run", "--resources", folder.path, "--port", "0"], env=env, text=True,
                                       stderr=subprocess.PIPE, cwd=folder.path)
            try:
                line = next(line for line in process.stderr if "http://127.0.0.1:" in line)
                self.assertRegex(line, r"ready on http://127\.0\.0\.1:\d+")
            finally:
                process.send_signal(signal.SIGINT)
                process.stderr.read()
                process.stderr.close()
            self.assertEqual(process.wait(hosts.PATIENCE_S), 0)

    def test_port_taken(self):
        # exit 69, and the setting by which to change it
        with socket.socket() as taken, hosts.Folder({"resources/echo.json": ECHO}) as folder:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for env, words in (({"PORT": str(port)}, []), ({}, ["--port", str(port)])):
                done = hosts.run_program("run", "--resources", folder.path, *words, env=env, cwd=folder.path)
                self.assertEqual(done.returncode, 69, done.stderr)
                self.assertIn(str(port), done.stderr)
                self.assertRegex(done.stderr, r"--port|PORT")

    def test_errors_of_all_files(self):
        # file, pointer, line, column, reason, suggestion of every error in every file
        with hosts.Folder({
                "resources/a.json": '{"id": "a", "resource": "a",\n "actionables": [{"id": 1, "mode": "VALU", "value": 1}]}',
                "resources/sub/b.json": '[\n  {"id": "b", "resource": "a", "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]}]',
                "resources/c.json": '{"id": ', "resources/d.json": {**ECHO, "id": "echo", "retunables": ["x"]},
                "resources/e.json": {**ECHO, "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {
                    "query": "SELECT 1; SELECT 2"}}]}}) as folder:
            done = run_host(folder.path)
            self.assertEqual(done.returncode, 78)
            checked = hosts.run_program("check", folder.path, "--json")
            self.assertEqual(checked.returncode, 78)
            found = json.loads(checked.stdout)
            errors = [row for row in found if row["severity"] == "error"]
            self.assertEqual({pathlib.Path(row["file"]).name for row in errors}, {"a.json", "b.json", "c.json", "e.json"})
            mode = next(row for row in errors if row["pointer"] == "/actionables/0/mode")
            self.assertEqual((mode["line"], mode["column"], mode["suggestion"]), (2, 36, "VALUE"))
            warned = next(row for row in found if row["severity"] == "warning" and "retunables" in row["message"])
            self.assertEqual((warned["pointer"], warned["suggestion"]), ("/retunables", "returnables"))
            for row in errors:
                self.assertIn(row["message"], "\n".join(json.loads(line)["message"] for line in done.stderr.splitlines()))
            # S-2: --strict makes the warning an error
            (folder.path / "resources/a.json").unlink()
            for name in ("sub/b", "c", "e"):
                (folder.path / f"resources/{name}.json").unlink()
            self.assertEqual(hosts.run_program("check", folder.path).returncode, 0)
            self.assertEqual(hosts.run_program("check", folder.path, "--strict").returncode, 78)

    def test_missing_secret(self):
        # S-3: an encryption_key that is not set: an error at start, a warning in check
        env = {"WALLET_TOKEN_KEY": None}
        done = hosts.run_program("run", "--resources", hosts.WALLET, "--port", "0", env=env)
        self.assertEqual(done.returncode, 78)
        self.assertIn("WALLET_TOKEN_KEY", done.stderr)
        checked = hosts.run_program("check", hosts.WALLET, env=env)
        self.assertEqual(checked.returncode, 0)
        self.assertIn("WALLET_TOKEN_KEY", checked.stdout)
        self.assertEqual(hosts.run_program("check", hosts.WALLET, "--strict", env=env).returncode, 78)

    def program_beside(self, folder, plugins):
        """The binary in a folder of its own, with these plugins in ../plugins."""
        program = folder.path / "bin/sub0-host"
        for name in ("bin", "plugins"):
            (folder.path / name).mkdir()
        shutil.copy(hosts.PROGRAM, program)
        for name in plugins:
            shutil.copy(PLUGINS / name, folder.path / "plugins")
        return program

    def test_query_plugin_is_missing(self):
        # S-40: without query.so: which resources need QUERY, and which folders were searched
        with hosts.Folder({"project/resources/a.json": [READS, {**READS, "id": "more", "resource": "more"}, ECHO]}) as folder:
            program = self.program_beside(folder, ["value.so", "broadcast.so"])
            (folder.path / "mine").mkdir()
            for words in (["check", folder.path / "project"], ["run", "--port", "0", "--resources", folder.path / "project"]):
                with self.subTest(words[0]):
                    done = subprocess.run([program, *words, "--plugins", folder.path / "mine"], env=hosts.environment(),
                                          capture_output=True, text=True, timeout=60, check=False, cwd=folder.path)
                    self.assertEqual(done.returncode, 78)
                    said = done.stdout + done.stderr
                    for word in ("reads", "more", "QUERY", str(folder.path / "mine"), str(folder.path / "plugins")):
                        self.assertIn(word, said)

    def test_plugin_that_cannot_load(self):
        # a file that is no plugin: start fails and names it; skipped as SUB0_PLUGIN_ERRORS says
        with hosts.Folder({"resources/echo.json": ECHO, "mine/bad.so": "no ELF file"}) as folder:
            done = run_host(folder.path, "--plugins", folder.path / "mine")
            self.assertEqual(done.returncode, 78)
            self.assertIn("bad.so", done.stderr)
            with hosts.Host(folder.path, "--plugins", folder.path / "mine", env={"SUB0_PLUGIN_ERRORS": "skip"}) as host:
                self.assertIn("bad.so", host.log())
                self.assertEqual(host.call("echo", 1)["data"], 1)

    def test_plugin_that_others_may_write(self):
        # writable by others in a folder of the command line: a warning
        with hosts.Folder({"resources/echo.json": ECHO}) as folder:
            (folder.path / "mine").mkdir()
            copy = folder.path / "mine/value.so"
            shutil.copy(PLUGINS / "value.so", copy)
            copy.chmod(0o666)
            with hosts.Host(folder.path, "--plugins", folder.path / "mine") as host:
                self.assertRegex(host.log(), r"value\.so.*writable")
                self.assertEqual(host.call("echo", 1)["data"], 1)


class Ends(unittest.TestCase):
    """A call that waits for a lock is under way as long as the test likes."""

    def setUp(self):
        self.database = self.enterContext(hosts.Sqlite())
        self.folder = self.enterContext(hosts.Folder({"resources/all.json": [ECHO, {
            "id": "write", "resource": "write", "actionables": [{"id": 1, "mode": "QUERY", "sql_query": {
                "query": "UPDATE t SET a = a + 1 RETURNING a"}}]}]}))
        hosts.run_sql(self.database.url, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)", resources=self.folder.path)
        self.host = hosts.Host(self.folder.path, "--database", self.database.url, "--loops", "3",
                               env={"SUB0_CALL_DEADLINE_MS": "600000"}).start()
        self.addCleanup(self.host.stop)
        self.lock = sqlite3.connect(self.database.url.removeprefix("sqlite:"), isolation_level=None)
        self.addCleanup(self.lock.close)
        self.lock.execute("BEGIN IMMEDIATE")

    def open(self, uid):
        return open_socket(self, self.host.port, "?uid=" + uid)

    def start_calls(self):
        """A socket and an HTTP connection whose calls are known to be under way."""
        caller = self.open("caller")
        caller.send(frame(call_text("write", action="w")) + frame(call_text("echo", action="e", id=1)))
        # Replies with an id overtake: the write before it has been started.
        self.assertEqual(caller.text()["action"], "e")
        http = Wire(self.host.port)
        self.addCleanup(http.socket.close)
        http.send(b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nPOST /write HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(http.response().status, 200)
        return caller, http

    def test_sigterm_drains(self):
        # idle sockets get 1001, calls under way are answered, nobody new, exit 0
        idle = [self.open(f"idle{n}") for n in range(10)]
        caller, http = self.start_calls()
        self.host.signal(signal.SIGTERM)
        self.host.wait_for("stopping")
        self.lock.execute("COMMIT")
        reply = caller.text()
        self.assertEqual(reply["action"], "w")
        response = http.response()
        self.assertEqual(response.status, 200)
        self.assertEqual({reply["data"]["a"], response.json()["data"]["a"]}, {2, 3})
        for wire in (*idle, caller):
            self.assertEqual(wire.close_code(), 1001)
        self.assertEqual(http.rest(), b"")
        self.assertEqual(self.host.wait(), 0)
        with self.assertRaises(ConnectionRefusedError):
            Wire(self.host.port)
        self.assertEqual(self.host.wait_for("stopped")["connections_left"], 0)

    def test_second_sigterm(self):
        # a second SIGTERM: at once, although a call is under way and the lock is still held
        self.start_calls()
        self.host.signal(signal.SIGTERM)
        self.host.wait_for("stopping")
        self.host.signal(signal.SIGTERM)
        self.assertEqual(self.host.wait(), 0)
        self.assertNotIn('"stopped"', self.host.log())
        self.lock.execute("COMMIT")

    def test_sighup(self):
        # calls under way end on the resources that they began with, and nothing is dropped
        caller, http = self.start_calls()
        self.folder.write("resources/all.json", [{**ECHO, "resource": "parrot"}])
        self.host.signal(signal.SIGHUP)
        self.assertEqual(self.host.wait_for("reloaded")["resources"], 1)
        self.assertEqual(caller.send(frame(call_text("parrot", 5, action="p", id=2))).text()["data"], 5)
        self.assertEqual(self.host.call("write")["status"], 404)
        self.lock.execute("COMMIT")
        self.assertEqual({caller.text()["data"]["a"], http.response().json()["data"]["a"]}, {2, 3})


class UnreadLog(unittest.TestCase):
    def test_nobody_reads_the_log(self):
        # a loop never blocks: what stderr does not take is left out
        folder = self.enterContext(hosts.Folder({"resources/all.json": [ECHO]}))
        process = subprocess.Popen([hosts.PROGRAM, "run", "--resources", folder.path, "--port", "0", "--state", folder.path / "state"],
                                   env=hosts.environment({"SUB0_TRACE": "1"}), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        while (line := json.loads(process.stderr.readline()))["event"] != "ready":
            pass
        wire = open_socket(self, line["port"])
        for number in range(1500):
            self.assertEqual(wire.send(frame(call_text("echo", number))).text()["data"], number)
        process.terminate()
        self.assertEqual(process.wait(hosts.PATIENCE_S), 0)


class Plugins(unittest.TestCase):
    """A plugin's author has the installed SDK and a compiler, nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(hosts.Folder())
        cls.sdk = cls.folder.path / "sdk"
        cls.run_tool("cmake", "--install", hosts.BUILD, "--component", "sdk", "--prefix", cls.sdk)

    @classmethod
    def run_tool(cls, *words):
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=400,
                              stdin=subprocess.DEVNULL, env={**os.environ, "CCACHE_DISABLE": "1"})
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def build(self, source):
        self.run_tool("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.sdk}")
        self.run_tool("cmake", "--build", source / "build")
        return source / "build"

    def test_plugin_new(self):
        made = self.folder.path / "weather"
        done = hosts.run_program("plugin", "new", "weather", made)
        self.assertEqual(done.returncode, 0, done.stderr)
        built = self.build(made)
        self.run_tool("ctest", "--test-dir", built, "--output-on-failure", "--no-tests=error")
        self.assertEqual(hosts.run_program("plugin", "inspect", built / "weather.so").returncode, 0)
        listed = hosts.run_program("plugin", "list", "--plugins", built, "--json")
        self.assertIn("WEATHER", [handler["name"] for row in json.loads(listed.stdout) for handler in row["handlers"]])
        with hosts.Host(made / "resources", "--plugins", built) as host:
            self.assertEqual(host.call("weather", {"name": "Ada"})["status"], 200)
        # A folder that is not empty, a name that is none.
        self.assertEqual(hosts.run_program("plugin", "new", "weather", made).returncode, 1)
        self.assertEqual(hosts.run_program("plugin", "new", "Weather-1", made).returncode, 2)

    def test_sample_greeting(self):
        sample = hosts.ROOT / "sample-resources/greeting"
        copy = self.folder.path / "greeting"
        shutil.copytree(sample / "plugin", copy)
        built = self.build(copy)
        with hosts.Host(sample / "resources", "--plugins", built) as host:
            self.assertEqual(host.call("greeting", {"name": "Ada"})["data"], {"text": "Hello Ada"})
            self.assertEqual(host.call("greeting", {})["status"], 400)
        # The README's own claims.
        inspected = hosts.run_program("plugin", "inspect", built / "greeting.so", "--json")
        self.assertEqual(inspected.returncode, 0)
        self.assertIn("GREETING", inspected.stdout)


if __name__ == "__main__":
    hosts.main()
