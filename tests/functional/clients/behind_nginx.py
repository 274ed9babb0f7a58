# SPDX-License-Identifier: Apache-2.0
"""The README's own nginx recipe for wss://, with a certificate made here, free ports, and nothing else changed."""

import asyncio
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import unittest

import websockets

import host as hosts
from wire import call_text
from wire_project import PROJECT

CLIENT = "127.0.0.5"  # an address that is not the proxy's


def recipe():
    return re.search(r"```nginx\n(.*?)```", (hosts.ROOT / "README.md").read_text(), re.S)[1]


class Nginx:
    """One process in the foreground; its files lie in a temporary folder."""

    def __init__(self, host_port):
        self._folder = hosts.Folder()
        path = self._folder.path
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path / "key.pem", "-out",
                        path / "certificate.pem", "-days", "2", "-subj", "/CN=example.org", "-addext",
                        "subjectAltName=DNS:example.org"], check=True, capture_output=True)
        self.certificate = path / "certificate.pem"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = recipe()
        for was, becomes in (("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;"),
                             ("/etc/ssl/example.org.pem", str(self.certificate)),
                             ("/etc/ssl/example.org.key", str(path / "key.pem")),
                             ("http://127.0.0.1:8080", f"http://127.0.0.1:{host_port}")):
            assert was in text, f"the recipe has no {was}"
            text = text.replace(was, becomes)
        folders = "".join(f"{name}_temp_path {path}/{name};\n" for name in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self._folder.write("nginx.conf", f"daemon off; master_process off; pid {path}/pid; error_log stderr;\n"
                                         f"events {{}}\nhttp {{\naccess_log off;\n{folders}{text}}}\n")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self._process = subprocess.Popen([program, "-p", path, "-e", "stderr", "-c", path / "nginx.conf"],
                                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + hosts.PATIENCE_S
        pause = threading.Event()
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError as refusal:
                if self._process.poll() is not None or time.monotonic() > until:
                    self.__exit__()
                    raise AssertionError("nginx does not start") from refusal
                pause.wait(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.communicate(timeout=hosts.PATIENCE_S)
        self._folder.remove()


class BehindNginx(unittest.TestCase):
    def talk(self, env, headers=None):
        """What `address` says over wss:// and https:// to a client at CLIENT."""
        with hosts.Folder(PROJECT) as folder, hosts.Host(folder.path, env=env) as host, Nginx(host.port) as nginx:
            trust = ssl.create_default_context(cafile=nginx.certificate)

            async def over_websocket():
                async with websockets.connect("wss://example.org/ws?uid=u", ssl=trust, host="127.0.0.1", port=nginx.port,
                                              server_hostname="example.org",
                                              local_addr=(CLIENT, 0), extra_headers=headers or {},
                                              subprotocols=["x-access-token", "t0"]) as socket_:
                    self.assertEqual(socket_.subprotocol, "x-access-token")
                    await socket_.send(call_text("address", action="a"))
                    reply = json.loads(await socket_.recv())
                    self.assertEqual((reply["uid"], reply["action"]), ("u", "a"))
                    await socket_.send(call_text("echo", payload="x" * 300_000))
                    self.assertEqual(len(json.loads(await socket_.recv())["data"]), 300_000)
                    await (await socket_.ping())
                    return reply["data"]["ip"]
            by_socket = asyncio.run(over_websocket())
            lines = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
            done = subprocess.run(["curl", "-sS", "--interface", CLIENT, "--cacert", nginx.certificate, "--connect-to",
                                   f"example.org:443:127.0.0.1:{nginx.port}", "https://example.org/address", "-H",
                                   "content-type: application/json", "-d", "{}", *lines], capture_output=True, text=True,
                                  timeout=60, check=True)
            by_http = json.loads(done.stdout)["data"]["ip"]
        self.assertEqual(by_socket, by_http)
        return by_socket

    def test_without_trust_it_is_the_proxy(self):
        # Q-84, S-61: X-Forwarded-For of a proxy that is not trusted is ignored
        self.assertEqual(self.talk({}), "127.0.0.1")

    def test_with_trust_it_is_the_client(self):
        # S-61: SUB0_TRUSTED_PROXIES makes it the client's address
        self.assertEqual(self.talk({"SUB0_TRUSTED_PROXIES": "127.0.0.1"}), CLIENT)

    def test_a_client_cannot_lie(self):
        # what the client itself claims stands before the last untrusted hop
        self.assertEqual(self.talk({"SUB0_TRUSTED_PROXIES": "127.0.0.1"}, {"X-Forwarded-For": "203.0.113.9"}), CLIENT)


if __name__ == "__main__":
    hosts.main()
