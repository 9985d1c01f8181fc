"""An operator changes the membership: what it is told, and when."""

from __future__ import annotations

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER, Change, of, simple
from raftsim.core.entry import CONFIG
from raftsim.core.messages import Append
from raftsim.core.output import FOLLOWER
from raftsim.core.settings import Settings
from raftsim.node.requests import (
    INVALID,
    LAGGING,
    LEADERSHIP_LOST,
    OK,
    REFUSED,
    TIMED_OUT,
    UNKNOWN,
    ChangeMembership,
    Command,
    Outcome,
    Relay,
    RelayReply,
    RemovePeer,
    TransferLeadership,
)
from tests.node.harness import Station, acknowledge, depose, follower_of_b, heartbeat, leader_of_three
from tests.node.world import World

DONE = [Outcome(OK, None)]
LISTEN = ChangeMembership(((LEARNER, "d", "host:4"),))
PROMOTE = ChangeMembership(((VOTER, "d", ""),))


def listening() -> Station:
    """A leader with the non-voter d, which has caught up."""
    station = leader_of_three()
    assert station.ask(LISTEN) == []
    station.sync()
    acknowledge(station)
    station.linked.add("d")
    acknowledge(station, by="d")
    return station


def test_a_non_voter_comes_and_gets_its_vote() -> None:
    station = leader_of_three()
    outcomes = station.ask(LISTEN)
    assert station.peers == {"b": "b", "c": "c", "d": "host:4"}
    station.sync()
    assert outcomes == []
    acknowledge(station)
    assert outcomes == DONE
    acknowledge(station, by="d")
    outcomes = station.ask(PROMOTE)
    station.sync()
    acknowledge(station)
    assert outcomes == []  # two of four
    acknowledge(station, by="d")
    assert outcomes == DONE
    assert station.node.raft.config.voters == ("a", "b", "c", "d")


def test_one_that_lags_gets_no_vote_and_the_reason_is_told() -> None:
    station = leader_of_three()
    assert station.ask(ChangeMembership(((VOTER, "d", "host:4"),))) == [
        Outcome(REFUSED, reason=LAGGING, detail="d is not a non-voter yet")
    ]
    station.ask(LISTEN)
    station.sync()
    acknowledge(station)
    assert station.ask(PROMOTE) == [
        Outcome(REFUSED, reason=LAGGING, detail="d is 3 entries behind and was last heard 0.000 s ago")
    ]


BAD = [
    (((LEARNER, "d", ""),), "no address for the new server 'd'"),
    ((("raise", "b", ""),), "unknown change 'raise'"),
    (((REMOVE, "a", ""), (REMOVE, "b", ""), (REMOVE, "c", "")), "no voter would remain"),
    (((REMOVE, "z", ""),), "it changes nothing"),
    ((), "it changes nothing"),
]


@pytest.mark.parametrize(("changes", "why"), BAD)
def test_what_leads_to_no_configuration_is_refused(changes: tuple[tuple[str, str, str], ...], why: str) -> None:
    station = leader_of_three()
    assert station.ask(ChangeMembership(changes)) == [Outcome(REFUSED, reason=INVALID, detail=why)]
    assert station.node.raft.log.last_index == 2


def test_a_change_waits_behind_another() -> None:
    station = listening()
    first, second, third = station.ask(RemovePeer(id="c")), station.ask(PROMOTE), station.ask(RemovePeer(id="z"))
    assert third[0].reason == "not found"  # which is known at once
    station.sync()
    assert station.node.raft.config.voters == ("a", "b")
    acknowledge(station)
    assert (first, second) == (DONE, [])
    station.sync()
    acknowledge(station)
    assert second == DONE
    assert station.node.raft.config.members() == ("a", "b", "d")


def test_what_waits_too_long_was_not_begun() -> None:
    station = leader_of_three(settings=Settings(check_quorum=False), request_timeout_s=2.0)
    first, second = station.ask(RemovePeer(id="c")), station.ask(LISTEN)
    station.wait(2.1)
    assert (first, second) == ([Outcome(UNKNOWN, reason=TIMED_OUT)], [Outcome(REFUSED, reason=TIMED_OUT)])
    station.sync()
    acknowledge(station)
    assert station.node.raft.config.members() == ("a", "b")


# several at once


REPLACE = ChangeMembership(((VOTER, "d", ""), (REMOVE, "c", "")))


def test_a_joint_change_is_ok_when_it_was_left() -> None:
    """Answered when the joint configuration was committed, the operator stopped the servers that were still needed to
    leave it."""
    station = listening()
    outcomes = station.ask(REPLACE)
    assert station.node.raft.config.joint
    station.sync()
    for by in "bd":
        acknowledge(station, by=by)
    raft = station.node.raft
    assert (raft.config.joint, raft.config_index, raft.commit, outcomes) == (False, 5, 4, [])
    station.sync()
    acknowledge(station, by="d")
    assert (raft.commit, outcomes) == (5, DONE)
    assert raft.config.voters == ("a", "b", "d")


