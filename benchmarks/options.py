"""The options the benchmarks share, and the frame they run in."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import progress
from benchmarks.systems import SERVERS, BenchmarkError, Cluster, System

MAX_COUNT = 10_000_000
MAX_SECONDS = 3600
MAX_SERVERS = 9  # of a system, on one machine


def bare_parser(module: str, purpose: str) -> argparse.ArgumentParser:
    """With -help, which argparse would take for -h with a value."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=purpose, add_help=False)
    made.add_argument("-h", "-help", action="help", help="show this and exit")
    return made


def parser(module: str, purpose: str, systems: Sequence[System]) -> argparse.ArgumentParser:
    """With -json, -markdown and, if there is a choice, -systems."""
    made = bare_parser(module, purpose)
    made.add_argument("-json", type=_new_file, metavar="FILE", help="write everything measured there")
    made.add_argument(
        "-markdown", type=_new_file, metavar="FILE", help="write the tables there, under the command line"
    )
    if systems:
        names = [system.name for system in systems]
        made.add_argument("-systems", type=some_of(names), default=names, help=f"of: {', '.join(names)} (all)")
    return made


def _new_file(text: str) -> Path:
    """Told now: after everything was measured it is too late."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"no file can be written at {text}")
    return path


def duration(text: str) -> float:
    """Seconds. Raises ValueError or argparse's own."""
    number = float(text)
    if not 0 < number <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"must be more than 0 and at most {MAX_SECONDS}, got {text}")
    return number


def sizes(text: str) -> list[int]:
    """Of clusters: 3,5,7"""
    found = counts(text)
    if max(found) > MAX_SERVERS:
        raise argparse.ArgumentTypeError(f"at most {MAX_SERVERS} servers, got {text}")
    return found


def counts(text: str) -> list[int]:
    """1,16,64"""
    return [count(word) for word in text.split(",")]


def count(text: str) -> int:
    """A positive number. Raises ValueError or argparse's own."""
    number = int(text)
    if not 0 < number <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_COUNT}, got {text}")
    return number


def some_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """What parses some of these words, with commas between them."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of: {', '.join(known)}")
        return names

    return parse


def present(systems: Sequence[System], names: Sequence[str]) -> list[System]:
    """The systems with these names that can be started here; the others are skipped with a message."""
    chosen = [system for system in systems if system.name in names]
    for system in chosen:
        why = system.missing()
        if why:
            progress(f"{system.name}: skipped: {why}")
    return [system for system in chosen if not system.missing()]


@contextmanager
def running(system: System, servers: int = SERVERS) -> Iterator[Cluster]:
    """A fresh cluster of so many in a temporary directory, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="raftsim-benchmark-") as directory:
        cluster = system.start(Path(directory), servers)
        try:
            yield cluster
        finally:
            cluster.stop()


def run(main: Callable[[], None]) -> None:
    """`main` as a program: SIGTERM leaves through the same doors as Ctrl-C, and an error is one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        main()
    except BenchmarkError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
