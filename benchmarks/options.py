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
from benchmarks.systems import BenchmarkError, Cluster, System

MAX_COUNT = 10_000_000


def parser(module: str, purpose: str, systems: Sequence[System]) -> argparse.ArgumentParser:
    """With -json and, if there is a choice, -systems."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=purpose)
    made.add_argument("-json", type=Path, metavar="FILE", help="write everything measured there")
    if systems:
        names = [system.name for system in systems]
        made.add_argument("-systems", type=_names(names), default=names, help=f"of: {', '.join(names)} (all)")
    return made


def counts(text: str) -> list[int]:
    """1,16,64"""
    return [count(word) for word in text.split(",")]


def count(text: str) -> int:
    """A positive number. Raises ValueError or argparse's own."""
    number = int(text)
    if not 0 < number <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_COUNT}, got {text}")
    return number


def present(systems: Sequence[System], names: Sequence[str]) -> list[System]:
    """The systems with these names that can be started here; the others are skipped with a message."""
    chosen = [system for system in systems if system.name in names]
    for system in chosen:
        why = system.missing()
        if why:
            progress(f"{system.name}: skipped: {why}")
    return [system for system in chosen if not system.missing()]


@contextmanager
def running(system: System) -> Iterator[Cluster]:
    """A fresh cluster in a temporary directory, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="raftsim-benchmark-") as directory:
        cluster = system.start(Path(directory))
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


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"no system {unknown[0]!r}; there are: {', '.join(known)}")
        return names

    return parse
