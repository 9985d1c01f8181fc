"""The rules of the autopilot, each by itself; tests/sim/test_autopilot.py has them at work."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER, Config, Server
from raftsim.machine.autopilot import AutopilotConfig
from raftsim.node.autopilot import EVERY_S, wishes
from raftsim.node.health import Health, health, tolerance
from raftsim.node.requests import ChangeMembership, Command
from tests.node.harness import Station, acknowledge, leader_of_three

STABLE_S = AutopilotConfig().server_stabilization_time_ns / 1e9


def trouble(station: Station, id: str, **fields: Any) -> str:
    return health(station.node.raft, id, AutopilotConfig(**fields), 60.0, station.now()).trouble


# health


def test_a_follower_that_was_heard_and_has_the_log_is_healthy() -> None:
    station = leader_of_three()
    for id in ("a", "b", "c"):
        assert trouble(station, id) == ""


def test_silence_beyond_the_threshold_is_not() -> None:
    station = leader_of_three()
    station.clock.time += 0.25
    assert trouble(station, "b") == "it was last heard 0.250 s ago, and LastContactThreshold is 0.2 s"
    assert trouble(station, "b", last_contact_threshold_ns=250_000_001) == ""
    assert trouble(station, "a") == ""


def test_below_zero_nobody_is_healthy_not_even_the_leader() -> None:
    station = leader_of_three()
    assert trouble(station, "a", last_contact_threshold_ns=-1).startswith("it was last heard 0.000 s ago")


def test_a_log_that_ends_in_an_earlier_term_is_not() -> None:
    station = leader_of_three(ready=False)
    assert trouble(station, "b") == "its log ends in term 0, and the leader's in term 1"


def test_a_log_that_lags_by_more_than_is_allowed_is_not() -> None:
    station = leader_of_three()
    station.ask(*[Command(b"x")] * 3)
    assert trouble(station, "b", max_trailing_logs=2) == "it is 3 entries behind, and MaxTrailingLogs is 2"
    assert trouble(station, "b", max_trailing_logs=3) == ""


def test_the_dead_are_told_from_the_silent() -> None:
    station = leader_of_three()
    station.clock.time += 60
    raft, now = station.node.raft, station.now()
    dead = health(raft, "b", AutopilotConfig(last_contact_threshold_ns=1 << 60), 60.0, now)
    assert (dead.alive, dead.trouble) == (False, "it was last heard 60.0 s ago")
    assert health(raft, "b", AutopilotConfig(last_contact_threshold_ns=1 << 60), 60.1, now).alive
    assert health(raft, "a", AutopilotConfig(), 0.0, now).alive


# what it wants


def server(id: str, *, voter: bool = True, dead: bool = False, sick: bool = False, since: float = 0.0) -> Health:
    why = "it is dead" if dead else "it is sick" if sick else ""
    return Health(id, voter, not dead, 0.0, 1, 1, why, since)


def wanted(*servers: Health, now: float = STABLE_S, returning: tuple[str, ...] = (), **fields: Any) -> list[str]:
    """The wishes as texts: "remove d", and why not if so."""
    members = Config(
        voters=tuple(server.id for server in servers if server.voter),
        learners=tuple(server.id for server in servers if not server.voter),
        servers=tuple(Server(server.id, server.id) for server in servers),
        returning=returning,
    )
    found = wishes(members, AutopilotConfig(**fields), {server.id: server for server in servers}, now)
    verbs = {VOTER: "promote", REMOVE: "remove"}
    return [f"{verbs[wish.op]} {wish.id}" + (f": {wish.held_back}" if wish.held_back else "") for wish in found]


A, B, C, D, E = (server(id) for id in "abcde")


def dead(*ids: str) -> list[Health]:
    return [server(id, dead=True) for id in ids]


RISKS = [  # voters; why the dead ones must stay, "" if they need not
    ([A, B, *dead("c")], ""),
    ([A, B, C, *dead("d")], ""),
    ([A, B, C, *dead("d", "e")], ""),
    ([A, *dead("b")], "1 of 2 voters are dead, and no more than 0 may be removed"),
    ([A, *dead("b", "c")], "2 of 3 voters are dead, and no more than 1 may be removed"),
    ([A, B, *dead("c", "d")], "2 of 4 voters are dead, and no more than 1 may be removed"),
    ([A, B, *dead("c", "d", "e")], "3 of 5 voters are dead, and no more than 2 may be removed"),
    ([A, server("b", sick=True), *dead("c")], "of the 2 voters that would remain 1 are healthy, which is no majority"),
    (
        [A, B, server("c", sick=True), *dead("d", "e")],
        "of the 4 voters that would remain 2 are healthy, which is no majority",
    ),
    ([A, B, C, server("d", sick=True), *dead("e")], ""),
]


@pytest.mark.parametrize(("voters", "why"), RISKS)
def test_never_more_are_removed_than_a_quorum_can_bear(voters: list[Health], why: str) -> None:
    gone = [voter.id for voter in voters if not voter.alive]
    assert wanted(*voters) == [f"remove {id}: {why}" if why else f"remove {id}" for id in gone]


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("sick", range(8))
@pytest.mark.parametrize("gone", range(8))
def test_what_it_removes_leaves_a_majority_of_healthy_voters(size: int, sick: int, gone: int) -> None:
    """Step by step until it wants no more, for every cluster up to seven."""
    states = (["dead"] * gone + ["sick"] * sick + ["well"] * size)[:size]
    voters = [server(str(n), dead=state == "dead", sick=state == "sick") for n, state in enumerate(states)]
    while steps := [text.removeprefix("remove ") for text in wanted(*voters) if ":" not in text]:
        voters = [voter for voter in voters if voter.id != steps[0]]
        assert sum(1 for voter in voters if not voter.trouble) * 2 > len(voters)
    assert size - len(voters) <= (size - 1) // 2


def test_min_quorum_and_the_switch_keep_the_dead() -> None:
    five = [A, B, C, *dead("d", "e")]
    assert wanted(*five, min_quorum=4) == ["remove d", "remove e"]
    assert wanted(*five[:4], min_quorum=4) == ["remove d: MinQuorum is 4, and 3 would remain"]
    assert wanted(A, B, *dead("c"), cleanup_dead_servers=False) == ["remove c: CleanupDeadServers is false"]


def test_non_voters_come_first_and_cost_no_quorum() -> None:
    learner, gone = server("n", voter=False), server("x", voter=False, dead=True)
    assert wanted(A, *dead("b"), learner, gone) == [
        "promote n",
        "remove x",
        "remove b: 1 of 2 voters are dead, and no more than 0 may be removed",
    ]
    assert wanted(A, gone, min_quorum=2) == ["remove x: MinQuorum is 2, and 1 would remain"]


def test_votes_are_for_those_that_were_healthy_long_enough() -> None:
    late = "it has been healthy for 4.0 s, and ServerStabilizationTime is 10 s"
    assert wanted(A, server("n", voter=False, since=6.0)) == [f"promote n: {late}"]
    assert wanted(A, server("n", voter=False, since=6.0), server_stabilization_time_ns=4 * 10**9) == ["promote n"]
    assert wanted(A, server("n", voter=False, sick=True)) == ["promote n: it is sick"]


def test_who_came_back_without_its_data_is_left_to_the_core() -> None:
    assert wanted(A, server("n", voter=False), returning=("n",)) == []


def test_failure_tolerance() -> None:
    learner = server("n", voter=False)
    assert [tolerance([A, B, C, learner]), tolerance([A, B, *dead("c")]), tolerance([A, *dead("b", "c")])] == [1, 0, 0]
    assert tolerance([A, B, C, D, E]) == 2


# what it does


def listening(**node_settings: Any) -> Station:
    """A leader of three that acts, with the non-voters d and e."""
    station = leader_of_three(autopilot=True, **node_settings)
    for id in ("d", "e"):
        station.ask(ChangeMembership(((LEARNER, id, id),)))
        station.sync()
        acknowledge(station, by="b")
    return station


def learners(station: Station) -> str:
    return "".join(station.node.raft.config.learners)


def look_again(station: Station, *heard: str) -> None:
    """The next look, and what comes of it; b, c and those that are `heard` answer all the while."""
    for _ in range(round(EVERY_S / 0.1) + 1):
        station.wait(0.1)
        station.sync()
        for id in ("b", "c", *heard):
            acknowledge(station, by=id)


def test_it_asks_for_one_thing_at_a_time_and_only_while_it_leads() -> None:
    station = listening(dead_after_s=4.0)
    left = []
    while learners(station):
        look_again(station)
        left.append(learners(station))
    assert left[-2:] == ["e", ""]
    assert station.node.autopilot.view() is not None
    station.node.raft.follow(9, None)
    station.turn()
    assert station.node.autopilot.view() is None


def test_what_the_core_refuses_is_told_and_the_next_wish_is_tried() -> None:
    station = listening(dead_after_s=STABLE_S)
    station.node.raft.progress["d"].goal = 1 << 40  # a round that never ends
    while learners(station) != "d":
        look_again(station, "d")
    look_again(station, "d")
    assert learners(station) == "d"
    view = station.node.autopilot.view()
    assert view is not None
    (wish,) = view["wishes"]
    assert wish["held_back"].startswith("d is 0 entries behind and was last heard 0.")
