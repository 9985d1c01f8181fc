"""Exactly-once application: whatever is sent again or arrives in another order is applied once and answered alike.

The judge of a run knows the rules, not the table: it follows what was applied and answered. Bugs are planted to show
that it would notice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftsim.machine.base import InvalidRequest, Slices, at_once
from raftsim.machine.sessions import (
    FORGOTTEN,
    OK,
    UNKNOWN_SESSION,
    Sessions,
    close_command,
    register_command,
    session_command,
)
from raftsim.machine.sessiontable import Limits, Session
from raftsim.machine.variables import Variables, put_command

FEW = Limits(sessions=3, results=4)
Make = Callable[[], Sessions]


class Recorder:
    """A machine that answers with the number of the command, so that no two applications answer alike."""

    def __init__(self) -> None:
        self.applied: list[bytes] = []

    def check_command(self, data: bytes) -> None:
        if data == b"bad":
            raise InvalidRequest("bad")

    def apply(self, index: int, data: bytes) -> Any:
        self.applied.append(data)
        return {"number": len(self.applied), "index": index}

    def snapshot(self) -> Iterator[bytes]:
        return iter([msgpack.packb(list(self.applied))])

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        whole = b"".join(state)
        yield
        self.applied = msgpack.unpackb(whole)

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        del index
        at_once(self.restore(state))

    def query(self, query: tuple[Any, ...]) -> Any:
        return len(self.applied), query


def recorded(limits: Limits = FEW) -> Sessions:
    return Sessions(Recorder(), limits)


# A step of a run: what a client sends. Sessions are named by the order of their opening, which the run turns into ids.
OPEN, SEND, CLOSE, PLAIN, RESTORE = "open", "send", "close", "plain", "restore"
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.just(SEND), st.integers(0, 5), st.integers(1, 9))
    | st.tuples(st.sampled_from([OPEN, CLOSE, PLAIN, RESTORE]), st.integers(0, 5), st.just(0)),
    max_size=80,
)


def random_steps(random: Random) -> list[Step]:
    kinds = random.choices([OPEN, SEND, CLOSE, PLAIN, RESTORE], [4, 30, 1, 1, 2], k=80)
    return [(kind, random.randrange(6), random.randint(1, 9)) for kind in kinds]


class Judge:
    """Follows a run and asserts what must hold of every answer."""

    def __init__(self) -> None:
        self.recent: list[int] = []  # ids of the sessions there must be, the last used at the end
        self.first: dict[tuple[int, int], Any] = {}  # (session, sequence) -> its first result

    def opened(self, id: int) -> None:
        self.recent = [*self.recent[-(FEW.sessions - 1) :], id]

    def closed(self, id: int, answer: Any) -> None:
        assert (answer["outcome"] == OK) == (id in self.recent)
        self.recent = [other for other in self.recent if other != id]

    def answered(self, id: int, sequence: int, answer: Any, *, is_new: bool) -> None:
        """`is_new`: the machine inside was asked."""
        if id not in self.recent:
            assert answer.get("reason") == UNKNOWN_SESSION
            return
        self.recent.remove(id)
        self.recent.append(id)
        if answer["outcome"] != OK:
            assert answer["reason"] == FORGOTTEN
            assert len([1 for other, number in self.first if other == id and number > sequence]) >= FEW.results
            return
        assert is_new == ((id, sequence) not in self.first), "applied twice, or answered without"
        assert answer["value"] == self.first.setdefault((id, sequence), answer["value"])


def play(make: Make, steps: Iterable[Step]) -> None:
    """Two servers apply the same log; one is replaced by what its snapshot holds now and then."""
    judge = Judge()
    servers = [make(), make()]
    ids: list[int] = []
    index = 1
    for kind, which, sequence in steps:
        if kind == RESTORE:
            fresh = make()
            at_once(fresh.restore(servers[0].snapshot()))
            servers[0] = fresh
            continue
        index += 1
        id = ids[which] if which < len(ids) else 10_000 + which
        data = {
            OPEN: register_command(index),
            SEND: session_command(id, sequence, f"{id} {sequence}".encode()),
            CLOSE: close_command(id),
            PLAIN: b"plain",
        }[kind]
        before = servers[1].query(())[0]
        answers = [server.apply(index, data) for server in servers]
        asked = servers[1].query(())[0] - before
        assert answers[0] == answers[1], "two servers answer differently"
        match kind:
            case "open":
                assert answers[0] == {"outcome": OK, "value": index}
                judge.opened(index)
                ids = [index, *ids][:6]
            case "close":
                judge.closed(id, answers[0])
            case "send":
                judge.answered(id, sequence, answers[0], is_new=asked == 1)
                assert answers[0]["outcome"] == OK or asked == 0
            case "plain":
                assert asked == 1
    assert b"".join(servers[0].snapshot()) == b"".join(servers[1].snapshot())


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_once_and_the_same_answer_each_time(steps: list[Step]) -> None:
    play(recorded, steps)


def test_once_in_long_runs() -> None:
    for seed in range(300):
        play(recorded, random_steps(Random(seed)))


class AppliesAgain(Sessions):
    """Answers retries by applying the command once more."""

    def _apply_once(self, index: int, id: int, sequence: int, command: bytes) -> dict[str, Any]:
        session = self._sessions.get(id)
        if session:
            session.results.pop(sequence, None)
        return super()._apply_once(index, id, sequence, command)


class NoTableInSnapshot(Sessions):
    def snapshot(self) -> Iterator[bytes]:
        return Sessions(self._machine, FEW).snapshot()


class NoResultsInSnapshot(Sessions):
    def snapshot(self) -> Iterator[bytes]:
        bare = Sessions(self._machine, FEW)
        bare._sessions = {id: Session(old.opened_ns, old.used, old.forgotten) for id, old in self._sessions.items()}
        return bare.snapshot()


class ExpiryByClock(Sessions):
    """Closes what has not been used for a while on a clock of its own, as each server has."""

    clocks = itertools.cycle([3, 5])

    def __init__(self) -> None:
        super().__init__(Recorder(), FEW)
        self.patience = next(self.clocks)  # one server is slower than the other

    def apply(self, index: int, data: bytes) -> Any:
        for id in [id for id, session in self._sessions.items() if session.used + self.patience < index]:
            del self._sessions[id]
        return super().apply(index, data)


class OldestExpires(Sessions):
    """The first opened goes first, however recently it was used."""

    def _register(self, index: int, time_ns: int) -> dict[str, Any]:
        self._sessions = dict(sorted(self._sessions.items()))
        return super()._register(index, time_ns)


class OrderLostInSnapshot(Sessions):
    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        yield from super().restore(state)
        self._sessions = dict(sorted(self._sessions.items()))


class OnlyUpwards(Sessions):
    """Takes what was overtaken for old, though it was never applied."""

    def _apply_once(self, index: int, id: int, sequence: int, command: bytes) -> dict[str, Any]:
        session = self._sessions.get(id)
        if session and sequence < session.last() and sequence not in session.results:
            return {"outcome": "refused", "reason": FORGOTTEN}
        return super()._apply_once(index, id, sequence, command)


class ForgetsWithoutATrace(Sessions):
    """What was forgotten counts as new."""

    def _apply_once(self, index: int, id: int, sequence: int, command: bytes) -> dict[str, Any]:
        answer = super()._apply_once(index, id, sequence, command)
        if id in self._sessions:
            self._sessions[id].forgotten = 0
        return answer


@pytest.mark.parametrize(
    "make",
    [
        lambda: AppliesAgain(Recorder(), FEW),
        lambda: NoTableInSnapshot(Recorder(), FEW),
        lambda: NoResultsInSnapshot(Recorder(), FEW),
        ExpiryByClock,
        lambda: OldestExpires(Recorder(), FEW),
        lambda: OrderLostInSnapshot(Recorder(), FEW),
        lambda: OnlyUpwards(Recorder(), FEW),
        lambda: ForgetsWithoutATrace(Recorder(), FEW),
    ],
    ids=[
        "applies again",
        "table not in the snapshot",
        "results not in the snapshot",
        "expiry by clock",
        "oldest expires",
        "order not in the snapshot",
        "only upwards",
        "forgets without a trace",
    ],
)
def test_a_planted_bug_is_caught(make: Make) -> None:
    caught = 0
    for seed in range(100):
        try:
            play(make, random_steps(Random(seed)))
        except (AssertionError, ValueError):  # or its own snapshot is none
            caught += 1
    assert caught >= 5


def test_results_are_bounded_in_bytes_but_the_newest_is_kept() -> None:
    machine = Sessions(Variables(), Limits(result_bytes=1000))
    id = machine.apply(2, register_command(1))["value"]
    answers = {}
    for sequence in range(1, 6):
        put = put_command("default", f"p/{sequence}", {"k": "x" * 2000}, None, 1)
        answers[sequence] = machine.apply(2 + sequence, session_command(id, sequence, put))
        assert machine.apply(100, session_command(id, sequence, put)) == answers[sequence]
    assert machine.apply(101, session_command(id, 4, put_command("default", "p", {}, None, 1)))["reason"] == FORGOTTEN
    assert len(b"".join(machine.snapshot())) - len(b"".join(Sessions(machine._machine).snapshot())) < 2500


def test_the_first_answer_is_what_the_machine_returned() -> None:
    plain, wrapped = Variables(), Sessions(Variables())
    put = put_command("default", "a", {"b": "1", "a": "2"}, None, 7)
    id = wrapped.apply(2, register_command(1))["value"]
    assert wrapped.apply(3, session_command(id, 1, put)) == {"outcome": OK, "value": plain.apply(3, put)}
    assert wrapped.query(("get", "default", "a")) == plain.query(("get", "default", "a"))


def test_an_answer_shares_nothing_with_the_table() -> None:
    machine = recorded()
    id = machine.apply(2, register_command(1))["value"]
    machine.apply(3, session_command(id, 1, b"x"))["value"]["number"] = 99
    assert machine.apply(4, session_command(id, 1, b"x"))["value"]["number"] == 1


def test_what_a_session_says_of_itself() -> None:
    machine = recorded()
    assert machine.query(("session", 2)) is None
    machine.apply(2, register_command(77))
    assert machine.query(("session", 2)) == {"opened_ns": 77, "used": 2, "last": 0}
    machine.apply(3, session_command(2, 5, b"x"))
    machine.apply(4, session_command(2, 4, b"x"))
    assert machine.query(("session", 2)) == {"opened_ns": 77, "used": 4, "last": 5}
    assert machine.apply(5, close_command(2)) == {"outcome": OK, "value": None}
    assert machine.query(("session", 2)) is None


@pytest.mark.parametrize(
    "data",
    [
        b"bad",
        session_command(2, 1, b"bad"),
        session_command(0, 1, b"x"),
        session_command(2, 0, b"x"),
        session_command(2, 1, close_command(2)),
        register_command(-1),
        close_command(0),
        b"\xc1",
        b"\xc1\xc0",
        b"\xc1" + msgpack.packb((3, 1)),
        b"\xc1" + msgpack.packb((1, 2, True, b"x")),
        b"\xc1" + msgpack.packb((2, 1)) + b"\x00",
    ],
)
def test_what_cannot_be_applied_is_refused_before(data: bytes) -> None:
    with pytest.raises(InvalidRequest):
        recorded().check_command(data)


@given(st.binary(max_size=40))
def test_what_is_checked_can_be_applied(garbage: bytes) -> None:
    machine = recorded()
    for data in (garbage, b"\xc1" + garbage):
        try:
            machine.check_command(data)
        except InvalidRequest:
            continue
        machine.apply(5, data)


def busy() -> Sessions:
    machine = recorded()
    for index, (kind, _, sequence) in enumerate(random_steps(Random(1)), 2):
        id = max(machine._sessions, default=0)
        machine.apply(index, register_command(index) if kind == OPEN else session_command(id or 1, sequence, b"x"))
    return machine


@given(st.lists(st.integers(0, 400), max_size=8))
def test_a_snapshot_may_be_cut_anyhow(places: list[int]) -> None:
    state = b"".join(busy().snapshot())
    edges = [0, *sorted(min(place, len(state)) for place in places), len(state)]
    machine = recorded()
    at_once(machine.restore(state[start:end] for start, end in itertools.pairwise(edges)))
    assert b"".join(machine.snapshot()) == state


def test_applying_goes_on_while_parts_are_drawn() -> None:
    machine = busy()
    before = b"".join(machine.snapshot())
    parts = machine.snapshot()
    for index in range(200, 220):
        machine.apply(index, register_command(1))
        machine.apply(index, session_command(index, 1, b"x"))
    # The recorder inside gives its one part at the call; the table is packed only now.
    assert b"".join(parts) == before


HEADER = ("sessions", 1, 1)
ROW = (2, 1, 9, 3, ((4, b"\xc0"), (5, b"\x01")))
INSIDE = msgpack.packb([])


def test_the_layout_is_the_format() -> None:
    state = msgpack.packb(HEADER) + msgpack.packb(ROW) + INSIDE
    machine = recorded()
    at_once(machine.restore([state]))
    assert b"".join(machine.snapshot()) == state
    assert machine.apply(10, session_command(2, 5, b"x"))["value"] == 1


@pytest.mark.parametrize(
    "objects",
    [
        (),
        (HEADER,),
        (("variables", 1, 1), ROW),
        (("sessions", 2, 1), ROW),
        (("sessions", 1, 9), ROW),
        (("sessions", 1, 2), ROW, ROW),
        (("sessions", 1, 2), ROW, (3, *ROW[1:])),  # used at the same index
        (HEADER, (0, *ROW[1:])),
        (HEADER, (10, *ROW[1:])),  # used before it was opened
        (HEADER, (*ROW[:3], 4, ROW[4])),  # forgotten and remembered
        (HEADER, (*ROW[:4], ROW[4][::-1])),
        (HEADER, (*ROW[:4], ((4, b"\xc1"),))),
        (HEADER, (*ROW[:4], ((4, "text"),))),
        (HEADER, ROW[:4]),
        (HEADER, {}),
    ],
)
def test_what_is_no_state_changes_nothing(objects: tuple[Any, ...]) -> None:
    machine = busy()
    before = b"".join(machine.snapshot())
    with pytest.raises(ValueError, match=r"state|session"):
        at_once(machine.restore([*map(msgpack.packb, objects), INSIDE] if objects else []))
    assert b"".join(machine.snapshot()) == before


@pytest.mark.parametrize("claim", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff"])
def test_what_is_merely_announced_costs_nothing(claim: bytes) -> None:
    with pytest.raises(ValueError, match="state"):
        at_once(recorded().restore([msgpack.packb(HEADER), claim]))
