"""A leader with a lease is cut off, its clock slow or those of the others fast, and its clients go on asking it."""

from __future__ import annotations

from collections.abc import Callable

from raftsim.core.settings import Settings
from raftsim.node.requests import OK
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, get, put

DRIFT = 0.2
# Little is left to chance: the others stand soon after their promise is over.
LEASES = Settings(lease_reads=True, max_clock_drift=DRIFT, fast_failover=False, election_timeout_max_s=0.53)


def cut_off(apart: float, settings: Settings = LEASES) -> tuple[World, int]:
    """The clocks of the others run `apart` times as fast as the leader's. They elect one of them, and it takes a write.

    Returns the world, with its violations, and how many reads the old leader answered meanwhile.
    """
    world = World(3, settings=settings, strict=False)
    old = elected(world)
    for name in world.names:
        world.set_clock(name, rate=1.0 if name == old else apart)
    assert world.ask(old, put("key", "before")).kind == OK
    world.run(1)
    assert world.leader() == old
    world.isolate(old)
    answered = reads_until(world, old, lambda: world.leader() not in (None, old))
    new = world.leader() or ""
    written = world.submit(new, put("key", "after"))
    answered += reads_until(world, old, lambda: written.outcome is not None)
    assert written.outcome is not None
    assert written.outcome.kind == OK
    return world, answered + reads_until(world, old, lambda: False)


def reads_until(world: World, name: str, over: Callable[[], bool], within_s: float = 0.8) -> int:
    """Ask `name` every millisecond. Returns how many of these reads were answered by the end."""
    asked, end = [], world.now + within_s
    while not over() and world.now < end:
        asked.append(world.submit(name, get("key")))
        world.run(0.001)
    return sum(each.outcome is not None and each.outcome.kind == OK for each in asked)
