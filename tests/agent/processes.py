"""Running raftsim as a process of its own, and waiting for what it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from raftsim.agent.addresses import free_ports

PATIENCE_S = 60.0


def raftsim(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "raftsim", *args],
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Running:
    """A command that goes on; its output is collected by a thread, so that it never waits for us."""

    def __init__(self, args: tuple[str, ...], options: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "raftsim", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, text: str) -> str:
        """The first line with `text` in it, once it is there."""
        wait_until(lambda: text in self.output or self.process.poll() is not None)
        wait_until(lambda: text in self.output or not self._reader.is_alive())
        found = [line for line in self.lines if text in line]
        assert found, f"{text!r} is not in:\n{self.output}"
        return found[0]

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end; the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code


@contextmanager
def running(*args: str, **options: Any) -> Iterator[Running]:
    command = Running(args, options)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.wait()
        assert command.process.stdout is not None
        command.process.stdout.close()


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.02)


def get(address: str, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection(address, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def free_base_ports(nodes: int) -> tuple[int, int]:
    """Base ports for HTTP and RPC such that nothing listens on those of any node."""
    for base in free_ports("127.0.0.1", 100):
        wanted = [base + 10 * i + j for i in range(nodes) for j in range(2)]
        if all(not _listening(port) for port in wanted):
            return base, base + 1
    raise AssertionError("no ports")


def _listening(port: int) -> bool:
    from socket import socket

    with socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def alive(pid: int) -> bool:
    """Whether this process can still do something."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"
