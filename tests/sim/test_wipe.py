"""A server whose disk was lost: it comes back under its name, and its vote comes back when it has caught up (B44)."""

from __future__ import annotations

from functools import partial

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.node.requests import LAGGING, NOT_A_VOTER, OK, REFUSED, TransferLeadership
from raftsim.node.settings import NodeSettings
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, leading, members, put, settle
from raftsim.trace.events import MEMORY
from tests.sim.scenes import change


def raft(world: World, name: str) -> Raft:
    node = world.hosts[name].node
    assert node is not None
    return node.raft


def voters(world: World) -> list[str]:
    return sorted(world.name_of(id) for id in leading(world).config.voters)


def follower(world: World) -> str:
    return next(name for name in world.names if name != world.leader())


def given_back(world: World, name: str) -> bool:
    """The vote is with the new incarnation of this server, and everyone knows."""
    if world.leader() is None or name not in world.alive:
        return False
    given = leading(world).config.has_vote(world.ids[name], raft(world, name).founding.incarnation)
    return given and converged(world)


@pytest.mark.parametrize("nodes", [1, 2, 3, 5])
def test_a_fresh_cluster_begins_by_itself(nodes: int) -> None:
    world = World(nodes, seed=nodes, founded=False)
    elected(world)
    assert all(raft(world, name).founding.founder for name in world.names)
    settle(world)


def test_a_fresh_cluster_waits_for_all_its_first_servers() -> None:
    world = World(3, seed=1, founded=False)
    world.crash("n3")
    world.run(5)
    assert world.leader() is None
    world.restart("n3")
    elected(world)


def test_a_fresh_cluster_begins_though_the_network_is_bad() -> None:
    for seed in range(20):
        world = World(3, seed=seed, founded=False, network=NetworkModel(loss=0.3, duplicate=0.3))
        world.run(0.05)
        world.crash("n1")
        world.restart("n1")
        elected(world)
        settle(world)
        assert voters(world) == ["n1", "n2", "n3"]


@pytest.mark.parametrize("threshold", [2, 1000])
@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_a_wiped_server_gets_its_vote_back(victim: str, threshold: int) -> None:
    settings = NodeSettings(snapshot_threshold_entries=threshold, trailing_entries=0)
    world = World(3, seed=7, node_settings=settings)
    leader = elected(world)
    for number in range(10):
        assert world.ask(leader, put("key", str(number))).kind == OK
    name = leader if victim == "leader" else follower(world)
    world.wipe(name)
    world.restart(name)
    assert world.run_until(lambda: given_back(world, name), 10)
    assert voters(world) == ["n1", "n2", "n3"]
    settle(world)
    assert raft(world, name).founding.incarnation > 0
    other = next(other for other in world.names if other != name)
    world.crash(other)  # now its vote is needed
    assert world.run_until(lambda: world.leader() not in {None, other}, 10)
    settle(world)


def test_one_after_the_other_may_be_wiped() -> None:
    world = World(3, seed=8)
    elected(world)
    for name in (*world.names, *world.names):
        world.ask(world.leader() or "", put("key", name))
        world.wipe(name)
        world.run(1)
        world.restart(name)
        assert world.run_until(partial(given_back, world, name), 10), name
    settle(world)


def test_it_stays_out_while_the_others_are_too_few() -> None:
    world = World(3, seed=9)
    leader = elected(world)
    wiped, other = (name for name in world.names if name != leader)
    assert world.ask(leader, put("key", "1")).kind == OK
    world.crash(leader)
    world.wipe(wiped)
    world.restart(wiped)
    world.run(10)
    assert world.leader() is None
    assert world.ids[wiped] in raft(world, other).refusals
    settle(world)


def test_with_a_majority_wiped_nobody_is_elected() -> None:
    world = World(3, seed=10)
    leader = elected(world)
    assert world.ask(leader, put("key", "1")).kind == OK
    for name in ("n1", "n2"):
        world.wipe(name)
        world.restart(name)
    world.run(20)
    assert world.leader() is None
    # Whoever was refused is a witness too: losing the last disk that is left does not make it a new cluster.
    world.wipe("n3")
    world.run(1)
    world.restart("n3")
    world.run(20)
    assert world.leader() is None
    assert raft(world, "n3").founding.refused == {world.ids["n1"], world.ids["n2"]}


def test_with_all_wiped_there_is_a_new_cluster() -> None:
    world = World(3, seed=11, judges=False)  # they would take the two clusters for one
    elected(world)
    for name in world.names:
        world.wipe(name)
    world.run(1)  # what was under way is lost
    for name in world.names:
        world.restart(name)
    world.run(5)
    assert world.leader() is not None


def test_a_wiped_server_that_was_removed_can_be_added_again() -> None:
    world = World(4, seed=12)
    elected(world)
    name = follower(world)
    assert change(world, **{name: REMOVE}).kind == OK
    world.wipe(name)
    world.restart(name)
    world.run(3)
    assert name not in members(world)
    assert change(world, **{name: LEARNER}).kind == OK
    world.run(1)
    assert change(world, **{name: VOTER}).kind == OK
    assert given_back(world, name) or world.run_until(lambda: given_back(world, name), 5)
    settle(world)


def test_a_change_that_would_need_the_lost_vote_is_refused() -> None:
    world = World(3, seed=14, settings=Settings(election_timeout_min_s=5, election_timeout_max_s=10))  # to be in time
    assert world.run_until(lambda: world.leader() is not None, 60)
    world.run(1)
    leader = world.leader() or ""
    wiped, other = (name for name in world.names if name != leader)
    world.wipe(wiped)
    world.restart(wiped)
    world.run(0.5)
    refused = change(world, **{other: REMOVE})
    told = f"{world.ids[wiped]} lost its data and cannot agree until it has caught up"
    assert (refused.reason, refused.detail) == (LAGGING, told)
    assert world.run_until(lambda: given_back(world, wiped), 60)
    assert change(world, **{other: REMOVE}).kind == OK


def test_leadership_is_not_offered_to_it() -> None:
    world = World(3, seed=15)
    leader = elected(world)
    name = follower(world)
    world.wipe(name)
    world.restart(name)
    world.run(0.3)
    refused = world.ask(leader, TransferLeadership(id=world.ids[name]))
    assert (refused.kind, refused.reason) == (REFUSED, NOT_A_VOTER)
    assert world.leader() == leader


def test_what_is_told_meanwhile() -> None:
    told: list[str] = []
    world = World(3, seed=16, observers=[lambda event: told.append(event.node) if event.kind == MEMORY else None])
    leader = elected(world)
    name = follower(world)
    world.wipe(name)
    world.restart(name)
    world.run(0.5)
    mine, leaders = world.status(name), world.status(leader)
    assert mine is not None
    assert leaders is not None
    assert mine["why"]["memory"]["lost_since_met_by"] == sorted(set(world.ids.values()) - {world.ids[name]})
    assert world.ids[name] in leaders["why"]["cannot_lead"]
    assert told == [name]


def test_the_operator_may_decide_otherwise_meanwhile() -> None:
    world = World(3, seed=13)
    elected(world)
    world.wipe(name := follower(world))
    world.restart(name)
    elected(world)
    assert world.run_until(lambda: bool(leading(world).config.returning), 10)
    world.run_until(lambda: leading(world).open_to_change, 5)
    assert change(world, **{name: REMOVE}).kind == OK
    world.run(5)
    assert name not in members(world)
