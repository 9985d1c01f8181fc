"""What every machine owes its server, asked of each one there is. A machine of your own can be added to the table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import msgpack
import msgpack.fallback
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.machine.autopilot import AutopilotConfig, WithAutopilot, set_command
from raftsim.machine.base import InvalidRequest, Machine, at_once
from raftsim.machine.locks import Locks, acquire_command, lock_service, release_command
from raftsim.machine.sessions import close_command, register_command, session_command
from raftsim.machine.standard import standard_machine
from raftsim.machine.variables import Variables, delete_command, put_command

Factory = Callable[[], Machine]

NAMES = st.sampled_from(["a", "b", "a/b", "~"])
TIMES = st.integers(0, 2**63 - 1)
VARIABLES = st.builds(
    put_command, NAMES.filter(str.isalpha), NAMES, st.dictionaries(NAMES, NAMES), st.none() | st.integers(0, 9), TIMES
) | st.builds(delete_command, NAMES.filter(str.isalpha), NAMES, st.none())
LOCKS = st.builds(acquire_command, NAMES, NAMES) | st.builds(release_command, NAMES, NAMES)


def in_sessions(commands: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    number = st.integers(1, 9)
    own = st.builds(register_command, TIMES) | st.builds(close_command, number)
    return own | commands | st.builds(session_command, number, number, commands)


def with_autopilot(commands: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    configs = st.builds(AutopilotConfig, st.integers(-9, 9), st.integers(-9, 9), st.booleans(), st.integers(0, 9))
    return commands | st.builds(set_command, configs, st.none() | st.integers(0, 9))


MACHINES: dict[str, tuple[Factory, st.SearchStrategy[bytes]]] = {
    "variables": (Variables, VARIABLES),
    "locks": (Locks, LOCKS),
    "variables in sessions": (standard_machine, in_sessions(VARIABLES)),
    "locks in sessions": (lock_service, in_sessions(LOCKS)),
    "variables in sessions, with an autopilot": (
        lambda: WithAutopilot(standard_machine()),
        with_autopilot(in_sessions(VARIABLES)),
    ),
}
each = pytest.mark.parametrize("name", MACHINES)


def played(name: str, commands: Iterable[bytes], machine: Machine | None = None, index: int = 1) -> tuple[Machine, Any]:
    machine = machine or MACHINES[name][0]()
    results = []
    for place, command in enumerate(commands, index):
        machine.check_command(command)
        results.append(machine.apply(place, command))
    return machine, results


def state(machine: Machine) -> bytes:
    return b"".join(machine.snapshot())


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@each
@given(data=st.data())
def test_the_same_commands_give_the_same_results_and_the_same_bytes(name: str, data: st.DataObject) -> None:
    commands = data.draw(st.lists(MACHINES[name][1], max_size=15))
    (one, first), (two, second) = played(name, commands), played(name, commands)
    assert first == second
    assert state(one) == state(two)
    assert msgpack.unpackb(msgpack.packb(first)) == first  # plain data, which a client can be sent


@each
@given(data=st.data())
def test_what_is_restored_goes_on_like_the_original(name: str, data: st.DataObject) -> None:
    lists = st.lists(MACHINES[name][1], max_size=15)
    machine, _ = played(name, data.draw(lists))
    other, _ = played(name, data.draw(lists))  # all of this is replaced
    at_once(other.restore(cut(state(machine), data.draw(st.lists(st.integers(0, 500), max_size=5)))))
    assert state(other) == state(machine)
    more = data.draw(lists)
    assert played(name, more, machine, 100)[1] == played(name, more, other, 100)[1]
    assert state(other) == state(machine)


@each
@given(data=st.data())
def test_a_restore_shows_nothing_before_its_last_slice(name: str, data: st.DataObject) -> None:
    """Given up before that, it leaves nothing behind."""
    lists = st.lists(MACHINES[name][1], min_size=1, max_size=15)
    machine, _ = played(name, data.draw(lists))
    before, after = state(machine), state(played(name, data.draw(lists))[0])
    parts = cut(after, data.draw(st.lists(st.integers(0, 500), max_size=5)))
    count, slices = 0, machine.restore(parts)
    for _ in slices:
        count += 1
        assert state(machine) == before
    assert state(machine) == after
    assert count > 0
    other, _ = played(name, data.draw(lists))
    before, slices = state(other), other.restore(parts)
    for _ in range(data.draw(st.integers(0, count))):
        next(slices)
    slices.close()
    assert state(other) == before


@each
@given(data=st.data())
def test_a_snapshot_shows_nothing_of_what_comes_after_it(name: str, data: st.DataObject) -> None:
    lists = st.lists(MACHINES[name][1], max_size=15)
    machine, _ = played(name, data.draw(lists))
    then, parts = state(machine), machine.snapshot()
    played(name, data.draw(lists), machine, 100)
    assert b"".join(parts) == then


@each
@given(data=st.data())
def test_what_is_no_state_changes_nothing(name: str, data: st.DataObject) -> None:
    machine, _ = played(name, data.draw(st.lists(MACHINES[name][1], min_size=1, max_size=15)))
    before = state(machine)
    damaged = before[:-1] if data.draw(st.booleans()) else data.draw(st.binary(max_size=40))
    with pytest.raises(ValueError, match=r"."):
        at_once(machine.restore([damaged]))
    assert state(machine) == before
    with pytest.raises(ValueError, match=r"."):
        machine.replace(100, [damaged])
    assert state(machine) == before


@each
@given(data=st.data())
def test_a_state_that_is_brought_back_is_the_same_whatever_it_replaces(name: str, data: st.DataObject) -> None:
    """It goes on at any index from there, and its snapshots can be read."""
    lists = st.lists(MACHINES[name][1], max_size=15)
    archive = state(played(name, data.draw(lists), index=data.draw(st.sampled_from([1, 10_000])))[0])
    one, _ = played(name, data.draw(lists))
    two, _ = played(name, data.draw(lists))
    for machine in (one, two):
        machine.replace(100, cut(archive, data.draw(st.lists(st.integers(0, 500), max_size=5))))
    assert state(one) == state(two)
    more = data.draw(lists)
    assert played(name, more, one, 101)[1] == played(name, more, two, 101)[1]
    at_once(two.restore([state(one)]))
    assert state(two) == state(one)


@each
@given(junk=st.binary(max_size=40))
def test_what_it_does_not_know_is_refused(name: str, junk: bytes) -> None:
    machine = MACHINES[name][0]()
    with pytest.raises(InvalidRequest):
        machine.check_command(junk)
    with pytest.raises(InvalidRequest):
        machine.query(("no", "such", "query", junk))


@each
def test_a_state_is_restored_where_msgpack_is_python_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no compiled msgpack is to be had; it answers otherwise when more is asked for than there is."""
    monkeypatch.setattr(msgpack, "Unpacker", msgpack.fallback.Unpacker)
    machine, _ = played(name, [register_command(1)] if "sessions" in name else [])
    found = MACHINES[name][0]()
    at_once(found.restore([state(machine)]))
    assert state(found) == state(machine)
    with pytest.raises(ValueError, match="state"):
        at_once(found.restore([state(machine)[:-1]]))
