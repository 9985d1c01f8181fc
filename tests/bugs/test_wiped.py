"""A server that lost its disk and kept its name (B44): what it says must count for nothing, until it has caught up."""

from __future__ import annotations

from raftsim.node.requests import OK
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put


def one_that_lags_and_one_that_was_wiped() -> tuple[World, str]:
    """Three servers. One is cut off, the other two commit an entry; then the follower of these loses its disk.

    Returns the world and the leader. The wiped server is up again, the third is still cut off.
    """
    world = World(3, seed=44, judges=False)
    leader = elected(world)
    wiped, behind = (name for name in world.names if name != leader)
    world.run(1)
    world.isolate(behind)
    assert world.ask(leader, put("key", "acknowledged")).kind == OK
    world.wipe(wiped)
    world.restart(wiped)
    return world, leader


def test_b44_it_is_asked_for_a_vote_by_the_one_that_lags() -> None:
    world, leader = one_that_lags_and_one_that_was_wiped()
    world.crash(leader)
    world.heal()
    world.run(10)
    assert world.leader() is None, "elected without the entry that was acknowledged"


def test_b44_it_acknowledges_a_write() -> None:
    world, leader = one_that_lags_and_one_that_was_wiped()
    pending = world.submit(leader, put("key", "again"))
    world.run(10)
    assert pending.outcome is None or pending.outcome.kind != OK, "acknowledged with one copy that counts"
