"""An empty server joins two that have forgotten their log: how long until it has their snapshot, and who feels it.

The two begin with the snapshot on their disks and nothing before it in their logs, so it is all they can send. One
client writes through the leader, one write after another; its longest gap is the longest time between two answers.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path
from typing import Self

from benchmarks.datadirs import fresh, put, raft_dir
from benchmarks.processes import forget_peak, memory_mb
from benchmarks.raftsim_system import DEFAULTS
from benchmarks.report import Cells, Row, progress
from benchmarks.systems import START_TIMEOUT_S, BenchmarkError
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LocalCluster
from raftsim.cluster.node import ClusterNode
from raftsim.cluster.status import NodeStatus, fetch_status
from raftsim.core.entry import HardState, SnapshotMeta
from raftsim.core.output import Chunk, Write
from raftsim.machine.standard import standard_machine
from raftsim.storage.snapfile import place_of

BEFORE_S = 2.0  # the client writes so long before the third server starts
_TIMEOUT_S = 10 * START_TIMEOUT_S
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class _State:
    variables: int
    parts: list[bytes]

    @property
    def mb(self) -> float:
        return sum(map(len, self.parts)) / 2**20


def measure(megabytes: int) -> Row:
    """Install a snapshot of about this size. Raises BenchmarkError."""
    progress(f"making a snapshot of {megabytes} MB")
    state = _state(megabytes << 20)
    with tempfile.TemporaryDirectory(prefix="raftsim-benchmark-") as directory:
        local = LocalCluster.create(Path(directory) / "cluster", DEFAULTS, tied=True)
        *first, third = local.nodes.values()
        try:
            for node in first:
                _give(node, state)
            found = _install(local, first, third, state)
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None
        finally:
            for node in local.nodes.values():
                node.kill()
    row = {"snapshot_mb": state.mb, "variables": state.variables, **found}
    progress("  ".join(f"{key} {value:,.2f}" for key, value in row.items()))
    return row


def _state(wanted_bytes: int) -> _State:
    """Variables whose snapshot has about `wanted_bytes`."""
    machine = standard_machine()
    machine.apply(2, put(0, 0))
    empty, one = (sum(map(len, found.snapshot())) for found in (standard_machine(), machine))
    number = max(1, wanted_bytes // (one - empty))
    for place in range(1, number):
        machine.apply(2 + place, put(place, place))
    return _State(number, list(machine.snapshot()))


def _give(node: ClusterNode, state: _State) -> None:
    """Make `state` what this server has received before its first start."""
    with fresh(node.directory / "agent.json") as (data, identity):
        assert identity.first is not None, "it does not wait to be added"
        meta = SnapshotMeta(1 + state.variables, 1, identity.first, 1)
        offset = 0
        for number, part in enumerate(state.parts, start=1):
            chunk = Chunk(meta, offset, part, last=number == len(state.parts))
            data.append([Write(number, HardState(1, None) if number == 1 else None, chunk=chunk)])
            offset += len(part)


def _install(local: LocalCluster, first: Sequence[ClusterNode], third: ClusterNode, state: _State) -> Row:
    _start(first)
    leader = local.await_leader(_TIMEOUT_S)
    if leader is None or leader.pid is None:
        raise BenchmarkError("the two servers with the snapshot elect no leader")
    http_port = local.nodes[leader.name].plan.http_port
    with _Client(http_port) as client:
        time.sleep(BEFORE_S)
        forget_peak(leader.pid)
        before_mb, _ = memory_mb(leader.pid)
        began = time.monotonic()
        _start([third])
        serves_s = time.monotonic() - began
        _await(lambda: _has_snapshot(third), "the third server has no snapshot")
        received_s = time.monotonic() - began
        _await(lambda: _has_caught_up(http_port, third), "the third server does not catch up")
        caught_up_s = time.monotonic() - began
    process = third.process()
    assert process is not None
    return {
        "serves_s": serves_s,
        "received_s": received_s,
        "caught_up_s": caught_up_s,
        "mb_per_s": state.mb / (received_s - serves_s),
        "gap_before_ms": 1000 * client.longest_gap(began - BEFORE_S, began),
        "gap_ms": 1000 * client.longest_gap(began, began + caught_up_s),
        "elections": _term(local.status()) - leader.term,
        "leader_before_mb": before_mb,
        "leader_peak_mb": memory_mb(leader.pid)[1],
        "follower_mb": memory_mb(process.pid)[0],
        "follower_peak_mb": memory_mb(process.pid)[1],
    }


def _start(nodes: Sequence[ClusterNode]) -> None:
    for node in nodes:
        node.launch()
    for node in nodes:
        node.await_ready(time.monotonic() + _TIMEOUT_S)


def _has_snapshot(node: ClusterNode) -> bool:
    """Whether a whole one is on its disk: only that bears the name."""
    directory = raft_dir(node.plan.data_dir) / "snapshots"
    return any(place_of(path.name) for path in directory.iterdir())


def _has_caught_up(leader_port: int, node: ClusterNode) -> bool:
    """Whether it has applied what the leader had committed just now."""
    leads = fetch_status(leader_port)
    follows = fetch_status(node.plan.http_port)
    return bool(leads and follows and follows["applied_index"] >= leads["commit_index"])


def _term(statuses: Sequence[NodeStatus]) -> int:
    return max(status.term for status in statuses)


def _await(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{otherwise} within {_TIMEOUT_S:g} s")
        time.sleep(_POLL_S)


class _Client:
    """Writes in a thread, while it is entered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._answers: list[float] = []  # when writes succeeded
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def longest_gap(self, since: float, until: float) -> float:
        """Seconds without a success, at most, between these two times."""
        times = [since, *(at for at in self._answers if since < at < until), until]
        return max(after - before for before, after in pairwise(times))

    def _write(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        while not self._over.is_set():
            try:
                connection.request("PUT", "/v1/var/gap", '{"Items": {"k": "v"}}')
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self._answers.append(time.monotonic())
            except (OSError, HTTPException):
                connection.close()  # the next request connects again
        connection.close()


def cells(row: Row) -> Cells:
    """Two columns, for a document: what there is to say is more than a line holds."""
    return [
        ["snapshot install", f"{row['snapshot_mb']:.0f} MB, {row['variables']:,} variables"],
        ["the empty server serves after", f"{row['serves_s']:.2f} s"],
        ["has the whole snapshot on its disk after", f"{row['received_s']:.2f} s ({row['mb_per_s']:.0f} MB/s)"],
        ["has caught up after", f"{row['caught_up_s']:.2f} s"],
        ["a client's longest gap between two writes meanwhile", f"{row['gap_ms']:.0f} ms"],
        [f"the same in {BEFORE_S:g} s before", f"{row['gap_before_ms']:.0f} ms"],
        ["elections", f"{row['elections']}"],
        ["leader's memory before, at most", f"{row['leader_before_mb']:.0f} MB, {row['leader_peak_mb']:.0f} MB"],
        ["follower's memory after, at most", f"{row['follower_mb']:.0f} MB, {row['follower_peak_mb']:.0f} MB"],
    ]
