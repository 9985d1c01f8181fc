"""How long clients wait after kill -9 of the leader: python -m benchmarks.failover -help

A trial kills the leader and tries a write every 10 ms at the surviving servers by turns, each on a connection of its
own and given up after a second; it ends when the first succeeds. Then the killed server comes back.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.etcd_system import Etcd
from benchmarks.httpbytes import MessageReader
from benchmarks.options import count, parser, present, run, running
from benchmarks.raftsim_system import DEFAULTS, Raftsim
from benchmarks.report import Cells, Row, progress, publish
from benchmarks.systems import BenchmarkError, Cluster, Server, System

PROBE_INTERVAL_S = 0.01
PROBE_TIMEOUT_S = 1.0
GIVE_UP_S = 30.0
_MAX_BYTES = 1 << 16

# etcd draws from ten to nineteen ticks of a tenth of its election timeout.
_SLOW = replace(DEFAULTS, heartbeat_interval_s=0.1, election_timeout_min_s=1.0, election_timeout_max_s=1.9)
_QUICK = replace(DEFAULTS, heartbeat_interval_s=0.01, election_timeout_min_s=0.1, election_timeout_max_s=0.19)
SYSTEMS: list[System] = [
    Raftsim("raftsim defaults"),
    Raftsim("raftsim 100/1000", _SLOW),
    Raftsim("raftsim 100/1000 without fast failover", _SLOW, (("fast_failover", False),)),
    Raftsim("raftsim 10/100 without fast failover", _QUICK, (("fast_failover", False),)),
    Etcd("etcd 100/1000", heartbeat_ms=100, election_ms=1000),
    Etcd("etcd 10/100", heartbeat_ms=10, election_ms=100),
]


def main(args: Sequence[str]) -> None:
    options = parser("failover", "Seconds until a write succeeds after kill -9 of the leader.", SYSTEMS)
    options.add_argument("-trials", type=count, default=30)
    chosen = options.parse_args(args)
    rows: list[Row] = []
    for system in present(SYSTEMS, chosen.systems):
        with running(system) as cluster:
            for trial in range(1, chosen.trials + 1):
                outage_s = _trial(cluster)
                rows.append({"system": system.name, "trial": trial, "outage_s": outage_s})
                progress(f"{system.name:<40} trial {trial:>2}  {outage_s:.3f} s")
    publish(chosen, "failover", args, rows, [_summary(rows)])


def _trial(cluster: Cluster) -> float:
    _await_all(cluster)
    time.sleep(random.uniform(0.2, 0.4))  # anywhere between two heartbeats
    leader = cluster.leader()
    survivors = [server for server in cluster.servers if server != leader]
    outage_s = asyncio.run(_outage(cluster, survivors, lambda: cluster.kill(leader)))
    cluster.restart(leader)
    return outage_s


def _await_all(cluster: Cluster) -> None:
    """Until every server takes writes: none is behind, or without a leader."""
    for server in cluster.servers:
        asyncio.run(_outage(cluster, [server], lambda: None))


async def _outage(cluster: Cluster, servers: Sequence[Server], kill: Callable[[], None]) -> float:
    """Seconds from `kill` until the first of the writes at `servers` succeeds."""
    requests = [(server.port, cluster.put_request(server, 0)) for server in servers]
    done = asyncio.Event()
    began = time.monotonic()
    kill()
    probes: set[asyncio.Task[None]] = set()
    number = 0
    while not done.is_set():
        if time.monotonic() - began > GIVE_UP_S:
            raise BenchmarkError(f"no write succeeded within {GIVE_UP_S:g} s after the leader was killed")
        probe = asyncio.create_task(_probe(*requests[number % len(requests)], done))
        probes.add(probe)
        probe.add_done_callback(probes.discard)
        number += 1
        try:
            await asyncio.wait_for(done.wait(), PROBE_INTERVAL_S)
        except TimeoutError:
            continue
    outage_s = time.monotonic() - began
    for probe in probes:
        probe.cancel()
    await asyncio.gather(*probes, return_exceptions=True)
    return outage_s


async def _probe(port: int, request: bytes, done: asyncio.Event) -> None:
    """One write; `done` is set if it is answered with success."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(request)
                messages = MessageReader()
                while data := await reader.read(_MAX_BYTES):
                    for line, _ in messages.feed(data):
                        if line.split()[1] == b"200":
                            done.set()
                        return
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return


def _summary(rows: Sequence[Row]) -> Cells:
    cells = [["after kill -9 of the leader, seconds", "trials", "median", "least", "most"]]
    for name in dict.fromkeys(row["system"] for row in rows):
        outages = [row["outage_s"] for row in rows if row["system"] == name]
        figures = (median(outages), min(outages), max(outages))
        cells.append([name, str(len(outages)), *(f"{figure:.3f}" for figure in figures)])
    return cells


if __name__ == "__main__":
    run(lambda: main(sys.argv[1:]))
