# SPDX-License-Identifier: Apache-2.0
"""Every process that the suite starts is started here, bounded in time, and ended by its own id.

Also on Ctrl-C, on an error, and (PR_SET_PDEATHSIG) when the driver itself is killed.
"""
import ctypes
import json
import os
import re
import selectors
import signal
import subprocess
import time

_libc = ctypes.CDLL(None)
_children = []
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)  # the driver's own


def start(command, ending=signal.SIGTERM, **options):
    """A child in a session of its own (a Ctrl-C reaches the driver alone), which `ending` ends."""

    def prepare():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _libc.prctl(1, ending)  # PR_SET_PDEATHSIG
        _libc.prctl(0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER: strace and callgrind_control are no parents of it

    words = [str(word) for word in command]
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # between its birth and its entry in the list nobody would end it
    try:
        child = subprocess.Popen(words, preexec_fn=prepare, start_new_session=True, **options)
        child.ending = ending
        _children.append(child)
    except OSError as error:
        raise Failed(f"{words[0]}: {error.strerror}") from None
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
    return child


def stop(child, seconds=20):
    if child.poll() is None:
        child.send_signal(child.ending)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child in _children:
        _children.remove(child)


def stop_all():
    for child in list(_children):
        stop(child, seconds=10)


class Failed(Exception):
    """A process did not do what it was started for; the text says what it printed."""


def read_line(child, seconds):
    """The next line of a child's standard output (a pipe, unbuffered), or Failed."""
    end = time.monotonic() + seconds
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0, end - time.monotonic())):
                raise Failed(f"{child.args[0]}: nothing within {seconds} s")
            byte = os.read(child.stdout.fileno(), 1)
            if not byte:
                raise Failed(f"{' '.join(child.args)} ended early:\n{_errors_of(child)}")
            line += byte
    return line.decode()


def _errors_of(child):
    child.wait(10)
    if child.stderr is None:
        return f"exit code {child.returncode}"
    return child.stderr.read().decode(errors="replace")[-2000:]


class Server:
    """A started server: its port, and the CPU time of all its threads, ended ones included."""

    def __init__(self, command, log, environment=None):
        self.log = log
        with open(log, "w") as output:
            self.child = start(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                               env={**os.environ, **(environment or {})})
        self.port = self._await_port(60)

    def _await_port(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.child.poll() is None:
            text = self.log.read_text(errors="replace")
            found = re.search(r'^port (\d+)$|"event":"ready".*"port":"?(\d+)', text, re.MULTILINE)
            if found:
                return int(found[1] or found[2])
            time.sleep(0.005)
        stop(self.child)
        raise Failed(f"{' '.join(self.child.args)} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    @property
    def pid(self):
        return self.child.pid

    def cpu_ns(self):
        return time.clock_gettime_ns((~self.pid << 3) | 2)  # CPUCLOCK_SCHED of the process

    def rollup(self):
        """Rss, Pss, Private_Dirty ... in bytes."""
        found = re.findall(r"^(\w+): +(\d+) kB", open(f"/proc/{self.pid}/smaps_rollup").read(), re.MULTILINE)
        return {name: int(kilobytes) * 1024 for name, kilobytes in found}

    def stop(self):
        stop(self.child)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Load:
    """A load program that has connected, and waits for go(). Its result is a JSON line."""

    def __init__(self, command, seconds=120):
        self.seconds = seconds
        self.child = start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.first = json.loads(read_line(self.child, seconds))

    def go(self):
        self.child.stdin.write(b"\n")
        return json.loads(read_line(self.child, self.seconds))

    def end(self):
        """Closes its input, by which it closes its connections; returns a last line, if it says one."""
        self.child.stdin.close()
        rest = self.child.stdout.read().decode()
        code = self.child.wait(self.seconds)
        if code != 0:
            raise Failed(f"{' '.join(self.child.args)}: exit code {code}\n{_errors_of(self.child)}")
        stop(self.child)
        return json.loads(rest) if rest.strip() else None


def run(command, seconds=120, environment=None, ending=signal.SIGTERM):
    """Runs a command to its end; returns its output and its CPU seconds."""
    before = os.times()
    child = start(command, ending, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                  env={**os.environ, **(environment or {})})
    try:
        output = child.communicate(timeout=seconds)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(child.args)}: not done within {seconds} s") from None
    finally:
        stop(child)
    if child.returncode != 0:
        raise Failed(f"{' '.join(child.args)}: exit code {child.returncode}\n{output[-2000:]}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return output, cpu
