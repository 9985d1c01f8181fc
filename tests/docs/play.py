"""Doing what a page says, in a directory, a home and on ports of its own.

Pages speak of the default ports, 4646 and up. While they are played these stand for free ones: in commands and files
on the way out, in output on the way back.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from raftsim.cluster.local import LocalCluster
from tests.docs.compare import agrees, counts_agree, normal, pattern
from tests.docs.pages import INTERRUPT, REPOSITORY, Block, Command, blocks
from tests.docs.shell import Shell, Terminal

SHOWN_HOME = "/home/you"
TERMINAL_TIMEOUT_S = 20.0
_FIRST = 4646
_OFFSETS = sorted(step + kind for step in range(0, 50, 10) for kind in (0, 1))  # five servers of two ports each
_SHOWN_PORT = re.compile("|".join(rf"\b{_FIRST + offset}\b" for offset in _OFFSETS))
_NOT_SHOWN = re.compile(r"[^\n]*\r\x1b\[K|\x1b\[[0-9;]*m|\r")  # erased lines, colours, the line ends of HTTP
_WRAPPER = """#!/bin/sh
case "$1 $2" in
"demo "*) shift; exec {python} -m raftsim demo {ports} "$@" ;;
"cluster start") shift 2; exec {python} -m raftsim cluster start {ports} "$@" ;;
"agent -dev"|"agent -server") shift; exec {python} -m raftsim agent {ports} "$@" ;;
esac
exec {python} -m raftsim "$@"
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A command that did not print what the page says; `actual` is what it printed, as the page would show it."""

    block: Block
    command: Command
    actual: list[str]

    def __str__(self) -> str:
        wanted = "\n".join(self.command.output)
        return (
            f"line {self.block.line}: $ {self.command.text}\n--- the page says\n{wanted}\n--- it printed\n"
            + "\n".join(self.actual)
        )


class Player:
    def __init__(self, directory: Path) -> None:
        home = directory / "home"
        self._state = home / ".local" / "state" / "raftsim"
        self._work = directory / "work"
        self._bin = directory / "bin"
        for folder in (home, self._work, self._bin):
            folder.mkdir()
        (self._work / "scenarios").symlink_to(REPOSITORY / "scenarios")
        self._home = str(home)
        self._base = _free_ports()
        self._environment = self._make_environment()
        self._shell = Shell(self._work, self._environment)
        self._terminals: dict[str, Terminal] = {}

    def play(self, block: Block) -> Iterator[Difference]:
        """Do what `block` says; yields what was different."""
        if "file" in block.options:
            text = "\n".join(block.body) + "\n"
            (self._work / block.options["file"]).write_text(self._outward(text))
        elif block.language == "console":
            terminal = block.options.get("terminal")
            for command in block.commands():
                actual = self._type(command) if terminal is None else self._watch(terminal, command, block)
                if actual is None or (terminal is None and agrees(command.output, actual, varies=block.varies)):
                    continue
                yield Difference(block, command, actual.rstrip("\n").split("\n") if actual.strip() else [])

    def close(self) -> list[str]:
        """Stop all that runs; what should have been stopped by the page itself."""
        left = [f"terminal {name}" for name, terminal in self._terminals.items() if terminal.close()]
        self._shell.close()
        for folder in sorted(self._state.glob("clusters/*")):
            left.append(f"cluster {folder.name}")
            LocalCluster.open(folder).destroy()
        for pid in _processes_with(f"HOME={self._home}"):
            left.append(f"process {pid}")
            os.kill(pid, signal.SIGKILL)
        return left

    def _type(self, command: Command) -> str:
        assert command.text is not None, "output without a command"
        return self._inward(self._shell.run(self._outward(command.text)))

    def _watch(self, name: str, command: Command, block: Block) -> str | None:
        """Wait for what the program in a terminal shall print. None when it did, else what it printed."""
        if command.text == INTERRUPT:
            self._terminals[name].interrupt()
        elif command.text is not None:
            if name in self._terminals:
                assert not self._terminals[name].close(), f"terminal {name} is in use"
            self._terminals[name] = Terminal(self._outward(command.text), self._work, self._environment)
        screen = self._terminals[name].screen
        wanted = pattern(command.output, varies=block.varies)
        deadline = time.monotonic() + TERMINAL_TIMEOUT_S
        while True:
            printed = self._inward(screen.text[: screen.text.rfind("\n") + 1])
            found = wanted.match(normal(printed))
            if found and (not block.varies or counts_agree(command.output, found)):
                break
            if not screen.read_more(deadline - time.monotonic()):
                return self._inward(screen.text)
        if command.text == INTERRUPT and not self._terminals[name].has_ended(TERMINAL_TIMEOUT_S):
            return "it does not end"
        lines = screen.text.splitlines(keepends=True)
        screen.text = "".join(lines[found[0].count("\n") :])
        return None

    def _outward(self, text: str) -> str:
        return _SHOWN_PORT.sub(lambda port: str(self._base + int(port[0]) - _FIRST), text)

    def _inward(self, text: str) -> str:
        for offset in _OFFSETS:
            text = re.sub(rf"\b{self._base + offset}\b", str(_FIRST + offset), text)
        text = _NOT_SHOWN.sub("", text)
        return text.replace(self._home, SHOWN_HOME).replace(str(self._work), f"{SHOWN_HOME}/work")

    def _make_environment(self) -> dict[str, str]:
        wrapper = self._bin / "raftsim"
        ports = f"-http-port={self._base} -rpc-port={self._base + 1}"
        wrapper.write_text(_WRAPPER.format(python=sys.executable, ports=ports))
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        return {
            "PATH": f"{self._bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY),  # the code beside the pages, whatever else is installed
            "HOME": self._home,
            "RAFTSIM_HOME": str(self._state),
            "NOMAD_ADDR": f"http://127.0.0.1:{self._base}",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }


@contextmanager
def player(directory: Path) -> Iterator[Player]:
    """A player for one page. Raises AssertionError at the end when the page left something running."""
    with ExitStack() as stack:
        made = Player(directory)
        left: list[str] = []
        stack.callback(lambda: left.extend(made.close()))
        yield made
        stack.close()
        assert not left, f"the page does not stop: {', '.join(left)}"


def differences(page: Path, directory: Path) -> list[Difference]:
    """Play a page from beginning to end."""
    with player(directory) as made:
        return [difference for block in blocks(page) for difference in made.play(block)]


def needs(page: Path) -> list[str]:
    """The programs, other than raftsim, that a page uses and this machine does not have."""
    typed = " ".join(command.text or "" for block in blocks(page) for command in block.commands())
    return [program for program in ("curl",) if program in typed and shutil.which(program) is None]


def _free_ports() -> int:
    """The first of some ports that are free. They have four digits, so that tables keep their shape."""
    candidates = list(range(5_000, 9_900, 50))
    random.SystemRandom().shuffle(candidates)
    for base in candidates:
        with ExitStack() as stack:
            try:
                for offset in _OFFSETS:
                    stack.enter_context(socket.create_server(("127.0.0.1", base + offset)))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")


def _processes_with(variable: str) -> list[int]:
    """Processes that have `variable` in the environment they were started with: all that a page started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable.encode() in entry.read_bytes().split(b"\0"):
                found.append(int(entry.parent.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found