@pytest.mark.parametrize("half", [False, True])
def test_a_joint_change_is_unknown_when_leadership_is_lost(half: bool) -> None:
    station = listening()
    outcomes = station.ask(REPLACE)
    station.sync()
    if half:
        for by in "bd":
            acknowledge(station, by=by)
        assert station.node.raft.config_index == 5
    depose(station)
    assert outcomes == [Outcome(UNKNOWN, reason=LEADERSHIP_LOST)]
    raft = station.node.raft
    entries = [station.node.raft.log.slice(4, 5)[0]] if half else []
    station.receive(Append(raft.term, "b", "a", 4, 1, entries, 5, 1))
    assert len(outcomes) == 1


def test_a_joint_change_during_a_transfer_is_ok_in_the_end() -> None:
    """It is left only when the transfer is over; nobody took leadership, so by this leader."""
    station = listening()
    outcomes = station.ask(REPLACE)
    station.sync()
    station.ask(TransferLeadership(id="b"))
    acknowledge(station, by="d")
    acknowledge(station, by="c")
    acknowledge(station, by="b")
    raft = station.node.raft
    assert (raft.commit, raft.config.joint, outcomes) == (4, True, [])
    for _ in range(13):
        station.wait(0.1)
        acknowledge(station, by="b")
        acknowledge(station, by="d")
    station.sync()
    assert (raft.commit, outcomes) == (5, DONE)


def test_a_leader_that_replaces_itself_says_so_before_it_goes() -> None:
    station = listening()
    outcomes = station.ask(ChangeMembership(((VOTER, "d", ""), (REMOVE, "a", ""))))
    for by in "bcd":
        station.sync()
        acknowledge(station, by=by)
    assert outcomes == []
    for by in "bc":
        acknowledge(station, by=by)
    assert outcomes == DONE
    assert (station.node.raft.role, station.node.raft.config.voters) == (FOLLOWER, ("b", "c", "d"))


def test_a_change_behind_a_joint_one_waits_until_it_was_left() -> None:
    station = listening()
    first, second = station.ask(REPLACE), station.ask(RemovePeer(id="b"))
    station.sync()
    for by in "bd":
        acknowledge(station, by=by)
    assert (first, second) == ([], [])
    station.sync()
    acknowledge(station, by="d")
    assert (first, second) == (DONE, [])
    assert station.node.raft.config.voters == ("a", "d")


# elsewhere


def test_a_follower_passes_it_on() -> None:
    station = follower_of_b()
    outcomes = station.ask(LISTEN)
    (relay,) = station.took(Relay)
    assert (relay.dst, relay.request) == ("b", LISTEN)
    refusal = Outcome(REFUSED, reason=LAGGING, detail="it lags")
    station.receive(RelayReply("b", "a", relay.id, refusal))
    assert [(outcome.kind, outcome.reason, outcome.forwarded) for outcome in outcomes] == [(REFUSED, LAGGING, True)]


def test_what_waits_goes_on_under_the_next_leader() -> None:
    station = leader_of_three()
    station.ask(RemovePeer(id="b"))
    waiting = station.ask(LISTEN)
    depose(station)
    station.receive(heartbeat(station, term=2, leader="c"))
    assert (waiting, [relay.request for relay in station.took(Relay)]) == ([], [LISTEN])


def test_in_a_cluster_all_servers_but_one_are_replaced_under_load() -> None:
    first = of("a", "b", "c")
    world = World("a", "b", "c", "d", "e", config=simple(first, [Change(LEARNER, "d", "d"), Change(LEARNER, "e", "e")]))
    leader = world.leader()
    outcomes: list[Outcome] = []
    gone = [id for id in "abc" if id != leader.id]
    changes = ((VOTER, "d", ""), (VOTER, "e", ""), *((REMOVE, id, "") for id in gone))
    world[gone[0]].node.request(ChangeMembership(changes), outcomes.append)
    for number in range(10):
        world["de"[number % 2]].node.request(Command(b"%d" % number), outcomes.append)
        world.run(0.1)
    world.run(1.0)
    assert [outcome.kind for outcome in outcomes] == [OK] * 11
    for id in ("d", "e", leader.id):
        raft = world[id].node.raft
        assert (raft.config.voters, raft.config.joint) == (tuple(sorted(("d", "e", leader.id))), False)
        assert len(world[id].machine.commands) == 10
    assert not any(entry.kind == CONFIG for entry in leader.node.raft.log.slice(raft.config_index, raft.log.last_index))
