"""Snapshots of variables: what comes back is what was there, and what is no snapshot changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raftsim.machine.base import at_once
from raftsim.machine.variables import Variables, delete_command, put_command
from raftsim.machine.varstate import MAX_ITEMS_BYTES, Variable, pack_state

SPACES = st.sampled_from(["default", "a", "b"])
PATHS = st.sampled_from(["a", "a/b", "a/c", "b", "~"])
ITEMS = st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3)
COMMANDS = st.lists(
    st.builds(put_command, SPACES, PATHS, ITEMS, st.none(), st.integers(0, 2**63 - 1))
    | st.builds(delete_command, SPACES, PATHS, st.none()),
    max_size=20,
)
HEADER = ("variables", 1, 9, 2)
FIRST = ("a", "p", {"k": "v"}, 2, 100, 9, 200)
SECOND: tuple[Any, ...] = ("a", "q", {}, 3, 100, 3, 100)


def machine_after(commands: Iterable[bytes], start: Variables | None = None, index: int = 2) -> Variables:
    machine = start or Variables()
    for place, command in enumerate(commands, index):
        machine.apply(place, command)
    return machine


def restored(state: Iterable[bytes]) -> Variables:
    machine = Variables()
    at_once(machine.restore(state))
    return machine


def cut(state: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(min(place, len(state)) for place in places), len(state)]
    return [state[start:end] for start, end in itertools.pairwise(edges)]


def packed(*objects: object) -> bytes:
    return b"".join(msgpack.packb(plain) for plain in objects)


@given(COMMANDS, COMMANDS, COMMANDS, st.lists(st.integers(0, 600), max_size=8))
def test_what_comes_back_is_what_was_there(
    commands: list[bytes], before: list[bytes], after: list[bytes], places: list[int]
) -> None:
    machine = machine_after(commands)
    other = machine_after(before)  # all of this is replaced
    at_once(other.restore(cut(b"".join(machine.snapshot()), places)))
    for query in [("list", "*", ""), ("list", "a", "a/"), ("get", "default", "a")]:
        assert other.query(query) == machine.query(query)
    assert other.digest() == machine.digest()
    # and it goes on alike: no index is left out
    for index, command in enumerate(after, 100):
        assert other.apply(index, command) == machine.apply(index, command)
    assert other.query(("list", "*", "")) == machine.query(("list", "*", ""))
    assert other.digest() == machine.digest()


@given(COMMANDS, COMMANDS)
def test_equal_states_give_equal_bytes(commands: list[bytes], detour: list[bytes]) -> None:
    """However they came about: here, one machine came by way of its own snapshot and has built other tables."""
    direct = machine_after(detour, machine_after(commands), 100)
    around = machine_after(detour, restored(machine_after(commands).snapshot()), 100)
    assert list(around.snapshot()) == list(direct.snapshot())


def test_the_order_of_items_does_not_show() -> None:
    one, other = Variables(), Variables()
    one.apply(2, packed(("put", "a", "p", {"x": "1", "y": "2"}, None, 1)))
    other.apply(2, packed(("put", "a", "p", {"y": "2", "x": "1"}, None, 1)))
    assert list(one.snapshot()) == list(other.snapshot())


def large() -> Variables:
    """Some megabytes of state."""
    return machine_after(put_command("default", f"p/{n:03}", {"k": "x" * 50_000}, None, n) for n in range(80))


def test_parts_are_of_a_megabyte_or_so() -> None:
    parts = list(large().snapshot())
    assert [len(part) >> 20 for part in parts] == [1, 1, 1, 0]
    assert max(len(part) for part in parts) < (1 << 20) + MAX_ITEMS_BYTES + 1000
    assert restored([b"".join(parts)]).digest() == large().digest()


def test_applying_goes_on_while_parts_are_drawn() -> None:
    machine = large()
    expected = machine.digest()
    commands = [
        *(put_command("default", f"p/{n:03}", {"k": "changed"}, None, 1) for n in range(0, 80, 7)),
        *(delete_command("default", f"p/{n:03}", None) for n in range(1, 80, 7)),
        *(put_command("added", f"p/{n:03}", {}, None, 1) for n in range(20)),
    ]
    parts = []
    for part, batch in zip(machine.snapshot(), (commands[:10], commands[10:20], commands[20:], []), strict=True):
        parts.append(part)
        machine_after(batch, machine, 100 + 100 * len(parts))
    assert restored(parts).digest() == expected
    assert machine.digest() != expected


def test_parts_are_made_as_they_are_drawn() -> None:
    """The call only takes a view: nothing is packed by it, and one part at a time later."""
    packed_paths = []

    class Watched(dict[tuple[str, str], Variable]):
        def __getitem__(self, key: tuple[str, str]) -> Variable:
            packed_paths.append(key)
            return super().__getitem__(key)

    variable = Variable("a", "", {"k": "x" * 50_000}, 2, 1, 2, 1)
    paths = {"a": [f"p/{n:03}" for n in range(80)]}
    parts = pack_state(2, Watched({("a", path): variable for path in paths["a"]}), paths)
    assert packed_paths == []
    next(parts)
    assert 20 <= len(packed_paths) <= 22


def refuses(state: Iterable[bytes]) -> None:
    """It raises ValueError and nothing else, and keeps what it had."""
    machine = machine_after([put_command("default", "a", {"k": "v"}, None, 1)])
    before = machine.digest()
    with pytest.raises(ValueError, match=r"state|variable"):
        at_once(machine.restore(state))
    assert machine.digest() == before
    assert machine.query(("list", "*", ""))["variables"][0]["Path"] == "a"


def test_the_layout_is_the_format() -> None:
    state = packed(HEADER, FIRST, SECOND)
    assert b"".join(restored([state]).snapshot()) == state


@settings(max_examples=50)
@given(COMMANDS, st.data())
def test_a_state_that_lacks_its_end_is_none(commands: list[bytes], data: st.DataObject) -> None:
    state = b"".join(machine_after(commands).snapshot())
    end = data.draw(st.integers(0, len(state) - 1))
    refuses(cut(state[:end], data.draw(st.lists(st.integers(0, len(state)), max_size=3))))


@given(st.binary(max_size=200))
def test_garbage_is_no_state(garbage: bytes) -> None:
    refuses([garbage])
    refuses([packed(HEADER, FIRST), garbage])
    refuses([packed(HEADER, FIRST, SECOND), b"\x00", garbage])


@given(COMMANDS, st.data())
def test_a_damaged_state_raises_nothing_else(commands: list[bytes], data: st.DataObject) -> None:
    state = bytearray(b"".join(machine_after(commands).snapshot()))
    state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    machine = Variables()
    before = machine.digest()
    try:
        at_once(machine.restore([bytes(state)]))
    except ValueError:
        assert machine.digest() == before
        return
    # another state then, but one, with tables that fit
    assert restored(machine.snapshot()).digest() == machine.digest()
    listed = machine.query(("list", "*", ""))["variables"]
    assert all(machine.query(("get", found["Namespace"], found["Path"]))["variable"] for found in listed)


def replaced(plain: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*plain[:place], value, *plain[place + 1 :])


@pytest.mark.parametrize(
    "objects",
    [
        (),
        (FIRST, SECOND),
        (("counters", *HEADER[1:]), FIRST, SECOND),
        (replaced(HEADER, 1, 2), FIRST, SECOND),  # another format
        (replaced(HEADER, 2, 8), FIRST, SECOND),  # touched after the last index
        (replaced(HEADER, 2, 0),),
        (replaced(HEADER, 3, 1), FIRST, SECOND),
        (replaced(HEADER, 3, 3), FIRST, SECOND),
        (HEADER, SECOND, FIRST),
        (HEADER, FIRST, FIRST),
        (HEADER, FIRST, replaced(SECOND, 0, 1)),
        (HEADER, FIRST, replaced(SECOND, 1, None)),
        (HEADER, FIRST, replaced(SECOND, 2, [])),
        (HEADER, FIRST, replaced(SECOND, 2, {"k": 1})),
        (HEADER, FIRST, replaced(SECOND, 2, {1: "v"})),
        (HEADER, FIRST, replaced(SECOND, 3, 0)),
        (HEADER, FIRST, replaced(SECOND, 3, 4)),  # created after it was modified
        (HEADER, FIRST, replaced(SECOND, 5, value=True)),
        (HEADER, FIRST, replaced(SECOND, 4, -1)),
        (HEADER, FIRST, replaced(SECOND, 5, 10)),
        (HEADER, FIRST, replaced(SECOND, 6, 1.0)),
        (HEADER, FIRST, SECOND[:-1]),
        (HEADER, FIRST, (*SECOND, 0)),
        (HEADER, FIRST, list(SECOND), None),
        (HEADER, FIRST, replaced(SECOND, 2, {"k": "x" * (MAX_ITEMS_BYTES + 1)})),
    ],
)
def test_what_is_no_state(objects: tuple[object, ...]) -> None:
    refuses([packed(*objects)])


@pytest.mark.parametrize(
    "claim", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\x91" * 2000]
)
def test_what_is_merely_announced_costs_nothing(claim: bytes) -> None:
    refuses([packed(HEADER), claim])


def test_an_error_of_the_source_comes_through_and_keeps_the_state() -> None:
    def failing() -> Iterator[bytes]:
        yield packed(HEADER, FIRST)
        raise OSError("unreadable")

    machine = machine_after([put_command("default", "a", {"k": "v"}, None, 1)])
    before = machine.digest()
    with pytest.raises(OSError, match="unreadable"):
        at_once(machine.restore(failing()))
    assert machine.digest() == before
