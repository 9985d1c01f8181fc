"""A process that is certainly the one we started.

A pid alone is not an identity: after its process has ended the kernel gives it to another. The pair of pid and start
time is; a signal goes through a pidfd, so that nothing can change between the check and the signal.
"""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

RUNNING = "running"
PAUSED = "paused"
DEAD = "dead"


@dataclass(frozen=True, slots=True)
class ProcessId:
    pid: int
    started: int  # clock ticks since the machine started

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has `pid` now."""
        stat = _stat(pid)
        return cls(pid, stat.started) if stat else None

    @classmethod
    def parse(cls, text: str) -> ProcessId | None:
        """From `str(process)`."""
        words = text.split()
        if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
            return None
        return cls(int(words[0]), int(words[1]))

    def __str__(self) -> str:
        return f"{self.pid} {self.started}"

    def state(self) -> str:
        """RUNNING, PAUSED (by SIGSTOP) or DEAD, which it is when its last thread is gone, and its ports and locks too.

        The first thread ends before the others when a process is killed: a zombie with threads still holds its files.
        """
        stat = _stat(self.pid)
        if stat is None or stat.started != self.started or (stat.letter in "ZX" and stat.threads <= 1):
            return DEAD
        return PAUSED if stat.letter in "Tt" else RUNNING

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal. False when the process has ended already."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if self.state() == DEAD:
                return False
            signal.pidfd_send_signal(pidfd, number)
        except ProcessLookupError:
            return False
        finally:
            os.close(pidfd)
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process has ended. False when it has not within `timeout_s`."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if self.state() == DEAD:
                return True
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            return bool(poll.poll(timeout_s * 1000))
        finally:
            os.close(pidfd)


class _Stat(NamedTuple):
    letter: str  # of the state of the first thread
    threads: int
    started: int


def _stat(pid: int) -> _Stat | None:
    """What the kernel tells; the name before the fields may hold anything, but ends with the last bracket."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return _Stat(letter=fields[0], threads=int(fields[17]), started=int(fields[19]))
