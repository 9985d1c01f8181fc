"""Linearizable reads on a follower (dissertation 6.4): it asks the leader for a read index only, and answers itself."""

from __future__ import annotations

import pytest

from raftsim.core.entry import COMMAND, Entry
from raftsim.core.messages import Append
from raftsim.node.requests import INVALID, OK, REFUSED, Command, Outcome, Query, ReadIndex, Relay, RelayReply
from tests.node.harness import ALL, Station, acknowledge, follower_of_b, leader_of_three


def answer(station: Station, relay: Relay, index: int) -> None:
    station.receive(RelayReply(relay.dst, relay.src, relay.id, Outcome(OK, index)))


def feed(station: Station, commit: int) -> None:
    """The leader b sends one more command, and what is committed."""
    log = station.node.raft.log
    entry = Entry(1, COMMAND, b"%d" % (log.last_index + 1))
    station.receive(Append(1, "b", "a", log.last_index, log.last_term, [entry], commit, 0))
    station.sync()


def test_the_answer_waits_until_the_read_index_is_applied() -> None:
    station = follower_of_b()
    outcomes = station.ask(ALL)
    (relay,) = station.took(Relay)
    answer(station, relay, index=3)
    feed(station, commit=2)
    assert outcomes == []
    feed(station, commit=3)
    assert outcomes == [Outcome(OK, (b"2", b"3"))]


def test_the_queries_of_a_turn_ask_once_and_later_ones_ask_again() -> None:
    """A query must not be answered at an index that was confirmed before it came in."""
    station = follower_of_b()
    first = station.ask(ALL, ALL, ALL)
    (relay,) = station.took(Relay)
    later = station.ask(ALL)
    (again,) = station.took(Relay)
    answer(station, relay, index=0)
    assert (first, later) == ([Outcome(OK, ())] * 3, [])
    answer(station, again, index=0)
    assert later == [Outcome(OK, ())]


def test_a_bad_query_is_refused_by_the_server_that_was_asked() -> None:
    station = follower_of_b()
    outcomes = station.ask(Query(("bad",)))
    (relay,) = station.took(Relay)
    answer(station, relay, index=0)
    assert outcomes == [Outcome(REFUSED, reason=INVALID, detail="a bad query")]


def test_one_that_is_late_does_not_take_the_others_with_it() -> None:
    station = follower_of_b(max_query_wait_s=1.0)
    outcomes = station.ask(ALL, ALL)
    station.receive(Append(2, "c", "a", 1, 0, [], 0, 0))  # another leader: both ask again
    one, two = station.took(Relay)
    assert (one.dst, two.dst) == ("b", "c")
    answer(station, one, index=0)
    assert outcomes == []
    answer(station, two, index=0)
    assert len(outcomes) == 2


def test_nobody_asks_the_machine_for_a_read_that_was_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its answer; and a blocking query would begin to watch, with nobody waiting for it."""
    station = follower_of_b()
    outcomes = station.ask(ALL)
    (relay,) = station.took(Relay)
    answer(station, relay, index=3)
    station.wait(station.node_settings.request_timeout_s + 1)
    assert [outcome.kind for outcome in outcomes] == [REFUSED]
    asked: list[object] = []
    monkeypatch.setattr(station.machine, "query", asked.append)
    feed(station, commit=2)
    feed(station, commit=3)
    assert station.node.applied_index == 3
    assert asked == []


def test_a_read_that_was_confirmed_survives_a_change_of_leader() -> None:
    station = follower_of_b()
    outcomes = station.ask(ALL)
    (relay,) = station.took(Relay)
    answer(station, relay, index=2)
    station.receive(Append(2, "c", "a", 1, 0, [Entry(2, COMMAND, b"x")], 2, 0))
    station.sync()
    assert outcomes == [Outcome(OK, (b"x",))]
    assert station.took(Relay) == []


def test_the_leader_gives_an_index_when_a_quorum_has_confirmed_it() -> None:
    station = leader_of_three()
    (put,) = (station.ask(Command(b"x")),)
    station.receive(Relay("b", "a", 70, ReadIndex()))
    assert station.took(RelayReply) == []
    station.sync()
    acknowledge(station)
    assert put[0].kind == OK
    (reply,) = station.took(RelayReply)
    assert reply.outcome == Outcome(OK, 2)  # what was committed when it was asked, not what came since
