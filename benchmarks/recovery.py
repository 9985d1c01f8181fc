"""How long a server takes to come back, or to join: python -m benchmarks.recovery -help

With a long log: the data directory of a cluster of one is written through the same code a server uses, without
snapshots, which a server would have taken on the way: every entry is read and applied again. Measured until it serves,
and until it has committed a write, which it can only when everything before is applied; memory is that of the process,
resident. With a snapshot: see install.py.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks import install
from benchmarks.datadirs import fresh, put, raft_dir
from benchmarks.options import count, counts, parser, run, some_of
from benchmarks.processes import memory_mb
from benchmarks.raftsim_system import DEFAULTS
from benchmarks.report import Cells, Row, progress, publish
from benchmarks.systems import START_TIMEOUT_S, BenchmarkError
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LocalCluster
from raftsim.core.entry import COMMAND, Entry, HardState
from raftsim.core.output import Write

PARTS = ["log", "snapshot"]
PATHS = 1000  # different variables: it is the log that is long, not the state
_BATCH = 1000  # entries in one write


def main(args: Sequence[str]) -> None:
    options = parser("recovery", "Start with a long log, and start with none beside servers with a snapshot.", [])
    options.add_argument("-parts", type=some_of(PARTS), default=PARTS, help="of: log,snapshot (both)")
    options.add_argument("-entries", type=counts, default=[100_000, 1_000_000], help="100000,1000000")
    options.add_argument("-megabytes", type=count, default=100, help="of the snapshot (100)")
    chosen = options.parse_args(args)
    rows: list[Row] = []
    tables: list[Cells] = []
    if "log" in chosen.parts:
        rows += [_recover(entries) for entries in chosen.entries]
        tables.append(_cells(rows))
    if "snapshot" in chosen.parts:
        rows.append(install.measure(chosen.megabytes))
        tables.append(install.cells(rows[-1]))
    publish(chosen, "recovery", args, rows, tables)


def _recover(entries: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="raftsim-benchmark-") as directory:
        local = LocalCluster.create(Path(directory) / "cluster", replace(DEFAULTS, nodes=1), tied=True)
        (node,) = local.nodes.values()
        progress(f"writing {entries:,} entries")
        _write_log(node.directory / "agent.json", entries)
        log_bytes = sum(path.stat().st_size for path in (raft_dir(node.plan.data_dir) / "wal").iterdir())
        began = time.monotonic()
        try:
            local.start()
            serves_s = time.monotonic() - began
            _await_write(node.plan.http_port)
            writes_s = time.monotonic() - began
            process = node.process()
            assert process is not None
            now_mb, most_mb = memory_mb(process.pid)
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None
        finally:
            node.kill()
    row = {"entries": entries, "log_mb": log_bytes / 2**20, "serves_s": serves_s, "writes_s": writes_s}
    row |= {"rss_mb": now_mb, "peak_mb": most_mb}
    progress("  ".join(f"{key} {value:,.2f}" for key, value in row.items()))
    return row


def _write_log(config_path: Path, entries: int) -> None:
    """Give the server with this configuration a log."""
    with fresh(config_path) as (data, identity):
        for seq, start in enumerate(range(0, entries, _BATCH), start=1):
            numbers = range(start, min(start + _BATCH, entries))
            batch = [Entry(1, COMMAND, put(number % PATHS, number)) for number in numbers]
            data.append([Write(seq, HardState(1, identity.id) if seq == 1 else None, 2 + start, batch)])


def _await_write(port: int) -> None:
    """Until the server has committed and applied a write of ours."""
    deadline = time.monotonic() + 10 * START_TIMEOUT_S
    for status in _answers(port):
        if status == 200:
            return
        if time.monotonic() > deadline:
            raise BenchmarkError(f"the server takes no write: it answers {status}")
        time.sleep(0.02)


def _answers(port: int) -> Iterator[int]:
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=10 * START_TIMEOUT_S)
        try:
            connection.request("PUT", "/v1/var/recovered", '{"Items": {"k": "v"}}')
            yield connection.getresponse().status
        except (OSError, HTTPException):
            yield 0
        finally:
            connection.close()


def _cells(rows: Sequence[Row]) -> Cells:
    cells = [["entries", "log, MB", "serves after, s", "writes after, s", "memory, MB", "at most, MB"]]
    for row in rows:
        figures = [f"{row[key]:.2f}" for key in ("serves_s", "writes_s")]
        sizes = [f"{row[key]:.0f}" for key in ("log_mb", "rss_mb", "peak_mb")]
        cells.append([f"{row['entries']:,}", sizes[0], *figures, *sizes[1:]])
    return cells


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
