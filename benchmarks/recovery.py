"""How long a server takes to come back with a long log: python -m benchmarks.recovery -help

The data directory of a cluster of one is written through the same code a server uses, without snapshots, which a server
would have taken on the way: every entry is read and applied again. Measured until it serves, and until it has committed
a write, which it can only when everything before is applied; memory is that of the process, resident.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from benchmarks.options import counts, parser, run
from benchmarks.raftsim_system import DEFAULTS
from benchmarks.report import machine, progress, say, table, write_json
from benchmarks.systems import START_TIMEOUT_S, VALUE_BYTES, BenchmarkError
from raftsim.agent.config import load
from raftsim.agent.identity import establish
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LocalCluster
from raftsim.core.entry import COMMAND, Entry, HardState, bootstrapped
from raftsim.core.output import Write
from raftsim.machine.variables import put_command
from raftsim.storage.datadir import DataDir

PATHS = 1000  # different variables: it is the log that is long, not the state
_BATCH = 1000  # entries in one write
Row = dict[str, Any]


def main(args: Sequence[str]) -> None:
    options = parser("recovery", "Start with a long log.", [])
    options.add_argument("-entries", type=counts, default=[100_000, 1_000_000], help="100000,1000000")
    chosen = options.parse_args(args)
    rows = [_recover(entries) for entries in chosen.entries]
    say(machine())
    say()
    say(table(_cells(rows)))
    if chosen.json:
        write_json(chosen.json, "recovery", rows)


def _recover(entries: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="raftsim-benchmark-") as directory:
        local = LocalCluster.create(Path(directory) / "cluster", replace(DEFAULTS, nodes=1), tied=True)
        (node,) = local.nodes.values()
        progress(f"writing {entries:,} entries")
        log_bytes = _write_log(node.directory / "agent.json", entries)
        began = time.monotonic()
        try:
            local.start()
            serves_s = time.monotonic() - began
            _await_write(node.plan.http_port)
            writes_s = time.monotonic() - began
            process = node.process()
            assert process is not None
            now_mb, most_mb = _memory_mb(process.pid)
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None
        finally:
            node.kill()
    row = {"entries": entries, "log_mb": log_bytes / 2**20, "serves_s": serves_s, "writes_s": writes_s}
    row |= {"rss_mb": now_mb, "peak_mb": most_mb}
    progress("  ".join(f"{key} {value:,.2f}" for key, value in row.items()))
    return row


def _write_log(config_path: Path, entries: int) -> int:
    """Give the server with this configuration a log; the bytes it has on the disk."""
    config = load([config_path], {}, dev=False)
    assert config.data_dir is not None
    server_dir = config.data_dir / "server"
    server_dir.mkdir(parents=True)
    identity = establish(config, server_dir)
    data = DataDir.open(server_dir, cluster_id=identity.cluster_id, server_id=identity.id)
    try:
        data.bootstrap(bootstrapped(identity.first))
        for seq, start in enumerate(range(0, entries, _BATCH), start=2):
            batch = [_entry(number) for number in range(start, min(start + _BATCH, entries))]
            data.append([Write(seq, HardState(1, identity.id) if seq == 2 else None, 2 + start, batch)])
    finally:
        data.close()
    return sum(path.stat().st_size for path in (server_dir / "raft" / "wal").iterdir())


def _entry(number: int) -> Entry:
    text = f"{number:08}" * (VALUE_BYTES // 8)
    return Entry(1, COMMAND, put_command("default", f"bench/{number % PATHS}", {"value": text}, None, number))


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


def _memory_mb(pid: int) -> tuple[float, float]:
    """Resident now, and at most so far."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    now, most = (int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    return now, most


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    cells = [["entries", "log, MB", "serves after, s", "writes after, s", "memory, MB", "at most, MB"]]
    for row in rows:
        figures = [f"{row[key]:.2f}" for key in ("serves_s", "writes_s")]
        sizes = [f"{row[key]:.0f}" for key in ("log_mb", "rss_mb", "peak_mb")]
        cells.append([f"{row['entries']:,}", sizes[0], *figures, *sizes[1:]])
    return cells


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
