"""The lock service: one owner at a time, and tokens that only grow."""

from __future__ import annotations

import msgpack
import pytest

from raftsim.machine import locks
from raftsim.machine.base import InvalidRequest, at_once
from raftsim.machine.locks import Locks, acquire_command, release_command


def test_a_lock_has_one_owner_until_it_is_released() -> None:
    machine = Locks()
    assert machine.apply(5, acquire_command("door", "ann")) == {"held": True, "owner": "ann", "token": 5}
    assert machine.apply(6, acquire_command("door", "bob")) == {"held": False, "owner": "ann", "token": 5}
    assert machine.apply(7, acquire_command("door", "ann")) == {"held": True, "owner": "ann", "token": 5}
    assert machine.apply(8, release_command("door", "bob")) == {"released": False}
    assert machine.query(("owner", "door")) == {"owner": "ann", "token": 5, "index": 5}
    assert machine.apply(9, release_command("door", "ann")) == {"released": True}
    assert machine.query(("owner", "door")) == {"owner": None, "token": 0, "index": 9}
    assert machine.apply(10, acquire_command("door", "bob")) == {"held": True, "owner": "bob", "token": 10}


def test_all_locks_are_listed_by_name() -> None:
    machine = Locks()
    machine.apply(1, acquire_command("b", "ann"))
    machine.apply(2, acquire_command("a", "bob"))
    assert machine.query(("list",)) == {"locks": [["a", "bob", 2], ["b", "ann", 1]], "index": 2}


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "MAX_LOCKS", 1)
    machine = Locks()
    machine.apply(1, acquire_command("a", "ann"))
    assert machine.apply(2, acquire_command("b", "bob")) == {"held": False, "owner": None, "token": 0}
    assert machine.apply(3, acquire_command("a", "bob")) == {"held": False, "owner": "ann", "token": 1}


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_names_have_a_length(name: str) -> None:
    for command in (acquire_command(name, "ann"), acquire_command("door", name)):
        with pytest.raises(InvalidRequest, match="names of 1 to 128 characters"):
            Locks().check_command(command)


@pytest.mark.parametrize(
    "state",
    [
        (("locks", 1, 5, 1), ("door", "ann")),
        (("locks", 1, 5, 1), ("door", "ann", "5")),
        (("locks", 1, 5, 2), ("door", "ann", 5)),
        (("locks", 2, 5, 0),),
        (("variables", 1, 5, 0),),
    ],
)
def test_what_is_no_state_of_it(state: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"no (state|lock)"):
        at_once(Locks().restore(map(msgpack.packb, state)))


def test_bytes_that_are_no_msgpack_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="no state of the lock service"):
        at_once(Locks().restore([b"\xc1"]))
