"""Scenarios in virtual time: the judges watch every event, and a seed repeats a run exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from raftsim.machine.variables import put_command
from raftsim.node.requests import ChangeMembership, Command, Query, Request
from raftsim.scenario.fault_model import Disk
from raftsim.scenario.model import Scenario
from raftsim.scenario.read_faults import IN_BYTES
from raftsim.scenario.sim_faults import SimFaults
from raftsim.scenario.target import ITEM, Ask, ChangeServers, InvariantBroken, ReadVariable, Ticket, WriteVariable
from raftsim.scenario.view import Status
from raftsim.sim.build import Observer
from raftsim.sim.disk import BYTES, DiskModel
from raftsim.sim.world import World
from raftsim.sim.zones import zoned
from raftsim.trace.digest import Digest
from raftsim.trace.events import Event

NAMESPACE = "default"


class SimTarget:
    """Implements `Target` over a `World`."""

    slack = 1.0

    def __init__(self, scenario: Scenario, seed: int, observers: Iterable[Observer] = ()) -> None:
        self._digest = Digest()
        self._statuses: dict[str, Status | None] = {}
        self._stale: set[str] = set()  # servers that have had an event since their status was taken
        self._world = world_of(scenario, seed, [self._digest, self._observe, *observers], strict=False)
        self.faults: SimFaults | None = SimFaults(self._world)
        self.names = self._world.names
        self.ids: Mapping[str, str] = self._world.ids
        self._stale.update(self.names)

    def now(self) -> float:
        return self._world.now

    def statuses(self) -> Mapping[str, Status | None]:
        for violation in self._world.violations:
            raise InvariantBroken(violation.invariant, str(violation))
        # A status costs much more than an event, and an event touches one server.
        for name in self._stale:
            host = self._world.hosts[name]
            frozen = host.paused and host.busy is None  # one that is busy still answers
            self._statuses[name] = None if frozen else self._world.status(name)
        self._stale.clear()
        return {name: self._statuses[name] for name in self.names}

    def wait(self, predicate: Callable[[], bool], limit_s: float) -> bool:
        return self._world.run_until(predicate, limit_s)

    def is_up(self, name: str) -> bool:
        return name in self._world.alive

    def crash(self, name: str) -> None:
        self._world.crash(name)

    def restart(self, name: str) -> None:
        self._world.restart(name)

    def isolate(self, names: frozenset[str]) -> None:
        self._world.heal()
        for name in sorted(names):
            self._world.isolate(name)

    def cut_drops(self, name: str) -> int:
        return sum(count for link, count in self._world.network.cut_drops.items() if self.ids[name] in link)

    def submit(self, name: str, ask: Ask) -> Ticket:
        return self._world.submit(name, self._request(ask))

    def digest(self) -> str | None:
        return self._digest.hexdigest()

    def events(self) -> int | None:
        return self._world.events

    def _request(self, ask: Ask) -> Request:
        if isinstance(ask, WriteVariable):
            time_ns = int(self._world.now * 1e9)
            return Command(put_command(NAMESPACE, ask.path, {ITEM: ask.value}, None, time_ns))
        if isinstance(ask, ReadVariable):
            return Query(("get", NAMESPACE, ask.path))
        if isinstance(ask, ChangeServers):
            infos = [(op, self._world.hosts[name].info) for op, name in ask.changes]
            return ChangeMembership(tuple((op, info.id, info.address) for op, info in infos))
        return ask

    def _observe(self, event: Event) -> None:
        if event.node:
            self._stale.add(event.node)


def world_of(scenario: Scenario, seed: int, observers: Iterable[Observer] = (), *, strict: bool) -> World:
    """The world that a scenario begins in."""
    cluster = scenario.cluster
    return World(
        cluster.names,
        seed=seed,
        raft_protocol=cluster.raft_protocol,
        settings=cluster.settings,
        node_settings=cluster.node_settings,
        network=scenario.network.model,
        links=zoned(cluster.zone_of, scenario.network.zones),
        disk=_disk(scenario),
        strict=strict,
        observers=observers,
    )


def _disk(scenario: Scenario) -> DiskModel:
    """Of the form that is asked for, or that a step needs."""
    in_bytes = any(isinstance(step.action, Disk) and step.action.fault in IN_BYTES for step in scenario.steps)
    return replace(scenario.disks.model, form=BYTES) if in_bytes else scenario.disks.model
