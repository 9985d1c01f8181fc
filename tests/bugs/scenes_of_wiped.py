"""A server that lost its disk and kept its name (B44): what it says must count for nothing, until it has caught up."""

from __future__ import annotations

from raftsim.core import membership
from raftsim.core.config import Config
from raftsim.core.founding import Founding
from raftsim.node.requests import OK
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put
from tests.bugs.bug import Bug, Patch


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


def it_is_asked_for_a_vote_by_the_one_that_lags() -> None:
    world, leader = one_that_lags_and_one_that_was_wiped()
    world.crash(leader)
    world.heal()
    world.run(10)
    assert world.leader() is None, "elected without the entry that was acknowledged"


def it_acknowledges_a_write() -> None:
    world, leader = one_that_lags_and_one_that_was_wiped()
    pending = world.submit(leader, put("key", "again"))
    world.run(10)
    assert pending.outcome is None or pending.outcome.kind != OK, "acknowledged with one copy that counts"


def whoever_has_the_name_has_the_vote(patch: Patch) -> None:
    patch.setattr(Config, "has_vote", lambda config, id, _: config.is_voter(id))


def whoever_begins_is_a_founder(patch: Patch) -> None:
    begin = Founding.__init__

    def alone(founding: Founding, *args: object) -> None:
        begin(founding, *args)  # type: ignore[arg-type]
        founding.asks = ()

    patch.setattr(Founding, "__init__", alone)


def nobody_is_a_stranger(patch: Patch) -> None:
    patch.setattr(membership, "_judge", lambda *_: None)


BUGS = [
    Bug(
        "B44",
        "a vote asked of a wiped server",
        it_is_asked_for_a_vote_by_the_one_that_lags,
        whoever_has_the_name_has_the_vote,
    ),
    Bug("B44", "a wiped server begins anew", it_is_asked_for_a_vote_by_the_one_that_lags, whoever_begins_is_a_founder),
    Bug("B44", "copies of a wiped server counted", it_acknowledges_a_write, nobody_is_a_stranger),
]
