"""The autopilot in virtual time: whom it promotes, whom it removes, and when it does neither."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.core.config import LEARNER, VOTER
from raftsim.core.settings import Settings
from raftsim.http import why
from raftsim.machine.autopilot import AutopilotConfig, set_command
from raftsim.node.autopilot import EVERY_S
from raftsim.node.requests import OK, Command, Query
from raftsim.node.settings import NodeSettings
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, leading, members, put, settle
from raftsim.trace.events import REQUEST, Event
from tests.sim.scenes import change

DEAD_AFTER_S = 5.0
ACTS = NodeSettings(autopilot=True, dead_after_s=DEAD_AFTER_S)
SOON_S = DEAD_AFTER_S + 3 * EVERY_S
STABLE_S = AutopilotConfig().server_stabilization_time_ns / 1e9


def seen(world: World) -> dict[str, Any]:
    """What the leader sees."""
    status = world.status(world.leader() or "")
    assert status is not None
    found: dict[str, Any] = status["autopilot"]
    return found


def told(world: World) -> list[str]:
    """What `raftsim why autopilot` says."""
    status = world.status(world.leader() or "")
    assert status is not None
    return why.autopilot(status)


def configure(world: World, **fields: Any) -> int:
    """The index of the change."""
    changed = world.ask(elected(world), Command(set_command(AutopilotConfig(**fields), None))).value
    assert changed["applied"]
    index: int = changed["index"]
    return index


def voters(world: World) -> set[str]:
    return {world.name_of(id) for id in leading(world).config.voters}


def followers(world: World) -> list[str]:
    leader = elected(world)
    return [name for name in world.names if name != leader]


def with_a_non_voter(seed: int = 1) -> World:
    world = World(3, seed=seed, node_settings=ACTS)
    elected(world)
    world.add("n4")
    assert change(world, n4=LEARNER).kind == OK
    return world


# what it sees


def test_three_healthy_servers_can_lose_one() -> None:
    world = World(3, seed=1)
    leader = elected(world)
    world.run(2 * EVERY_S)
    found = seen(world)
    assert (found["healthy"], found["failure_tolerance"], len(found["servers"])) == (True, 1, 3)
    assert found["voters"][0] == world.ids[leader]
    assert told(world) == ["All 3 servers are healthy; the cluster can lose 1."]
    assert all(world.status(name)["autopilot"] is None for name in followers(world))  # type: ignore[index]
    assert why.autopilot(world.status(followers(world)[0]) or {}) == [
        f"Only the leader knows what the autopilot would do: ask {leader}.global."
    ]


def test_a_silent_server_is_not_healthy_and_has_not_been_since() -> None:
    world = World(3, seed=1)
    gone = followers(world)[0]
    world.run(2 * EVERY_S)
    before = {server["name"]: server["stable_since_ns"] for server in seen(world)["servers"]}
    world.crash(gone)
    world.run(2 * EVERY_S)
    found = seen(world)
    assert (found["healthy"], found["failure_tolerance"]) == (False, 0)
    for server in found["servers"]:
        assert server["healthy"] == (server["name"] != f"{gone}.global")
        assert server["healthy"] == (server["stable_since_ns"] == before[server["name"]])
    assert found["voters"][-1] == world.ids[gone]


# votes


def test_a_non_voter_is_promoted_when_it_was_healthy_for_the_stabilization_time() -> None:
    world = with_a_non_voter()
    world.run(STABLE_S - EVERY_S)
    assert voters(world) == {"n1", "n2", "n3"}
    (promise,) = (wish for wish in seen(world)["wishes"])
    assert (promise["does"], promise["held_back"][:24]) == ("promote", "it has been healthy for ")
    assert told(world)[-1].startswith("The autopilot would give a vote to n4.global, but not now: it has been healthy ")
    world.run(3 * EVERY_S)
    assert voters(world) == {"n1", "n2", "n3", "n4"}
    settle(world)


def test_a_non_voter_that_is_not_heard_meanwhile_begins_anew() -> None:
    world = with_a_non_voter()
    world.run(STABLE_S - EVERY_S)
    world.isolate("n4")
    world.run(2 * EVERY_S)  # it looks every so often, and sees nothing in between
    world.heal()
    world.run(STABLE_S - EVERY_S)
    assert voters(world) == {"n1", "n2", "n3"}
    world.run(4 * EVERY_S)
    assert voters(world) == {"n1", "n2", "n3", "n4"}


def test_a_new_leader_begins_to_count_anew() -> None:
    world = with_a_non_voter()
    world.run(STABLE_S - EVERY_S)
    old = elected(world)
    world.crash(old)
    assert elected(world) != old
    world.restart(old)
    world.run(STABLE_S - EVERY_S)
    assert voters(world) == {"n1", "n2", "n3"}
    world.run(3 * EVERY_S)
    assert voters(world) == {"n1", "n2", "n3", "n4"}


def test_the_core_has_the_last_word_on_a_vote() -> None:
    world = World(3, seed=1, node_settings=ACTS, settings=Settings(max_append_entries=1))
    configure(world, max_trailing_logs=1 << 20, server_stabilization_time_ns=0)
    world.add("n4")
    assert change(world, n4=LEARNER).kind == OK
    (host,) = (host for name, host in world.hosts.items() if name == world.leader())
    assert host.node is not None
    host.node.raft.progress[world.ids["n4"]].caught_up = False
    host.node.raft.progress[world.ids["n4"]].goal = 1 << 40  # the round never ends
    world.run(2 * EVERY_S)
    assert voters(world) == {"n1", "n2", "n3"}
    assert "entries behind and was last heard" in seen(world)["wishes"][0]["held_back"]


# clean-up


def test_one_dead_of_five_is_removed() -> None:
    world = World(5, seed=1, node_settings=ACTS)
    gone = followers(world)[0]
    world.crash(gone)
    world.run(DEAD_AFTER_S - EVERY_S)
    assert gone in members(world)
    world.run(2 * EVERY_S + 1)
    assert members(world) == [name for name in world.names if name != gone]
    settle(world, retire=True)


def test_two_dead_of_five_are_removed_one_after_the_other() -> None:
    asked: list[Any] = []

    def note(event: Event) -> None:
        if event.kind == REQUEST:
            asked.append(event.subject[1])

    world = World(5, seed=2, node_settings=ACTS, observers=[note])
    one, other = followers(world)[:2]
    world.crash(one)
    world.crash(other)
    world.run(SOON_S + EVERY_S)
    assert voters(world) == set(world.names) - {one, other}
    assert [len(request.changes) for request in asked] == [1, 1]
    settle(world, retire=True)


def test_two_dead_of_three_are_not_removed() -> None:
    world = World(3, seed=1, node_settings=ACTS, settings=Settings(check_quorum=False))
    one, other = followers(world)
    leader = elected(world)
    world.run(1)
    world.crash(one)
    world.crash(other)
    world.run(4 * SOON_S)
    assert leading(world).config_index == 1
    held = "2 of 3 voters are dead, and no more than 1 may be removed."
    assert told(world)[-2:] == [
        f"The autopilot would remove {name}.global, but not now: {held}" for name in sorted((one, other))
    ]
    world.restart(one)
    assert world.run_until(lambda: converged(world) or world.leader() != leader, 5)
    world.run(SOON_S)  # now it is one dead of three
    assert members(world) == sorted({leader, one})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"min_quorum": 5}, "MinQuorum is 5, and 4 would remain"),
        ({"cleanup_dead_servers": False}, "CleanupDeadServers is false"),
    ],
)
def test_a_dead_server_stays_if_the_configuration_says_so(fields: dict[str, Any], reason: str) -> None:
    world = World(5, seed=1, node_settings=ACTS)
    configure(world, **fields)
    gone = followers(world)[0]
    world.crash(gone)
    world.run(2 * SOON_S)
    assert members(world) == sorted(world.names)
    assert [wish["held_back"] for wish in seen(world)["wishes"]] == [reason]
    configure(world)
    world.run(2 * EVERY_S)
    assert gone not in members(world)


def test_a_dead_non_voter_is_removed_too() -> None:
    world = with_a_non_voter()
    world.run(1)
    world.crash("n4")
    world.run(SOON_S)
    assert members(world) == ["n1", "n2", "n3"]


def test_a_flapping_server_is_not_removed_before_its_time() -> None:
    world = World(3, seed=1, node_settings=ACTS)
    flapping = followers(world)[0]
    for _ in range(5):
        world.crash(flapping)
        world.run(DEAD_AFTER_S - 1)
        world.restart(flapping)
        world.run(1)
    assert members(world) == ["n1", "n2", "n3"]
    world.crash(flapping)
    world.run(SOON_S)
    assert flapping not in members(world)


def test_a_new_leader_waits_before_it_takes_anyone_for_dead() -> None:
    world = World(5, seed=1, node_settings=ACTS)
    old = elected(world)
    gone = followers(world)[0]
    world.crash(gone)
    world.run(DEAD_AFTER_S - 1)
    world.crash(old)
    elected(world)
    world.run(DEAD_AFTER_S - EVERY_S)
    assert members(world) == sorted(world.names)
    world.run(2 * EVERY_S + 2)
    assert gone not in members(world)


@pytest.mark.parametrize("how", ["paused", "jumped"])
def test_a_leader_that_was_stopped_takes_nobody_for_dead(how: str) -> None:
    world = World(1, seed=1, node_settings=ACTS)  # no quorum that it would miss
    elected(world)
    world.add("n2")
    assert change(world, n2=LEARNER).kind == OK
    world.run(3)
    if how == "paused":
        world.pause("n1")
        world.run(2 * DEAD_AFTER_S)
        world.resume("n1")
    else:
        world.set_clock("n1", jump_s=2 * DEAD_AFTER_S)
    world.run(2 * EVERY_S)
    assert members(world) == ["n1", "n2"]


def test_without_it_the_leader_looks_and_does_nothing() -> None:
    world = World(3, seed=1, node_settings=NodeSettings(dead_after_s=DEAD_AFTER_S))
    gone = followers(world)[0]
    world.crash(gone)
    world.run(2 * SOON_S)
    assert members(world) == ["n1", "n2", "n3"]
    assert told(world)[-2:] == [
        f"The autopilot would remove {gone}.global.",
        "It does nothing by itself: this server was started without it.",
    ]


# its configuration


def test_the_configuration_survives_snapshots_restarts_and_a_new_leader() -> None:
    world = World(3, seed=1, node_settings=NodeSettings(snapshot_threshold_entries=5, trailing_entries=2))
    late = followers(world)[0]
    world.crash(late)
    changed = configure(world, min_quorum=3)
    for number in range(20):
        assert world.ask(elected(world), put("key", str(number))).kind == OK
    world.restart(late)  # is sent a snapshot
    assert world.run_until(lambda: converged(world), 10)
    for name in world.names:
        world.crash(name)
    for name in world.names:
        world.restart(name)
    elected(world)
    for name in world.names:
        config = world.ask(name, Query(("autopilot",))).value
        assert (config["min_quorum"], config["create_index"], config["modify_index"]) == (3, 1, changed)


@pytest.mark.parametrize("seed", range(6))
def test_through_crashes_it_keeps_every_invariant(seed: int) -> None:
    """Servers die and come back for a while, and the judges look on."""
    world = World(5, seed=seed, node_settings=NodeSettings(autopilot=True, dead_after_s=2))
    configure(world, min_quorum=3)
    for number in range(6):
        elected(world)
        victims = members(world)
        victim = victims[(seed + number) % len(victims)]
        world.crash(victim)
        world.run(3 + number % 3 * 2)
        world.restart(victim)
        world.run(2)
        assert len(voters(world)) >= 3
    settle(world, retire=True)


def test_a_vote_and_a_removal_do_not_meet() -> None:
    world = with_a_non_voter()
    gone = followers(world)[0]
    world.run(STABLE_S - DEAD_AFTER_S)
    world.crash(gone)
    world.run(SOON_S + STABLE_S)
    assert voters(world) == {"n1", "n2", "n3", "n4"} - {gone}
    assert change(world, n4=VOTER).kind != OK  # it changes nothing: it has a vote
