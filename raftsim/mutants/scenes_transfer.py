"""Traps in which leadership is handed over; the scenario language has no word for that."""

from __future__ import annotations

from raftsim.core.config import LEARNER
from raftsim.core.settings import Settings
from raftsim.node.requests import OK, ChangeMembership, TransferLeadership
from raftsim.scenario.report import LIVENESS
from raftsim.sim.holds import Match
from raftsim.sim.world import World
from raftsim.swarm.settle import demand, elected, get, put


def to_a_learner(seed: int) -> None:
    """A fourth server is added to learn only. The leader is asked to hand over to it, and refuses."""
    world, leader, *_ = _three(seed)
    world.add("n4")
    learner = world.ids["n4"]
    added = world.ask(leader, ChangeMembership(((LEARNER, learner, world.hosts["n4"].info.address),)))
    assert added.kind == OK
    world.run(1)
    world.ask(leader, TransferLeadership(id=learner))


def writes_meanwhile(seed: int) -> None:
    """The word to stand is on its way when a client writes. The write waits until it is clear who leads."""
    world, leader, target, _ = _three(seed)
    world.hold(Match({"timeout-now"}))
    world.submit(leader, TransferLeadership(id=world.ids[target]))
    world.run(0.05)
    world.submit(leader, put("key", "meanwhile"))
    world.run(5)


def to_one_that_lags(seed: int) -> None:
    """The target misses an entry. It is told to stand when it has it, and not before."""
    world, leader, target, _ = _three(seed)
    late = world.hold(Match({"append"}, dst={world.ids[target]}))
    assert world.ask(leader, put("key", "new")).kind == OK
    world.submit(leader, TransferLeadership(id=world.ids[target]))
    world.run(0.2)
    late.deliver()
    demand(world, world.run_until(lambda: world.leader() == target, 5), LIVENESS, f"{target} does not take over")


def to_one_that_died(seed: int) -> None:
    """The target is dead, which the leader cannot know. It gives up, and goes on with what clients ask."""
    world, leader, target, _ = _three(seed)
    world.crash(target)
    world.submit(leader, TransferLeadership(id=world.ids[target]))
    world.run(0.05)
    written = world.ask(leader, put("key", "later"))
    demand(world, written.kind == OK, LIVENESS, f"a write was not taken: {written.kind}, {written.reason}")


def reads_after_handing_over(seed: int) -> None:
    """The leader has a lease and hands over. From then on it hears nothing; the next one leads and takes a write."""
    world, old, new, _ = _three(seed, Settings(lease_reads=True, fast_failover=False))
    world.hold(Match(dst={world.ids[old]}))
    world.submit(old, TransferLeadership(id=world.ids[new]))
    assert world.run_until(lambda: world.leader() == new, 0.1)
    written = world.submit(new, put("key", "after"))
    assert world.run_until(lambda: written.outcome is not None, 0.1)
    world.submit(old, get("key"))
    world.run(0.1)


def _three(seed: int, settings: Settings | None = None) -> tuple[World, str, str, str]:
    """Three servers that have settled: the world, its leader, and the two others."""
    world = World(3, seed=seed, settings=settings)
    leader = elected(world)
    assert world.ask(leader, put("key", "before")).kind == OK
    world.run(1)
    first, second = (name for name in world.names if name != leader)
    return world, leader, first, second
