# SPDX-License-Identifier: Apache-2.0
"""What the tests of /metrics share: fetching the page, waiting for it to say something, plugins that are bad on purpose."""

import os
import shutil
import threading
import unittest

import host as hosts
from metrics_page import Page
from wire import Wire

BAD_PLUGINS = hosts.BUILD / "tests/bad-plugins/plugins"
TYPE = "text/plain; version=0.0.4; charset=utf-8"


def fetch(port, path="/metrics", method="GET"):
    """Status, headers and text, whatever the status."""
    with Wire(port) as wire:
        response = wire.request(method, path, b"", "Connection: close")
        return response.status, response.headers, response.body.decode()


def read_page(port):
    status, headers, text = fetch(port)
    assert (status, headers["content-type"]) == (200, TYPE), (status, headers, text[:300])
    return Page(text)


def bad_plugin(folder, *names):
    """A plugin folder with these of tests/bad-plugins."""
    place = folder.path / "bad"
    place.mkdir()
    for name in names:
        shutil.copy(BAD_PLUGINS / f"{name}.so", place)
    return place


def make_fifo(folder):
    """What the mode BLOCK of resources/block.json waits for; writing to it ends one run."""
    fifo = folder.path / "fifo"
    os.mkfifo(fifo)
    resources = folder.path / "resources/block.json"
    resources.write_text(resources.read_text().replace("FIFO", str(fifo)))
    return fifo


def release(fifo):
    """No effect where nobody waits for it."""
    try:
        writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    os.write(writer, b"x")
    os.close(writer)


class MetricsTest(unittest.TestCase):
    def start(self, files, *arguments, env=None, **more):
        folder = self.enterContext(hosts.Folder(files))
        return self.enterContext(hosts.Host(folder.path, *arguments, env=env, **more))

    def open(self, host, query=None):
        wire = self.enterContext(Wire(host.port))
        if query is not None:
            wire.upgrade(query)
        return wire

    def wait_until(self, port, holds, what):
        """The page, once `holds(page)`: an event reaches the counters before its client knows, but some come behind."""
        pause = threading.Event()
        for _ in range(int(hosts.PATIENCE_S / 0.02)):
            page = read_page(port)
            if holds(page):
                return page
            pause.wait(0.02)
        raise AssertionError(f"never: {what}")
