"""A machine that takes its time, in a world where computing otherwise takes none: its server does nothing meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

from raftsim.core.settings import Settings
from raftsim.machine.base import Slices, at_once
from raftsim.machine.sessions import Sessions
from raftsim.machine.variables import Variables
from raftsim.node.requests import OK
from raftsim.node.settings import NodeSettings
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put
from raftsim.trace.events import RESTORE, ROLE, Event

SLICE_S = 0.01


class Work:
    """What keeps one server busy, and how long yet: what comes in waits."""

    world: World
    name = ""  # the server
    until = 0.0

    def add(self) -> None:
        world = self.world
        self.until = max(self.until, world.now) + SLICE_S
        if not world.hosts[self.name].paused:
            world.pause(self.name)
            world.after(SLICE_S, self._look)

    def _look(self) -> None:
        left = self.until - self.world.now
        if left > SLICE_S / 100:
            self.world.after(left, self._look)
        else:
            self.world.resume(self.name)


class Slow(Variables):
    """Each slice of a restore is work."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self._work = work

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        slices = super().restore(state)
        for _ in slices:
            self._work.add()
            yield


class AtOnce(Slow):
    """The mistake: all slices in the first one."""

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        at_once(super().restore(state))
        yield


def leader_steps_down(machine: type[Slow]) -> bool:
    """While a follower restores a large snapshot, the third server dies."""
    told: list[Event] = []
    work = Work()
    settings = NodeSettings(snapshot_threshold_entries=50, trailing_entries=0)
    world = World(3, seed=1, machine=lambda: Sessions(machine(work)), node_settings=settings, observers=[told.append])
    leader = elected(world)
    work.world = world
    work.name, gone = (name for name in world.names if name != leader)
    world.crash(work.name)
    for number in range(200):
        assert world.ask(leader, put(f"key{number}", "value" * 20)).kind == OK
    world.restart(work.name)
    assert world.run_until(lambda: world.hosts[work.name].paused, 10), "it restores nothing"
    world.crash(gone)
    began, place = world.now, len(told)
    assert world.run_until(lambda: any(event.kind == RESTORE for event in told[place:]), 60)
    assert world.now - began > 2 * Settings().election_timeout_max_s
    return any(event.kind == ROLE and event.node == leader for event in told[place:])


def test_a_follower_that_restores_a_large_state_answers_heartbeats() -> None:
    assert not leader_steps_down(Slow)


def test_one_that_restores_it_at_once_costs_the_leader_its_quorum() -> None:
    assert leader_steps_down(AtOnce)
