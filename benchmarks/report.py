"""What all benchmarks print: progress on stderr, the machine, a table, and a JSON file of everything measured."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import raftsim


def progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")


def machine() -> str:
    """One line on what this was measured on."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    memory_kb = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return (
        f"raftsim {raftsim.__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} x {cpu}, {memory_kb / 2**20:.0f} GB"
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def write_json(path: Path, benchmark: str, rows: Sequence[dict[str, Any]]) -> None:
    document = {"benchmark": benchmark, "machine": machine(), "rows": list(rows)}
    path.write_text(json.dumps(document, indent=2) + "\n")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
