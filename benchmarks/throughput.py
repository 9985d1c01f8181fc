"""Committed 256-byte writes per second, three servers on loopback: python -m benchmarks.throughput -help

Every round drives each system in turn, started afresh, with each number of clients; only one system runs at a time. The
clients write through the leader. Figures are medians of the rounds; only figures of one run compare.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from statistics import mean, median
from typing import Any

from benchmarks.etcd_system import Etcd
from benchmarks.load import generate
from benchmarks.options import count, counts, parser, present, run, running
from benchmarks.pysyncobj_system import PySyncObj
from benchmarks.raftsim_system import Raftsim
from benchmarks.report import machine, progress, say, table, write_json
from benchmarks.systems import FRAMES, System

OURS = ("raftsim HTTP", "raftsim client")
SYSTEMS: list[System] = [
    Raftsim(OURS[0]),
    Raftsim(OURS[1], protocol=FRAMES),
    Etcd("etcd JSON"),
    PySyncObj("PySyncObj msync", sync=True),
    PySyncObj("PySyncObj unsynced", sync=False),
]
Row = dict[str, Any]


def main(args: Sequence[str]) -> None:
    options = parser("throughput", "Committed writes per second.", SYSTEMS)
    options.add_argument("-clients", type=counts, default=[1, 16, 64, 256], help="1,16,64,256")
    options.add_argument("-seconds", type=float, default=5.0, help="measured, for each number of clients (5)")
    options.add_argument("-rounds", type=count, default=3)
    chosen = options.parse_args(args)
    systems = present(SYSTEMS, chosen.systems)
    rows: list[Row] = []
    for round in range(1, chosen.rounds + 1):
        for system in systems:
            rows += _drive(system, round, chosen.clients, chosen.seconds)
    say(machine())
    say()
    say(table(_writes(rows, chosen.clients)))
    say()
    say(table(_costs(rows, chosen.clients)))
    for ours in OURS:
        if ours in _names(rows) and len(_names(rows)) > 1:
            say()
            say(table(_ratios(ours, rows, chosen.clients)))
    if chosen.json:
        write_json(chosen.json, "throughput", rows)


def _drive(system: System, round: int, clients: Sequence[int], seconds: float) -> list[Row]:
    rows = []
    with running(system) as cluster:
        for number in clients:
            leader = cluster.leader()
            requests = [cluster.put_request(leader, client) for client in range(number)]
            pids = [cluster.pid(server) for server in sorted(cluster.servers, key=lambda server: server != leader)]
            result = generate(leader.port, requests, seconds, cluster.protocol, pids)
            rows.append({"system": system.name, "round": round, "clients": number, **asdict(result)})
            progress(
                f"round {round}  {system.name:<18} {number:>3} clients  {result.per_s:>8,.0f}/s  "
                f"p50 {result.p50_ms:.2f} ms  p99 {result.p99_ms:.2f} ms"
                f"  CPU us {'/'.join(f'{used:.1f}' for used in result.cpu_us)}"
                + f"  {result.errors} failed"
                * bool(result.errors)
            )
    return rows


def _median(rows: Sequence[Row], system: str, clients: int, key: str) -> float:
    figures: list[float] = [row[key] for row in rows if row["system"] == system and row["clients"] == clients]
    return median(figures)


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["system"] for row in rows))


def _writes(rows: Sequence[Row], clients: Sequence[int]) -> list[list[str]]:
    cells = [["writes/s (p50/p99 ms)", *(f"{number} clients" for number in clients)]]
    for name in _names(rows):
        row = [name]
        for number in clients:
            per_s, p50, p99 = (_median(rows, name, number, key) for key in ("per_s", "p50_ms", "p99_ms"))
            row.append(f"{per_s:,.0f} ({p50:.1f}/{p99:.1f})")
        cells.append(row)
    return cells


def _costs(rows: Sequence[Row], clients: Sequence[int]) -> list[list[str]]:
    """Medians of the rounds, of followers their mean."""
    cells = [["CPU us a write (leader/follower/load)", *(f"{number} clients" for number in clients)]]
    for name in _names(rows):
        row = [name]
        for number in clients:
            found = [row["cpu_us"] for row in rows if row["system"] == name and row["clients"] == number]
            parts = [(leader, mean(followers), load) for leader, *followers, load in found]
            row.append("/".join(f"{median(part):.1f}" for part in zip(*parts, strict=True)))
        cells.append(row)
    return cells


def _ratios(ours: str, rows: Sequence[Row], clients: Sequence[int]) -> list[list[str]]:
    """Of the medians: ours divided by theirs."""
    cells = [[f"{ours} against", *(f"{number} clients" for number in clients)]]
    for name in [name for name in _names(rows) if name != ours]:
        ratios = [_median(rows, ours, n, "per_s") / _median(rows, name, n, "per_s") for n in clients]
        cells.append([name, *(f"{ratio:.2f}" for ratio in ratios)])
    return cells


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
