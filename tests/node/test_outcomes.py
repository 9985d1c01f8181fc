"""Every request ends as ok, refused or unknown, never as a guess. Here the server that is asked leads, or nobody."""

from __future__ import annotations

from raftsim.core.config import of
from raftsim.core.entry import COMMAND, NOOP, Entry
from raftsim.core.messages import Append, AppendReply
from raftsim.core.settings import Settings
from raftsim.node.requests import (
    BUSY,
    INVALID,
    LEADERSHIP_LOST,
    NO_LEADER,
    NOT_READY,
    OK,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    UNKNOWN,
    Command,
    Outcome,
    Query,
    ReadIndex,
    ReadMembership,
    Relay,
)
from tests.node.harness import ALL, Station, acknowledge, depose, heartbeat, leader_of_three


def lost(outcomes: list[Outcome]) -> bool:
    return outcomes == [Outcome(UNKNOWN, reason=LEADERSHIP_LOST)]


# commands


def test_a_command_is_ok_when_it_was_applied() -> None:
    station = leader_of_three()
    outcomes = station.ask(Command(b"x"))
    station.sync()
    assert (outcomes, station.machine.commands) == ([], [])
    acknowledge(station)
    assert outcomes == [Outcome(OK, (3, b"x"))]
    assert station.machine.commands == [b"x"]


def test_what_was_proposed_before_leadership_was_lost_is_unknown() -> None:
    station = leader_of_three()
    outcomes = station.ask(Command(b"x"))
    depose(station)
    assert lost(outcomes)


def test_a_command_whose_entry_was_replaced_is_never_ok() -> None:
    """Answered by index alone, a client was told that its command had been done, when another's stood in its place."""
    station = leader_of_three()
    outcomes = station.ask(Command(b"mine"))
    theirs = Append(2, "b", "a", 2, 1, [Entry(2, COMMAND, b"theirs")], 3, 1)
    station.receive(theirs)  # deposed, replaced and committed, all in one turn
    station.sync()
    assert station.machine.commands == [b"theirs"]
    assert lost(outcomes)


def test_a_command_that_the_next_leader_commits_in_the_same_turn_is_ok() -> None:
    station = leader_of_three()
    outcomes = station.ask(Command(b"mine"))
    station.receive(Append(2, "b", "a", 3, 1, [Entry(2, NOOP)], 4, 1))
    assert outcomes == [Outcome(OK, (3, b"mine"))]


def test_an_index_used_again_answers_nobody_of_before() -> None:
    station = leader_of_three()
    first = station.ask(Command(b"mine"))
    station.receive(Append(2, "b", "a", 2, 1, [Entry(2, COMMAND, b"theirs")], 2, 1))
    station.sync()
    assert lost(first)
    station.receive(Append(2, "b", "a", 3, 2, [], 3, 1))
    assert len(first) == 1


def test_a_command_that_does_not_get_done_in_time_is_unknown() -> None:
    station = leader_of_three(settings=Settings(check_quorum=False))
    outcomes = station.ask(Command(b"x"))
    station.sync()
    station.wait(14.9)
    assert outcomes == []
    station.wait(0.2)
    assert outcomes == [Outcome(UNKNOWN, reason=TIMED_OUT)]
    acknowledge(station)  # done after all: applied, and answered no second time
    assert station.machine.commands == [b"x"]
    assert len(outcomes) == 1


# what is refused before anything happens


def test_what_the_machine_does_not_know_is_never_proposed() -> None:
    station = leader_of_three()
    assert station.ask(Command(b"bad")) == [Outcome(REFUSED, reason=INVALID, detail="a bad command")]
    assert station.node.raft.log.last_index == 2
    assert station.ask(Query(("bad",), stale=True)) == [Outcome(REFUSED, reason=INVALID, detail="a bad query")]
    outcomes = station.ask(Query(("bad",)))
    acknowledge(station)
    assert outcomes == [Outcome(REFUSED, reason=INVALID, detail="a bad query")]


def test_more_than_can_be_worked_on_is_refused_as_busy() -> None:
    """Without a limit, clients of a server that could commit nothing filled its memory."""
    station = leader_of_three(max_pending_requests=2)
    first = station.ask(Command(b"1"), Command(b"2"))
    assert station.ask(Command(b"3"), ALL) == [Outcome(REFUSED, reason=BUSY, detail="max_pending_requests")] * 2
    station.sync()
    acknowledge(station)
    assert [outcome.kind for outcome in first] == [OK, OK]
    station.ask(Command(b"4"))
    assert station.node.raft.log.last_index == 5


