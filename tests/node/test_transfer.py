"""An operator hands leadership over: who may take it, how that ends, and what clients see of it."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.core.config import LEARNER, Change, Config, Server, initial, of, simple
from raftsim.core.messages import TimeoutNow, Vote
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.node.requests import (
    NOT_A_VOTER,
    NOT_FOUND,
    NOT_TAKEN,
    OK,
    REFUSED,
    TRANSFERRING,
    UNKNOWN,
    Outcome,
    Relay,
    RelayReply,
    TransferLeadership,
)
from tests.node.harness import Station, acknowledge, follower_of_b, leader_of_three

THREE = of("a", "b", "c")


def handed(target: str) -> Outcome:
    own, other = ({"id": id, "address": id} for id in ("a", target))
    return Outcome(OK, {"noop": target == "a", "from": own, "to": other})


def taken_by(station: Station, target: str) -> None:
    """The target asks for the vote, and gets it."""
    log = station.node.raft.log
    station.receive(Vote(station.node.raft.term + 1, target, "a", log.last_index, log.last_term, force=True))
    station.sync()


def silent(station: Station, seconds: float) -> None:
    """The target stays where it is, and the other one goes on following."""
    end = station.clock.time + seconds
    while station.clock.time < end:
        station.wait(0.1)
        acknowledge(station, by="c")


# to whom


NAMED = [TransferLeadership(id="b"), TransferLeadership(address="b"), TransferLeadership()]


@pytest.mark.parametrize("request_", NAMED)
def test_it_is_ok_when_leadership_was_given_up(request_: TransferLeadership) -> None:
    station = leader_of_three()
    acknowledge(station, by="c")
    station.wait(0.1)
    acknowledge(station, by="b")  # heard last, so the best
    station.took(object)
    outcomes = station.ask(request_)
    assert [message.dst for message in station.took(TimeoutNow)] == ["b"]
    assert outcomes == []
    taken_by(station, "b")
    assert outcomes == [handed("b")]
    assert station.node.raft.role == FOLLOWER


@pytest.mark.parametrize("request_", [TransferLeadership(id="a"), TransferLeadership(address="a")])
def test_to_the_leader_itself_is_nothing_to_do(request_: TransferLeadership) -> None:
    station = leader_of_three()
    assert station.ask(request_) == [handed("a")]
    assert (station.took(TimeoutNow), station.node.raft.transfer_target) == ([], None)


NOBODY = [
    (TransferLeadership(id="z"), {"id": "z"}),
    (TransferLeadership(address="host:9"), {"address": "host:9"}),
]


@pytest.mark.parametrize(("request_", "wanted"), NOBODY)
def test_who_is_no_member_is_not_found(request_: TransferLeadership, wanted: dict[str, str]) -> None:
    assert leader_of_three().ask(request_) == [Outcome(REFUSED, reason=NOT_FOUND, detail=wanted)]


def leader_of(config: Config) -> Station:
    station = Station("a", config)
    station.wait(station.deadline)
    for _ in range(3):
        station.sync()
    assert station.node.raft.role == LEADER
    return station


def test_a_non_voter_cannot_lead() -> None:
    station = leader_of(simple(of("a"), [Change(LEARNER, "d", "host:4")]))
    assert station.ask(TransferLeadership(id="d")) == [Outcome(REFUSED, reason=NOT_A_VOTER, detail="d")]
    assert station.ask(TransferLeadership(address="host:4")) == [Outcome(REFUSED, reason=NOT_A_VOTER, detail="d")]


def test_alone_there_is_nobody_to_hand_over_to() -> None:
    station = leader_of(of("a"))
    assert station.ask(TransferLeadership()) == [Outcome(REFUSED, reason=NOT_A_VOTER, detail="there is no other voter")]


def test_the_answer_names_ids_and_addresses() -> None:
    config = initial([Server("one", "host:1"), Server("a", "host:2")])
    station = Station("a", config)
    station.node.raft.lead(0.0)
    (outcome,) = station.ask(TransferLeadership(address="host:2"))
    assert outcome.value["from"] == outcome.value["to"] == {"id": "a", "address": "host:2"}


# how it ends


def test_one_at_a_time() -> None:
    station = leader_of_three()
    first = station.ask(TransferLeadership(id="b"))
    for request in (TransferLeadership(id="b"), TransferLeadership(id="c"), TransferLeadership()):
        assert station.ask(request) == [Outcome(REFUSED, reason=TRANSFERRING, detail="to b")]
    taken_by(station, "b")
    assert first == [handed("b")]


def test_not_taken_within_an_election_timeout_it_is_given_up_and_may_be_tried_again() -> None:
    station = leader_of_three()
    outcomes = station.ask(TransferLeadership(id="b"))
    silent(station, 0.9)
    assert outcomes == []
    silent(station, 0.4)
    assert outcomes == [Outcome(REFUSED, reason=NOT_TAKEN, detail="b")]
    again = station.ask(TransferLeadership(id="c"))
    taken_by(station, "c")
    assert again == [handed("c")]
    assert len(outcomes) == 1


@pytest.mark.parametrize("how", ["stopped", "out of time"])
def test_whether_it_was_taken_is_unknown_if_nobody_waits_for_it(how: str) -> None:
    """Told `refused`, an operator took the old leader for the leader, when another had taken over at that moment."""
    station = leader_of_three(request_timeout_s=0.5)
    outcomes = station.ask(TransferLeadership(id="b"))
    if how == "stopped":
        station.node.stop()
    else:
        silent(station, 0.6)
    assert [outcome.kind for outcome in outcomes] == [UNKNOWN]
    taken_by(station, "b")
    assert len(outcomes) == 1


def test_asked_of_a_follower_it_is_done_by_the_leader() -> None:
    station = follower_of_b()
    outcomes = station.ask(TransferLeadership(id="c"))
    (relay,) = station.took(Relay)
    assert (relay.dst, relay.request, outcomes) == ("b", TransferLeadership(id="c"), [])
    value: dict[str, Any] = {"noop": False, "from": {}, "to": {}}
    station.receive(RelayReply("b", "a", relay.id, Outcome(OK, value)))
    assert outcomes == [Outcome(OK, value, forwarded=True)]
