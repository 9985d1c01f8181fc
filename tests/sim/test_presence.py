"""Who is alive, who failed and who left: what every server knows of the others by what it hears."""

from __future__ import annotations

import pytest

from raftsim.node.ports import PeerInfo
from raftsim.node.presence import PING_INTERVAL_S, SILENCE_S
from raftsim.node.requests import OK, RemovePeer
from raftsim.sim.world import World
from raftsim.swarm.settle import elected

BOUND_S = SILENCE_S + 2 * PING_INTERVAL_S
SOON_S = 0.3


@pytest.fixture
def world() -> World:
    """Five servers that know of each other; n1 and n2 are followers, so they never have anything else to say."""
    world = World(5, seed=0)
    elected(world)
    leader = world.leader()
    assert leader not in ("n1", "n2")
    world.start_pings()
    world.run(10 * SILENCE_S)
    assert world.leader() == leader
    return world


def seen(world: World, gone: str) -> set[str]:
    """How the servers that run see the one that does not, all others being alive in their eyes."""
    views = {name: world.members(name) for name in world.alive if name != gone}
    assert {status for view in views.values() for name, status in view.items() if name != gone} == {"alive"}
    return {view[gone] for view in views.values()}


def test_silence_between_followers_is_no_failure(world: World) -> None:
    assert [world.members(name) for name in world.names] == [dict.fromkeys(world.names, "alive")] * 5


def test_a_process_that_is_gone_has_failed_at_once_and_is_alive_when_it_is_back(world: World) -> None:
    world.crash("n1")
    world.run(SOON_S)
    assert seen(world, "n1") == {"failed"}
    world.restart("n1")
    world.run(SOON_S)
    assert seen(world, "n1") == {"alive"}
    assert set(world.members("n1").values()) == {"alive"}


def test_a_paused_server_has_failed_after_its_silence_and_is_alive_when_it_goes_on(world: World) -> None:
    world.pause("n1")
    world.run(SILENCE_S - PING_INTERVAL_S - SOON_S)
    assert seen(world, "n1") == {"alive"}
    world.run(BOUND_S)
    assert seen(world, "n1") == {"failed"}
    world.resume("n1")
    world.run(PING_INTERVAL_S + SOON_S)
    assert seen(world, "n1") == {"alive"}


def test_both_sides_of_a_partition_hold_the_other_for_failed_until_it_heals(world: World) -> None:
    world.partition([["n1", "n2"]])
    world.run(BOUND_S)
    sides = {"n1": "alive", "n2": "alive", "n3": "failed", "n4": "failed", "n5": "failed"}
    assert world.members("n1") == world.members("n2") == sides
    assert world.members("n3") == {name: "failed" if status == "alive" else "alive" for name, status in sides.items()}
    world.heal()
    world.run(BOUND_S)
    assert {status for name in world.names for status in world.members(name).values()} == {"alive"}


def test_who_is_removed_is_alive_as_long_as_it_runs_and_then_has_left(world: World) -> None:
    assert world.ask(world.leader() or "", RemovePeer(id=world.ids["n1"])).kind == OK
    world.run(SOON_S)
    assert seen(world, "n1") == {"alive"}
    world.crash("n1")
    world.run(BOUND_S)
    assert seen(world, "n1") == {"left"}


def test_a_member_nobody_ever_met_has_no_name_and_has_failed() -> None:
    world = World(3, seed=1, down=["n2"])
    elected(world)
    world.start_pings()
    world.run(BOUND_S)
    node = world.hosts["n1"].node
    assert node is not None
    (unknown,) = [member for member in node.members() if member["id"] == world.ids["n2"]]
    assert (unknown["name"], unknown["status"], unknown["build"]) == (None, "failed", "")


def test_members_are_told_by_name_with_what_they_said_of_themselves() -> None:
    world = World(3, seed=1)
    world.run(SOON_S)
    node = world.hosts["n1"].node
    assert node is not None
    node.peer_seen(PeerInfo("x", "a.global", "127.0.0.1:1", 3, "dc2", "9.9"))
    members = node.members()
    assert [member["name"] for member in members] == ["a.global", "n1.global", "n2.global", "n3.global"]
    assert members[0] == {
        "id": "x",
        "address": "127.0.0.1:1",
        "name": "a.global",
        "raft_protocol": 3,
        "datacenter": "dc2",
        "build": "9.9",
        "nonvoter": False,
        "status": "alive",
    }
