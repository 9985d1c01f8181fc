"""Committed 256-byte writes per second, servers on loopback: python -m benchmarks.throughput -help

Every round drives each system in turn, started afresh, with each number of clients; only one system runs at a time. The
clients write through the leader. Figures are medians of the rounds; only figures of one run compare.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from math import isnan, nan
from statistics import mean, median

from benchmarks.etcd_system import Etcd
from benchmarks.load import generate
from benchmarks.options import count, counts, duration, parser, present, run, running, sizes
from benchmarks.pysyncobj_system import PySyncObj
from benchmarks.raftsim_system import Raftsim
from benchmarks.report import Cells, Row, progress, publish
from benchmarks.systems import FRAMES, GRPC, SERVERS, BenchmarkError, System

OURS = ("raftsim HTTP", "raftsim client")
SYSTEMS: list[System] = [
    Raftsim(OURS[0]),
    Raftsim(OURS[1], protocol=FRAMES),
    Etcd("etcd JSON"),
    Etcd("etcd gRPC", protocol=GRPC),
    PySyncObj("PySyncObj msync", sync=True),
    PySyncObj("PySyncObj unsynced", sync=False),
]


def main(args: Sequence[str]) -> None:
    options = parser("throughput", "Committed writes per second.", SYSTEMS)
    options.add_argument("-clients", type=counts, default=[1, 16, 64, 256], help="1,16,64,256")
    options.add_argument("-servers", type=sizes, default=[SERVERS], help="sizes of the clusters (3)")
    options.add_argument("-seconds", type=duration, default=5.0, help="measured, for each number of clients (5)")
    options.add_argument("-rounds", type=count, default=3)
    chosen = options.parse_args(args)
    systems = present(SYSTEMS, chosen.systems)
    rows: list[Row] = []
    for round in range(1, chosen.rounds + 1):
        for servers in chosen.servers:
            for system in systems:
                rows += _drive(system, servers, round, chosen.clients, chosen.seconds)
    publish(chosen, "throughput", args, rows, _tables(rows, chosen.servers, chosen.clients))


def _drive(system: System, servers: int, round: int, clients: Sequence[int], seconds: float) -> list[Row]:
    """One row for each number of clients: what was measured, or the error why nothing was."""
    rows = []
    with running(system, servers) as cluster:
        for number in clients:
            leader = cluster.leader()
            requests = [cluster.put_request(leader, client) for client in range(number)]
            pids = [cluster.pid(server) for server in sorted(cluster.servers, key=lambda server: server != leader)]
            row: Row = {"system": system.name, "servers": servers, "round": round, "clients": number}
            try:
                result = generate(leader.port, requests, seconds, cluster.protocol, pids)
            except BenchmarkError as error:
                rows.append(row | {"error": str(error)})
            else:
                rows.append(row | asdict(result))
            progress(_line(rows[-1]))
    return rows


def _line(row: Row) -> str:
    place = f"round {row['round']}  {row['system']:<18} {row['servers']} servers {row['clients']:>3} clients  "
    if "error" in row:
        return f"{place}{row['error']}"
    figures = f"{row['per_s']:>8,.0f}/s  p50 {row['p50_ms']:.2f} ms  p99 {row['p99_ms']:.2f} ms"
    return f"{place}{figures}" + f"  {row['errors']} failed" * bool(row["errors"])


def _tables(rows: Sequence[Row], sizes: Sequence[int], clients: Sequence[int]) -> list[Cells]:
    """For one size of cluster, the writes and how ours stand beside the others; for several, how writes change."""
    if len(sizes) > 1:
        return [_growth(rows, sizes, number) for number in clients]
    names = _names(rows)
    ratios = [_ratios(ours, rows, clients) for ours in OURS if ours in names and len(names) > 1]
    return [_writes(rows, clients), _costs(rows, clients), *ratios]


def _median(rows: Sequence[Row], key: str, **place: object) -> float:
    """Of the rounds; NaN if there is none."""
    figures = [row[key] for row in rows if place.items() <= row.items() and "error" not in row]
    return median(figures) if figures else nan


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["system"] for row in rows))


def _writes(rows: Sequence[Row], clients: Sequence[int]) -> Cells:
    cells = [["writes/s (p50/p99 ms)", *map(_clients, clients)]]
    for name in _names(rows):
        row = [name]
        for number in clients:
            keys = ("per_s", "p50_ms", "p99_ms")
            per_s, p50, p99 = (_median(rows, key, system=name, clients=number) for key in keys)
            row.append(_cell(per_s, f"{per_s:,.0f} ({p50:.1f}/{p99:.1f})"))
        cells.append(row)
    return cells


def _costs(rows: Sequence[Row], clients: Sequence[int]) -> Cells:
    """Medians of the rounds, of followers their mean."""
    cells = [["CPU us a write (leader/follower/load)", *map(_clients, clients)]]
    for name in _names(rows):
        row = [name]
        for number in clients:
            place = {"system": name, "clients": number}
            found = [found["cpu_us"] for found in rows if place.items() <= found.items() and "error" not in found]
            parts = [(leader, mean(followers), load) for leader, *followers, load in found]
            row.append("/".join(f"{median(part):.1f}" for part in zip(*parts, strict=True)) or "-")
        cells.append(row)
    return cells


def _ratios(ours: str, rows: Sequence[Row], clients: Sequence[int]) -> Cells:
    """Of the medians: ours divided by theirs."""
    cells = [[f"{ours} against", *map(_clients, clients)]]
    for name in [name for name in _names(rows) if name != ours]:
        pairs = [[_median(rows, "per_s", system=who, clients=n) for who in (ours, name)] for n in clients]
        cells.append([name, *(_cell(mine / other, f"{mine / other:.2f}") for mine, other in pairs)])
    return cells


def _growth(rows: Sequence[Row], sizes: Sequence[int], clients: int) -> Cells:
    """What is left of the writes in the last of the sizes, beside the first."""
    head = [f"writes/s, {_clients(clients)}", *(f"{size} servers" for size in sizes), f"{sizes[-1]} to {sizes[0]}"]
    cells = [head]
    for name in _names(rows):
        per_s = [_median(rows, "per_s", system=name, servers=size, clients=clients) for size in sizes]
        left = per_s[-1] / per_s[0]
        cells.append([name, *(_cell(figure, f"{figure:,.0f}") for figure in per_s), _cell(left, f"{left:.2f}")])
    return cells


def _cell(figure: float, text: str) -> str:
    return "-" if isnan(figure) else text


def _clients(number: int) -> str:
    return "1 client" if number == 1 else f"{number} clients"


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
