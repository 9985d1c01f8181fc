"""An operator's restore: steps in the log, kept aside by every server, that replace the state at once or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from raftsim.core.config import of
from raftsim.node import restore
from raftsim.node.requests import (
    INVALID,
    LEADERSHIP_LOST,
    NO_LEADER,
    OK,
    REFUSED,
    TIMED_OUT,
    UNKNOWN,
    Command,
    Outcome,
    RestoreStep,
)
from raftsim.node.restore import Staging, steps
from raftsim.node.settings import NodeSettings
from tests.node.harness import ALL, Station
from tests.node.recorder import Recorder

BEGIN, END = b"\0", 2
SUPERSEDED = "another restore has begun, or this one took too long"


def taken(index: int, refused: str = "") -> Outcome:
    return Outcome(OK, {"index": index, "refused": refused})


def drive(state: list[bytes], answer: Callable[[RestoreStep], Outcome]) -> tuple[Outcome, list[bytes]]:
    """Returns the outcome of the whole, and the steps."""
    requests = steps(state)
    sent = [next(requests)]
    while True:
        try:
            sent.append(requests.send(answer(sent[-1])))
        except StopIteration as end:
            return end.value, [step.data for step in sent]


def all_steps(state: list[bytes], restore_index: int) -> list[bytes]:
    """Those of a restore whose first step is at `restore_index`."""
    return drive(state, lambda _: taken(restore_index))[1]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "PART_BYTES", 3)


# what every server makes of the steps


class Servers:
    """A machine and what is kept aside for it; steps are applied at the indexes from 11 on."""

    def __init__(self) -> None:
        self.machine = Recorder()
        self.machine.commands = [b"old"]
        self.staging = Staging(self.machine)
        self.index = 10

    def apply(self, data: bytes) -> str:
        self.index += 1
        result = self.staging.apply(self.index, data)
        assert result["index"] == self.index
        refused: str = result["refused"]
        return refused


@pytest.mark.usefixtures("small_parts")
def test_the_last_step_replaces_the_state_and_none_before_it() -> None:
    servers = Servers()
    *before, last = all_steps([b"a", b"|bcd|", b"", b"e"], 11)
    assert len(before) == 5
    for step in before:
        assert servers.apply(step) == ""
        assert servers.machine.commands == [b"old"]
        assert servers.staging.holds(servers.index)
    assert servers.apply(last) == ""
    assert servers.machine.commands == [b"a", b"bcd", b"e"]
    assert not servers.staging.holds(servers.index)
    assert servers.staging.replaced == servers.index


@pytest.mark.usefixtures("small_parts")
def test_a_part_that_comes_again_counts_once() -> None:
    servers = Servers()
    begin, one, two, last = all_steps([b"abcdef"], 11)
    assert [servers.apply(step) for step in (begin, one, one, two, one, two, last)] == [""] * 7
    assert servers.machine.commands == [b"abcdef"]


@pytest.mark.usefixtures("small_parts")
def test_nothing_happens_if_a_part_is_missing() -> None:
    begin, one, two, last = all_steps([b"abcdef"], 11)
    for order in ((begin, two), (begin, one, last), (begin, last)):
        servers = Servers()
        said = [servers.apply(step) for step in order]
        assert said == [""] * (len(order) - 1) + ["a part is missing"]
        assert servers.machine.commands == [b"old"]
        assert servers.apply(last) != ""


@pytest.mark.usefixtures("small_parts")
def test_a_later_restore_takes_the_place_of_one_that_is_not_over() -> None:
    servers = Servers()
    begin, one, _, last = all_steps([b"abcdef"], 11)
    servers.apply(begin)
    servers.apply(one)
    assert servers.apply(BEGIN) == ""
    assert servers.apply(one) == servers.apply(last) == SUPERSEDED
    _, one, last = all_steps([b"new"], 13)
    assert servers.apply(one) == servers.apply(last) == ""
    assert servers.machine.commands == [b"new"]


def test_a_step_without_a_beginning() -> None:
    assert Servers().apply(all_steps([b"abc"], 11)[1]) == SUPERSEDED


def test_what_is_no_state_changes_nothing() -> None:
    servers = Servers()
    assert [servers.apply(step) for step in all_steps([b"spoilt"], 11)] == [
        "",
        "",
        "not a state of this machine: it is spoilt",
    ]
    assert servers.machine.commands == [b"old"]
    assert servers.staging.replaced == 0


@pytest.mark.parametrize("data", [b"", b"\x07", b"\1", b"\1\0\0", b"\2", b"\xff" * 40])
def test_bytes_that_are_no_step_change_nothing(data: bytes) -> None:
    """A peer may send anything, and what is in the log is applied."""
    servers = Servers()
    assert servers.apply(data) == SUPERSEDED
    servers.apply(BEGIN)
    servers.apply(data)
    assert servers.machine.commands == [b"old"]


def test_its_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "PART_BYTES", 4)
    monkeypatch.setattr(restore, "MAX_BYTES", 8)
    assert [Servers().apply(step) for step in all_steps([b"12345678"], 11)[:1]] == [""]
    servers = Servers()
    said = [servers.apply(step) for step in all_steps([b"12345678", b"9"], 11)]
    assert said == ["", "", "", "the state is larger than 8 bytes", SUPERSEDED]
    assert not servers.staging.holds(servers.index)


def test_so_is_how_long_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "MAX_ENTRIES", 5)
    begin, one, last = all_steps([b"abc"], 11)
    for end, said in ((15, ""), (16, SUPERSEDED)):
        servers = Servers()
        assert servers.apply(begin) == servers.apply(one) == ""
        servers.index = end - 1
        assert servers.apply(last) == said
    assert not servers.staging.holds(16)


# the one who asks for them


def test_the_outcome_names_the_entry() -> None:
    outcome, sent = drive([b"abc"], lambda step: taken(30 if step.data[0] == END else 20))
    assert outcome == Outcome(OK, {"index": 30})
    assert len(sent) == 3


UNKNOWN_ONCE = Outcome(UNKNOWN, reason=LEADERSHIP_LOST)


def test_an_unknown_step_is_asked_for_again_but_for_the_last() -> None:
    answers = iter([UNKNOWN_ONCE, taken(20), UNKNOWN_ONCE, UNKNOWN_ONCE, taken(21), UNKNOWN_ONCE])
    outcome, sent = drive([b"abc"], lambda _: next(answers))
    assert outcome == UNKNOWN_ONCE
    assert [step[0] for step in sent] == [0, 0, 1, 1, 1, 2]


FAILURES = [  # the answers -> the outcome
    ([Outcome(REFUSED, reason=NO_LEADER)], Outcome(REFUSED, reason=NO_LEADER)),
    ([UNKNOWN_ONCE] * 3, Outcome(REFUSED, reason=LEADERSHIP_LOST)),
    ([taken(20), Outcome(REFUSED, reason=TIMED_OUT)], Outcome(REFUSED, reason=TIMED_OUT)),
    ([taken(20), *[UNKNOWN_ONCE] * 3], Outcome(REFUSED, reason=LEADERSHIP_LOST)),
    ([taken(20), taken(21, "too large")], Outcome(REFUSED, reason=INVALID, detail="too large")),
    ([taken(20), taken(21), taken(22, "no state")], Outcome(REFUSED, reason=INVALID, detail="no state")),
    ([taken(20), taken(21), Outcome(REFUSED, reason=NO_LEADER)], Outcome(REFUSED, reason=NO_LEADER)),
]


@pytest.mark.parametrize(("answers", "expected"), FAILURES)
def test_what_did_not_get_to_its_last_step_has_not_happened(answers: list[Outcome], expected: Outcome) -> None:
    coming = iter(answers)
    outcome, _ = drive([b"abc"], lambda _: next(coming))
    assert outcome == expected
    assert list(coming) == []


# a whole server


def alone(**node_settings: Any) -> Station:
    """A server that leads itself; what it asks of the disk is done by `finish`."""
    station = Station("a", of("a"), node_settings=NodeSettings(**node_settings))
    station.wait(station.deadline)
    while station.unsynced:
        station.sync()
    return station


def ask(station: Station, *requests: Command | RestoreStep) -> list[Outcome]:
    outcomes = station.ask(*requests)
    station.sync()
    return outcomes


@pytest.mark.usefixtures("small_parts")
def test_a_server_answers_the_steps_and_then_from_the_new_state() -> None:
    station = alone()
    ask(station, Command(b"old"))
    outcome, sent = drive([b"a|b|cd"], lambda step: ask(station, step)[0])
    assert outcome == Outcome(OK, {"index": station.node.applied_index})
    assert len(sent) == 4
    assert station.ask(ALL) == [Outcome(OK, (b"a", b"b", b"cd"))]
    ask(station, Command(b"after"))
    assert station.ask(ALL) == [Outcome(OK, (b"a", b"b", b"cd", b"after"))]


@pytest.mark.usefixtures("small_parts")
def test_no_snapshot_is_taken_while_something_is_kept_aside_and_one_right_after() -> None:
    """It would not hold the parts. Afterwards nobody needs them: they leave the log, whatever else is to stay there."""
    station = alone(snapshot_threshold_entries=4, trailing_entries=1000)
    index = station.node.raft.log.last_index + 1
    *before, last = all_steps([b"abcdefghi"], index)
    for step in before:
        ask(station, RestoreStep(step), Command(b"x"))
        assert station.saving == []
    ask(station, RestoreStep(last))
    replaced = station.node.applied_index
    assert station.save().index == replaced
    assert station.node.raft.log.base_index == replaced
    ask(station, *[Command(b"x")] * 4)
    station.save()
    assert station.node.raft.log.base_index == replaced


@pytest.mark.usefixtures("small_parts")
def test_a_restart_in_the_middle_goes_on_from_the_log() -> None:
    station = alone()
    *before, last = all_steps([b"abcdef"], station.node.raft.log.last_index + 2)
    ask(station, RestoreStep(b"junk"), *map(RestoreStep, before))
    station.node.stop()
    station.start()
    station.wait(station.deadline)
    while station.unsynced:
        station.sync()
    assert station.machine.commands == []
    assert ask(station, RestoreStep(last)) == [taken(station.node.applied_index)]
    assert station.machine.commands == [b"abcdef"]
