"""The two things a reader types into: a shell that stays open, and a terminal that one program occupies.

Both have a real pseudo-terminal for their output, so that commands print what they print for a person.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path

COMMAND_TIMEOUT_S = 60.0
_MARK = "--end-of-command--"
_END = re.compile(rf"\n?{_MARK} (\d+)\n")


class Screen:
    """The reading end of a pseudo-terminal that prints what it is given and nothing else."""

    def __init__(self) -> None:
        self._fd, self.slave = pty.openpty()
        modes = termios.tcgetattr(self.slave)
        modes[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self.text = ""

    def read_until(self, wanted: re.Pattern[str], timeout_s: float) -> re.Match[str] | None:
        """Wait for `wanted` in the text not yet taken. None when it does not come, or nobody writes any more."""
        deadline = time.monotonic() + timeout_s
        while (match := wanted.search(self.text)) is None:
            if not self.read_more(deadline - time.monotonic()):
                return None
        return match

    def read_more(self, timeout_s: float) -> bool:
        """Take in what was printed, waiting for it. False when nothing came or nothing can come."""
        if not select.select([self._fd], [], [], max(0.0, timeout_s))[0]:
            return False
        try:
            data = os.read(self._fd, 1 << 16)
        except OSError:  # the last writer is gone
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def close(self) -> None:
        os.close(self._fd)


class Shell:
    """A bash that keeps its directory and its environment from one command to the next."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._screen = Screen()
        self._process = _start(["bash", "--norc", "--noprofile"], self._screen, directory, environment)
        self._status = 0

    def run(self, command: str) -> str:
        """What `command` prints until it has ended. Raises AssertionError if it does not end."""
        assert self._process.stdin is not None
        line = f"{{ (exit {self._status})\n{command}\n}} </dev/null\nprintf '\\n{_MARK} %d\\n' $?\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        end = self._screen.read_until(_END, COMMAND_TIMEOUT_S)
        assert end is not None, f"no end of: {command}\nIt printed:\n{self._screen.text}"
        output, self._screen.text = self._screen.text[: end.start()], self._screen.text[end.end() :]
        self._status = int(end[1])
        return output

    def close(self) -> None:
        _end(self._process, patience_s=5)
        self._screen.close()


class Terminal:
    """One program in the foreground of a terminal."""

    def __init__(self, command: str, directory: Path, environment: Mapping[str, str]) -> None:
        self.screen = Screen()
        self._process = _start(["bash", "-c", f"exec {command}"], self.screen, directory, environment)

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.killpg(self._process.pid, signal.SIGINT)

    def has_ended(self, timeout_s: float) -> bool:
        """Wait for the program's end. False when it does not come."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> bool:
        """End what still runs; whether something did."""
        ran = _end(self._process, patience_s=0)
        self.screen.close()
        return ran


def _start(
    command: list[str], screen: Screen, directory: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=screen.slave,
        stderr=screen.slave,
        cwd=directory,
        env=dict(environment),
        start_new_session=True,
    )
    os.close(screen.slave)
    return process


def _end(process: subprocess.Popen[bytes], patience_s: float) -> bool:
    """Close its input, and if it does not end then, end it with all it started. Whether that was needed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False
