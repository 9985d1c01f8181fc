"""A request that reaches a follower is relayed to the leader, once, and its answer comes back as the leader gave it."""

from __future__ import annotations

import pytest

from raftsim.node.requests import (
    INVALID,
    LEADERSHIP_LOST,
    LINK_LOST,
    NOT_LEADER,
    OK,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    UNKNOWN,
    UNREACHABLE,
    Command,
    Outcome,
    Query,
    ReadIndex,
    Relay,
    RelayReply,
    RemovePeer,
    Request,
)
from tests.node.harness import ALL, Station, acknowledge, depose, follower_of_b, heartbeat, leader_of_three

X = Command(b"x")


def relayed(station: Station, request: Request) -> tuple[list[Outcome], Relay]:
    outcomes = station.ask(request)
    (relay,) = station.took(Relay)
    sent = ReadIndex() if isinstance(request, Query) else request
    assert (relay.src, relay.dst, relay.request, outcomes) == ("a", "b", sent, [])
    return outcomes, relay


def reply(relay: Relay, outcome: Outcome) -> RelayReply:
    return RelayReply(relay.dst, relay.src, relay.id, outcome)


def keep_following(station: Station, seconds: float, *, term: int = 1, leader: str = "b") -> None:
    end = station.clock.time + seconds
    while station.clock.time < end:
        station.receive(heartbeat(station, term=term, leader=leader))
        station.wait(0.1)


# on the side that asks


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(OK, 7),
        Outcome(REFUSED, reason=INVALID, detail="why"),
        Outcome(UNKNOWN, reason=LEADERSHIP_LOST),
    ],
)
def test_the_leaders_outcome_comes_back_as_it_is(outcome: Outcome) -> None:
    station = follower_of_b()
    outcomes, relay = relayed(station, X)
    station.receive(reply(relay, outcome))
    assert outcomes == [Outcome(outcome.kind, outcome.value, outcome.reason, outcome.detail, forwarded=True)]
    station.receive(reply(relay, Outcome(OK, "again")))
    assert len(outcomes) == 1


def test_who_says_it_is_no_leader_is_not_asked_again_in_that_term() -> None:
    """A follower and the deposed leader it still believed in sent a request to and fro without an end."""
    station = follower_of_b()
    outcomes, relay = relayed(station, X)
    station.receive(reply(relay, Outcome(REFUSED, reason=NOT_LEADER)))
    keep_following(station, 1.0)
    assert station.took(Relay) == []
    station.receive(heartbeat(station, term=2, leader="c"))
    (again,) = station.took(Relay)
    assert again.dst == "c"
    station.receive(RelayReply("c", "a", again.id, Outcome(OK, 7)))
    assert outcomes == [Outcome(OK, 7, forwarded=True)]


def test_a_leader_that_never_was_is_refused_after_a_while() -> None:
    station = follower_of_b()
    outcomes, relay = relayed(station, X)
    station.receive(reply(relay, Outcome(REFUSED, reason=NOT_LEADER)))
    keep_following(station, 5.1)
    assert outcomes == [Outcome(REFUSED, reason=UNREACHABLE, detail="b")]


@pytest.mark.parametrize("request_", [X, RemovePeer(id="c")])
def test_a_link_that_breaks_leaves_a_change_unknown(request_: Request) -> None:
    station = follower_of_b()
    outcomes, relay = relayed(station, request_)
    station.node.link_lost("c")
    assert outcomes == []
    station.node.link_lost("b")
    assert outcomes == [Outcome(UNKNOWN, reason=LINK_LOST, forwarded=True)]
    station.receive(reply(relay, Outcome(OK, 7)))
    assert len(outcomes) == 1


def test_a_link_that_breaks_makes_a_read_ask_again() -> None:
    station = follower_of_b()
    outcomes, _ = relayed(station, ALL)
    station.linked.remove("b")
    station.node.link_lost("b")
    station.turn()
    assert (outcomes, station.took(Relay)) == ([], [])
    station.linked.add("b")
    station.node.peer_seen(station.node.info)
    station.turn()
    (again,) = station.took(Relay)
    station.receive(reply(again, Outcome(OK, 0)))
    assert outcomes == [Outcome(OK, ())]


def test_a_leader_without_a_link_is_unreachable_and_nothing_was_sent() -> None:
    station = follower_of_b()
    station.linked.clear()
    outcomes = station.ask(X)
    keep_following(station, 4.8)
    assert outcomes == []
    keep_following(station, 0.4)
    assert outcomes == [Outcome(REFUSED, reason=UNREACHABLE, detail="b")]


def test_a_link_that_comes_up_in_time_is_used() -> None:
    station = follower_of_b()
    station.linked.clear()
    station.ask(X)
    keep_following(station, 2.0)
    station.linked.add("b")
    keep_following(station, 0.2)
    assert len(station.took(Relay)) == 1


