"""What all benchmarks give: progress on stderr, the machine and tables on stdout, and files for those who ask."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import raftsim

Row = dict[str, Any]  # one measurement
Cells = list[list[str]]  # of a table; the first row is the head

_LOAD_BEFORE = os.getloadavg()[0]  # of the machine, before anything was measured


def progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")


def machine() -> str:
    """A few lines on what this was measured on, and with what."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    packages = [f"{name} {_version(name)}" for name in ("uvloop", "httptools", "msgpack", "PySyncObj")]
    return (
        f"{os.cpu_count()} x {cpu}, {memory_kb / 2**20:.0f} GB, {platform.system()} {platform.release()}, "
        f"load average {_LOAD_BEFORE:.1f} at the beginning.\n"
        f"raftsim {raftsim.__version__}, {platform.python_implementation()} {platform.python_version()}, "
        f"{', '.join(packages)}, etcd {_etcd_version()}."
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def publish(files: Namespace, benchmark: str, args: Sequence[str], rows: list[Row], tables: Sequence[Cells]) -> None:
    """Print the tables; -json gets what was measured, -markdown the command line and the tables."""
    shown = "\n\n".join(table(cells) for cells in tables)
    say(f"{machine()}\n\n{shown}")
    if files.json:
        document = {"benchmark": benchmark, "machine": machine(), "arguments": list(args), "rows": rows}
        files.json.write_text(json.dumps(document, indent=2) + "\n")
    if files.markdown:
        given = shlex.join(arg for arg in args if not arg.startswith(("-json=", "-markdown=")))
        files.markdown.write_text(f"`{f'python -m benchmarks.{benchmark} {given}'.rstrip()}`\n\n{shown}\n")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _etcd_version() -> str:
    try:
        said = subprocess.run(["etcd", "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "absent"
    return said.partition("\n")[0].rpartition(" ")[2]


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
