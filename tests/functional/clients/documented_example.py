# SPDX-License-Identifier: Apache-2.0
"""The documentation's own example, word for word, called by clients that other people wrote. CTest runs it once on SQLite and
once on PostgreSQL."""

import asyncio
import http.server
import json
import os
import subprocess
import threading
import unittest

import websockets

import host as hosts
from wire import Wire, call_text, frame

DOCUMENTED = {"resource": "fetch-balance", "action": "balance_check", "payload": {}}
REPLY = {"uid": "user_12345", "action": "balance_check", "data": {"wallet_balance": 1250.75}}
ENVELOPE = {"success": True, "message": "Operation Successful", "data": {"wallet_balance": 1250.75}}
NODE = hosts.FOLDER / "node"


def node(script, *words):
    modules = os.environ.get("NODE_PATH", str(hosts.BUILD / "tests/functional/clients/node/node_modules"))
    done = subprocess.run(["node", str(NODE / script), *words], env={**os.environ, "NODE_PATH": modules},
                          capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return json.loads(done.stdout)


class BlankPage(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>page of another origin</title>")

    def log_message(self, *_):
        pass


class DocumentedExample(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.chosen_database())
        hosts.run_sql(cls.database.url, "-f", hosts.WALLET / "demo.sql")
        cls.token = hosts.mint_token()
        cls.host = cls.enterClassContext(
            hosts.Host(hosts.WALLET, "--database", cls.database.url, "--loops", "3", env={"SUB0_LOG_LEVEL": "debug"},
                       secrets=[cls.token]))

    # spec §15, S-51, S-72: a balance by curl
    def test_curl(self):
        done = subprocess.run(["curl", "-sS", "-X", "POST", self.host.url + "/fetch-balance", "-H",
                               "x-access-token: " + self.token], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(json.loads(done.stdout), ENVELOPE)

    # S-30, S-50: curl's own way to send a body, and its Expect: 100-continue for a large one
    def test_curl_sends_a_large_body_after_100_continue(self):
        body = json.dumps({"text": "x" * 900_000})
        done = subprocess.run(["curl", "-sS", "-v", self.host.url + "/echo", "-H", "content-type: application/json", "-H",
                               "Expect: 100-continue", "--data-binary", "@-"], input=body, capture_output=True, text=True,
                              check=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["data"], json.loads(body))
        self.assertIn("100 Continue", done.stderr)

    # S-73, S-112, Q-16: Python websockets, token by subprotocol
    def test_python_websockets(self):
        async def talk():
            async with websockets.connect(self.host.websocket_url("?uid=user_12345"),
                                          subprotocols=["x-access-token", self.token]) as socket:
                self.assertEqual(socket.subprotocol, "x-access-token")
                self.assertNotIn(self.token, str(socket.response_headers))
                await socket.send(json.dumps(DOCUMENTED))
                self.assertEqual(json.loads(await socket.recv()), REPLY)
        asyncio.run(talk())

    # S-73: the header of that name instead of subprotocols
    def test_python_websockets_token_in_header(self):
        async def talk():
            async with websockets.connect(self.host.websocket_url(),
                                          extra_headers={"X-Access-Token": self.token}) as socket:
                await socket.send(json.dumps(DOCUMENTED))
                self.assertEqual(json.loads(await socket.recv()), {**REPLY, "uid": None})
        asyncio.run(talk())

    # S-73, Q-16: node ws, token by subprotocol
    def test_node_ws(self):
        seen = node("socket_call.js", self.host.websocket_url("?uid=user_12345"),
                    json.dumps(["x-access-token", self.token]), json.dumps([DOCUMENTED]))
        self.assertEqual(seen["protocol"], "x-access-token")
        self.assertNotIn(self.token, json.dumps(seen["headers"]))
        self.assertEqual(seen["replies"], [REPLY])
        self.assertEqual(seen["close"][0], 1000)

    # S-52: without a token every client gets the same refusal
    def test_node_ws_without_token(self):
        seen = node("socket_call.js", self.host.websocket_url(), "[]", json.dumps([DOCUMENTED]))
        self.assertEqual({name: seen["replies"][0][name] for name in ("data", "success", "status", "message")},
                         {"data": None, "success": False, "status": 401, "message": "no token header found"})

    # spec §15: sub0-host call over HTTP
    def test_terminal_http(self):
        done = hosts.run_program("call", "fetch-balance", "--url", self.host.url, "--token", self.token)
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, ENVELOPE), done.stderr)

    # spec §15, S-73: sub0-host call over WebSocket
    def test_terminal_websocket(self):
        done = hosts.run_program("call", "fetch-balance", "--url", self.host.url, "--ws", "--uid", "user_12345",
                                 "--token", self.token, "--action", "balance_check")
        self.assertEqual((done.returncode, json.loads(done.stdout)), (0, REPLY), done.stderr)

    # S-72: a refusal is exit code 1
    def test_terminal_without_token(self):
        done = hosts.run_program("call", "fetch-balance", "--url", self.host.url)
        self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]), (1, "unauthorized"))

    # S-115: sub0-host call --watch prints what comes
    def test_terminal_watches(self):
        with subprocess.Popen([hosts.PROGRAM, "call", "echo", "{}", "--url", self.host.url, "--ws", "--uid", "watcher",
                               "--watch"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as watcher:
            try:
                # With a uid the payload gets its `id`.
                self.assertEqual(json.loads(watcher.stdout.readline())["data"], {"id": "watcher"})
                self.host.call("notify-one", {"uid": "watcher", "n": 1})
                self.assertEqual(json.loads(watcher.stdout.readline()),
                                 {"action": "wallet_balance_update", "data": {"uid": "watcher", "n": 1}})
            finally:
                watcher.kill()

    # token as subprotocol: every byte of the 101, whatever the order and the case of the names
    def test_the_101_names_the_scheme_alone(self):
        table = [
            (["x-access-token", self.token], "x-access-token", True),
            (["X-Access-Token", self.token], "X-Access-Token", True),
            (["Authorization", self.token], "Authorization", False),
            ([self.token, "x-access-token"], None, False),
            ([self.token], None, False),
            (["x-access-token"], "x-access-token", False),
            (["chat", "x-access-token", self.token], None, False),
        ]
        for offers, selected, may_call in table:
            with self.subTest(offers=[offer[:15] for offer in offers]), Wire(self.host.port) as wire:
                response = wire.upgrade("?uid=user_12345", "Sec-WebSocket-Protocol: " + ", ".join(offers))
                self.assertNotIn(self.token.encode(), response.head)
                self.assertEqual(response.headers.get("sec-websocket-protocol"), selected)
                wire.send(frame(call_text("fetch-balance", action="balance_check")))
                reply = wire.text()
                self.assertEqual(reply["data"], REPLY["data"] if may_call else None, reply)
                self.assertNotIn(self.token, json.dumps(reply))

    # S-54, S-73, S-115, S-116, Q-16: headless Chromium runs the documentation's JavaScript on a page of another origin
    def test_chromium(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), BlankPage) as pages, hosts.Folder() as profile:
            threading.Thread(target=pages.serve_forever, daemon=True).start()
            try:
                seen = node("browser.js", json.dumps({
                    "page": f"http://127.0.0.1:{pages.server_port}/", "http": self.host.url,
                    "ws": self.host.websocket_url(), "token": self.token, "profile": str(profile.path)}))
            finally:
                pages.shutdown()
        self.assertEqual(seen["balance"], {"protocol": "x-access-token", "messages": [REPLY]})
        self.assertTrue(seen["handshakes"])
        self.assertNotIn(self.token, json.dumps([[answer.get("headers"), answer.get("headersText")]
                                                 for answer in seen["handshakes"]]))
        # fetch() with a header of its own asks first (OPTIONS), and reads errors too.
        self.assertEqual(seen["post"], {"status": 200, "body": ENVELOPE})
        self.assertEqual((seen["refused"]["status"], seen["refused"]["body"]["error"]["code"]), (401, "token_invalid"))
        data = {"balance": 1, "id": "user_12345"}
        broadcast = {"action": "wallet_balance_update", "data": data}
        self.assertEqual(seen["sender"]["messages"], [{"uid": "user_12345", "action": "n", "data": data}, broadcast])
        self.assertEqual(seen["receiver"], [broadcast, {
            "action": "wallet_balance_update", "data": {"uid": "user_67890", "balance": 2, "id": "user_12345"}}])
        self.assertEqual(seen["one"]["messages"][0]["uid"], "user_12345")


if __name__ == "__main__":
    hosts.main()