def test_a_leader_that_does_not_answer_leaves_a_change_unknown_and_a_read_refused() -> None:
    station = follower_of_b()
    change, _ = relayed(station, X)
    read, _ = relayed(station, ALL)
    keep_following(station, 14.8)
    assert (change, read) == ([], [])
    keep_following(station, 0.4)
    assert change == [Outcome(UNKNOWN, reason=TIMED_OUT)]
    assert read == [Outcome(REFUSED, reason=TIMED_OUT)]


def test_after_a_change_of_leader_the_old_one_may_still_answer_but_not_for_long() -> None:
    station = follower_of_b()
    change, relay = relayed(station, X)
    read, _ = relayed(station, ALL)
    station.receive(heartbeat(station, term=2, leader="c"))
    (again,) = station.took(Relay)  # the read, not the change: that one may have been proposed
    assert (again.dst, again.request) == ("c", ReadIndex())
    station.receive(RelayReply("c", "a", again.id, Outcome(OK, 0)))
    assert len(read) == 1
    station.receive(reply(relay, Outcome(OK, 2)))
    assert change == [Outcome(OK, 2, forwarded=True)]
    forgotten = station.ask(X)
    station.receive(heartbeat(station, term=3, leader="b"))
    keep_following(station, 5.2, term=3)
    assert forgotten == [Outcome(UNKNOWN, reason=TIMED_OUT)]


def test_only_the_server_that_was_asked_can_answer() -> None:
    station = follower_of_b()
    outcomes, relay = relayed(station, X)
    station.receive(RelayReply("c", "a", relay.id, Outcome(OK, "stranger")))
    station.receive(RelayReply("b", "a", relay.id + 1, Outcome(OK, "other")))
    assert outcomes == []


def test_answers_meant_for_an_earlier_life_find_nobody() -> None:
    """Numbered from 0 again after a restart, the first request was given the answer to another one of before."""
    station = follower_of_b()
    before = [relayed(station, X)[1] for _ in range(20)]
    station.start()
    station.receive(heartbeat(station, term=1, leader="b"))
    asked = [relayed(station, X) for _ in range(20)]
    for relay in before:
        station.receive(reply(relay, Outcome(OK, "old")))
    assert [outcomes for outcomes, _ in asked] == [[]] * 20


def test_a_late_not_leader_of_an_earlier_relay_does_not_stop_the_present_one() -> None:
    """The same server was deposed and elected again: its refusal of then says nothing about the request of now."""
    station = follower_of_b()
    outcomes, first = relayed(station, ALL)
    station.receive(heartbeat(station, term=2, leader="c"))
    station.receive(heartbeat(station, term=3, leader="b"))
    second = station.took(Relay)[-1]
    assert second.dst == "b"
    station.receive(reply(first, Outcome(REFUSED, reason=NOT_LEADER)))
    station.receive(reply(second, Outcome(OK, 0)))
    assert outcomes == [Outcome(OK, ())]


def test_a_stop_leaves_a_relayed_change_unknown_and_a_read_refused() -> None:
    station = follower_of_b()
    change, _ = relayed(station, X)
    read, _ = relayed(station, ALL)
    station.node.stop()
    assert change == [Outcome(UNKNOWN, reason=STOPPED)]
    assert read == [Outcome(REFUSED, reason=STOPPED)]


# on the side that is asked


def test_a_leader_answers_who_relayed() -> None:
    station = leader_of_three()
    station.receive(Relay("b", "a", 70, X), Relay("c", "a", 70, Command(b"bad")))
    station.sync()
    acknowledge(station)
    assert station.took(RelayReply) == [
        RelayReply("a", "c", 70, Outcome(REFUSED, reason=INVALID, detail="a bad command")),
        RelayReply("a", "b", 70, Outcome(OK, (3, b"x"))),
    ]


def test_a_relay_is_never_relayed_on() -> None:
    station = follower_of_b()
    station.receive(Relay("c", "a", 70, X))
    assert station.took(object) == [RelayReply("a", "c", 70, Outcome(REFUSED, reason=NOT_LEADER))]


def test_what_a_deposed_leader_was_relayed_is_unknown_or_goes_back() -> None:
    station = leader_of_three()
    station.receive(Relay("b", "a", 70, RemovePeer(id="c")))  # proposed
    station.receive(Relay("b", "a", 71, RemovePeer(id="b")))  # waits for the first
    station.receive(Relay("b", "a", 72, ALL))
    depose(station)
    answers = {answer.id: answer.outcome for answer in station.took(RelayReply)}
    assert answers == {
        70: Outcome(UNKNOWN, reason=LEADERSHIP_LOST),
        71: Outcome(REFUSED, reason=NOT_LEADER),
        72: Outcome(REFUSED, reason=NOT_LEADER),
    }
    assert station.node.status()["pending_requests"] == 0
