"""A server that is slow to apply: it falls behind, everything else it should do waits, and nobody else is slower."""

from __future__ import annotations

from raftsim.node.requests import OK
from raftsim.node.settings import NodeSettings
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put, settle

APPLY_S = 0.02


def behind(world: World, name: str) -> int:
    lagging, leader = world.status(name), world.status(world.leader() or "")
    assert lagging is not None
    assert leader is not None
    return int(leader["applied_index"]) - int(lagging["applied_index"])


def test_a_follower_that_is_slow_to_apply_costs_the_others_nothing() -> None:
    world = World(3, seed=1)
    leader = elected(world)
    world.run(1)
    name = next(name for name in world.names if name != leader)
    world.slow_apply(name, APPLY_S)
    began = world.now
    for number in range(50):
        assert world.ask(leader, put("key", str(number))).kind == OK
    assert world.now - began < 0.5
    assert behind(world, name) > 20
    busy = world.hosts[name].busy
    assert busy is not None
    assert world.run_until(lambda: behind(world, name) == 0 and not world.hosts[name].paused, 5)
    assert world.now - began > 0.9 * APPLY_S * 50
    assert busy.applied == 50
    world.slow_apply(name, 0)
    assert world.hosts[name].busy is None
    settle(world)


def test_it_is_slow_in_its_next_life_too_and_a_crash_ends_what_it_was_busy_with() -> None:
    world = World(3, seed=2, node_settings=NodeSettings(snapshot_threshold_entries=10_000))
    leader = elected(world)
    name = next(name for name in world.names if name != leader)
    world.slow_apply(name, APPLY_S)
    for number in range(20):
        assert world.ask(leader, put("key", str(number))).kind == OK
    world.crash(name)
    busy = world.hosts[name].busy
    assert busy is not None
    before = busy.applied
    world.restart(name)
    assert not world.hosts[name].paused
    assert world.run_until(lambda: behind(world, name) == 0, 10)
    assert busy.applied > before
    settle(world)
