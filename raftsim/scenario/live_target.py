"""Scenarios against real server processes on 127.0.0.1, on free ports, in a directory that does not outlive them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LocalCluster
from raftsim.cluster.plan import ClusterSpec
from raftsim.cluster.process import DEAD
from raftsim.node.requests import ChangeMembership, Outcome
from raftsim.scenario.live_http import LiveAsk, StatusReader, ask, block_links
from raftsim.scenario.model import Scenario
from raftsim.scenario.read_steps import MAX_CLIENTS
from raftsim.scenario.target import Ask, ChangeServers, TargetError
from raftsim.scenario.view import Status

if TYPE_CHECKING:
    from raftsim.scenario.sim_faults import SimFaults

POLL_S = 0.02


@contextmanager
def live_target(scenario: Scenario, slack: float) -> Iterator[LiveTarget]:
    """A cluster for the scenario; whatever ends the block, no process and no file is left. Raises TargetError."""
    with TemporaryDirectory(prefix="raftsim-run-", ignore_cleanup_errors=True) as directory:
        with _as_target_errors():
            cluster = LocalCluster.create(Path(directory) / "cluster", _spec(scenario), tied=True)
            cluster.start()
        target = LiveTarget(cluster, slack)
        try:
            yield target
        finally:
            target.close()


@contextmanager
def _as_target_errors() -> Iterator[None]:
    try:
        yield
    except ClusterError as error:
        raise TargetError(str(error)) from None


def _spec(scenario: Scenario) -> ClusterSpec:
    settings = scenario.cluster.settings
    return ClusterSpec(
        nodes=scenario.cluster.nodes,
        http_port=0,  # any free ports
        rpc_port=0,
        raft_protocol=scenario.cluster.raft_protocol,
        faults=True,
        election_timeout_min_s=settings.election_timeout_min_s,
        election_timeout_max_s=settings.election_timeout_max_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
    )


class LiveTicket:
    """A request under way in a thread of its own."""

    def __init__(self, future: Future[Outcome]) -> None:
        self._future = future

    @property
    def outcome(self) -> Outcome | None:
        return self._future.result() if self._future.done() else None


class LiveTarget:
    """Implements `Target` over a cluster that has been started."""

    faults: SimFaults | None = None

    def __init__(self, cluster: LocalCluster, slack: float) -> None:
        plans = cluster.plan.nodes
        self.names = tuple(node.name for node in plans)
        self.ids: Mapping[str, str] = {node.name: node.id for node in plans}
        self.slack = slack
        self._cluster = cluster
        self._ports = {node.name: node.http_port for node in plans}
        self._readers = {node.name: StatusReader(node.http_port) for node in plans}
        self._requests = ThreadPoolExecutor(MAX_CLIENTS + 1)
        self._polls = ThreadPoolExecutor(len(plans))
        self._statuses: dict[str, Status | None] = dict.fromkeys(self.names)
        self._isolated: frozenset[str] = frozenset()
        self._dropped_before = dict.fromkeys(self.names, 0)  # by processes that are gone
        self._started = time.monotonic()
        self._poll()

    def close(self) -> None:
        """End the servers at once; every request under way ends with them."""
        for node in self._cluster.nodes.values():
            with suppress(ClusterError):  # it says that a killed process takes its time, which is no matter here
                node.kill()
        for pool in (self._requests, self._polls):
            pool.shutdown(cancel_futures=True)
        for reader in self._readers.values():
            reader.close()

    def now(self) -> float:
        return time.monotonic() - self._started

    def statuses(self) -> Mapping[str, Status | None]:
        return dict(self._statuses)

    def wait(self, predicate: Callable[[], bool], limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not predicate():
            if (left := deadline - time.monotonic()) <= 0:
                return False
            time.sleep(min(POLL_S, left))
            self._poll()
        return True

    def is_up(self, name: str) -> bool:
        return self._cluster.nodes[name].state() != DEAD

    def crash(self, name: str) -> None:
        if name in self._isolated:
            self._dropped_before[name] = self.cut_drops(name)
        with _as_target_errors():
            self._cluster.kill(name)
        self._readers[name].close()
        self._statuses[name] = None

    def restart(self, name: str) -> None:
        if name in self._isolated:
            # A new process begins without cuts; until it has its own, the others keep it out.
            for other in self._others(name):
                self._block(other, [self.ids[name]])
        with _as_target_errors():
            self._cluster.restart(name)
        if name in self._isolated:
            self.isolate(self._isolated)

    def isolate(self, names: frozenset[str]) -> None:
        self._isolated = names
        for name in self.names:
            cut = name in names
            self._block(name, [self.ids[other] for other in self._others(name)] if cut else [])

    def cut_drops(self, name: str) -> int:
        before = self._dropped_before[name]
        return before + block_links(self._ports[name], None) if self.is_up(name) else before

    def submit(self, name: str, request: Ask) -> LiveTicket:
        return LiveTicket(self._requests.submit(ask, self._ports[name], self._with_addresses(request)))

    def digest(self) -> str | None:
        return None

    def events(self) -> int | None:
        return None

    def _with_addresses(self, request: Ask) -> LiveAsk:
        if not isinstance(request, ChangeServers):
            return request
        plans = [(op, self._cluster.nodes[name].plan) for op, name in request.changes]
        return ChangeMembership(tuple((op, plan.id, plan.rpc_address) for op, plan in plans))

    def _poll(self) -> None:
        """Ask all servers at once how they are."""
        found = self._polls.map(lambda name: self._readers[name].read(), self.names)
        self._statuses.update(zip(self.names, found, strict=True))

    def _others(self, name: str) -> list[str]:
        return [other for other in self.names if other != name]

    def _block(self, name: str, peer_ids: list[str]) -> None:
        if self.is_up(name):
            block_links(self._ports[name], peer_ids)
