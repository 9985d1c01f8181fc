"""Processes: foreign ones that are started here, logged to files and killed at the end; and the memory of any."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks.systems import ROOT

_TIMEOUT_S = 1.0
_KILL_WAIT_S = 10.0


class Processes:
    """Named processes with fixed command lines."""

    def __init__(self, directory: Path, commands: dict[str, list[str]]) -> None:
        self._directory = directory
        self._commands = commands
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start_all(self) -> None:
        for name in self._commands:
            self.start(name)

    def start(self, name: str) -> None:
        """Start it, again if need be."""
        if name in self._running:
            self._running[name].wait(_KILL_WAIT_S)
        with (self._directory / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._commands[name],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        self._running[name].send_signal(signal.SIGKILL)

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait(_KILL_WAIT_S)


def cpu_s(pid: int) -> float:
    """Seconds of CPU time this process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")  # in user mode and in the kernel


def ask(port: int, method: str, path: str, body: str | None = None) -> dict[str, Any] | None:
    """The JSON object a server answers with, None when it gives none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        found = json.loads(response.read()) if response.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None


def memory_mb(pid: int) -> tuple[float, float]:
    """Of a process, resident now, and at most so far."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    now, most = (int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now, most


def forget_peak(pid: int) -> None:
    """Let the most that `memory_mb` knows begin anew (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
