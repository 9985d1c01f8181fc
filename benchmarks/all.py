"""Every benchmark in a row, for docs/benchmarks.md: python -m benchmarks.all -out=DIR

DIR gets what each measured (NAME.json), its tables (NAME.md), and results.md: all tables under their headings. It takes
about twenty minutes. A benchmark that fails is told and left out; the others go on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import failover, recovery, simulation, throughput
from benchmarks.options import bare_parser, run
from benchmarks.report import machine, progress
from benchmarks.systems import BenchmarkError


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    title: str
    main: Callable[[Sequence[str]], None]
    args: tuple[str, ...]


PARTS = (
    Part("throughput", "Throughput", throughput.main, ("-seconds=3", "-rounds=3")),
    Part(
        "servers",
        "Number of servers",
        throughput.main,
        (
            "-systems=raftsim HTTP,raftsim client,etcd JSON,etcd gRPC",
            "-servers=3,5,7",
            "-clients=256",
            "-seconds=2",
            "-rounds=3",
        ),
    ),
    Part("failover", "Failover", failover.main, ("-trials=30",)),
    Part("log", "Start with a long log", recovery.main, ("-parts=log", "-entries=100000,1000000")),
    Part("simulation", "Simulation", simulation.main, ("-seconds=20", "-rounds=3")),
    Part("snapshot", "Snapshot install", recovery.main, ("-parts=snapshot", "-megabytes=100")),
)


def main(args: Sequence[str]) -> None:
    options = bare_parser("all", "Every benchmark, and one document.")
    options.add_argument("-out", type=Path, metavar="DIR", required=True, help="where the results go")
    directory: Path = options.parse_args(args).out
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BenchmarkError(f"{directory}: {error.strerror}") from None
    began = time.monotonic()
    sections = [f"## Results\n\n{machine()}\n"]
    failed = []
    for part in PARTS:
        progress(f"== {part.title}")
        try:
            sections.append(_section(part, directory))
        except BenchmarkError as error:
            progress(f"error: {part.title}: {error}")
            failed.append(part.title)
        (directory / "results.md").write_text("\n".join(sections))
    progress(f"{(time.monotonic() - began) / 60:.1f} minutes; see {directory / 'results.md'}")
    if failed:
        raise BenchmarkError(f"not measured: {', '.join(failed)}")


def _section(part: Part, directory: Path) -> str:
    tables = directory / f"{part.name}.md"
    part.main([*part.args, f"-json={directory / part.name}.json", f"-markdown={tables}"])
    return f"### {part.title}\n\n{tables.read_text()}"


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