def test_a_full_log_is_refused_as_busy() -> None:
    station = leader_of_three(settings=Settings(max_uncommitted_bytes=4))
    station.ask(Command(b"1234"))
    assert station.ask(Command(b"5")) == [Outcome(REFUSED, reason=BUSY, detail="max_uncommitted_bytes")]


# reads


def test_a_stale_query_is_answered_at_once_by_anybody() -> None:
    station = Station("a", of("a", "b", "c"))
    assert station.ask(Query(("all",), stale=True)) == [Outcome(OK, ())]
    assert station.ask(ReadMembership(stale=True))[0].value["leader"] == ""


def test_a_query_waits_for_a_round_and_for_what_was_committed_before_it() -> None:
    station = leader_of_three()
    station.ask(Command(b"x"))
    station.sync()
    outcomes = station.ask(ALL)
    raft = station.node.raft
    station.receive(AppendReply(1, "b", "a", ok=True, index=2, round=raft.round - 1))
    assert outcomes == []
    acknowledge(station)
    assert outcomes == [Outcome(OK, (b"x",))]


def test_a_query_on_a_new_leader_waits_for_the_first_commit_of_its_term() -> None:
    station = leader_of_three(ready=False)
    outcomes = station.ask(ALL)
    raft = station.node.raft
    station.receive(AppendReply(1, "b", "a", ok=False, index=1, round=raft.round))
    assert outcomes == []  # the round is confirmed, its index is not applied
    acknowledge(station)
    assert outcomes == [Outcome(OK, ())]


def test_a_read_goes_on_under_the_next_leader() -> None:
    """A read that was waiting when leadership was lost was forgotten; reads change nothing, so it is asked again."""
    station = leader_of_three(ready=False)
    outcomes = station.ask(ALL)
    depose(station)
    assert (outcomes, station.took(Relay)) == ([], [])
    station.receive(heartbeat(station, term=2, leader="c"))
    (relay,) = station.took(Relay)
    assert (relay.dst, relay.request) == ("c", ReadIndex())


def test_a_read_that_was_confirmed_needs_no_other_leader() -> None:
    """Its index stays a sound one: it waits for that to be applied, whoever sends what it needs."""
    station = leader_of_three(ready=False)
    outcomes = station.ask(ALL)
    station.receive(AppendReply(1, "b", "a", ok=False, index=1, round=station.node.raft.round))
    depose(station)
    station.receive(heartbeat(station, term=2, leader="c"))
    assert (outcomes, station.took(Relay)) == ([], [])
    station.receive(heartbeat(station, term=2, leader="c", commit=2))
    station.sync()
    assert outcomes == [Outcome(OK, ())]


def test_a_leader_that_cannot_commit_in_its_term_is_not_ready() -> None:
    station = leader_of_three(ready=False, settings=Settings(check_quorum=False))
    outcomes = station.ask(ALL)
    station.wait(4.9)
    assert outcomes == []
    station.wait(0.2)
    assert outcomes == [Outcome(REFUSED, reason=NOT_READY)]


# without a leader


def test_without_a_leader_a_request_waits_and_is_then_refused() -> None:
    station = Station("a", of("a", "b", "c"))
    outcomes = station.ask(Command(b"x"), ALL)
    station.wait(4.9)
    assert outcomes == []
    station.wait(0.2)
    assert outcomes == [Outcome(REFUSED, reason=NO_LEADER, detail=None)] * 2
    assert station.node.status()["pending_requests"] == 0


def test_what_waited_is_done_when_this_server_comes_to_lead() -> None:
    station = Station("a", of("a"))
    outcomes = station.ask(Command(b"x"), ALL)
    station.wait(1.0)
    for _ in range(3):
        station.sync()
    assert outcomes[0].kind == outcomes[1].kind == OK
    assert Outcome(OK, (3, b"x")) in outcomes


# going down


def test_a_stop_answers_everything_and_guesses_nothing() -> None:
    station = leader_of_three()
    command, query = station.ask(Command(b"x")), station.ask(ALL)
    waiting = Station("a", of("a", "b", "c"))
    unheard = waiting.ask(Command(b"y"), ALL)
    station.node.stop()
    waiting.node.stop()
    assert command == [Outcome(UNKNOWN, reason=STOPPED)]
    assert query == [Outcome(REFUSED, reason=STOPPED)]
    assert unheard == [Outcome(REFUSED, reason=STOPPED)] * 2
    station.sync()
    acknowledge(station)
    assert (len(command), len(query)) == (1, 1)
