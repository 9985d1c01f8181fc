"""What operations mean: each is reduced to what it found in the state and what it made of it.

Every operation here is of one form, `Effect`: the values it found at keys, those it did not find, and the one it set.
An operation without an answer may have happened; a check-and-set that found something else changed nothing, which is
the same as not having happened, so an open one is simply one that may have succeeded.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any, Final, NamedTuple, Protocol

from raftsim.check.clients.operation import Operation

Value = Hashable  # None: nothing is there
Fact = tuple[Any, Value]  # at this key, this value


class _Some:
    def __repr__(self) -> str:
        return "something"


SOME: Final = _Some()  # in a list: the key was there, its value was not told


class Effect(NamedTuple):
    """It happened in a state in which all of `finds` and none of `misses` held; from then on `sets` did."""

    finds: tuple[Fact, ...] = ()
    misses: tuple[Fact, ...] = ()
    sets: Fact | None = None


class Model(Protocol):
    """`initial` is what every key holds at first."""

    initial: Value

    def effect(self, operation: Operation, keys: Collection[str]) -> Effect:
        """What `operation` found and set; `keys` are all there are. Raises ValueError for what it does not know."""
        ...

    def keys(self, operation: Operation) -> Collection[str]:
        """The keys that the operation names."""
        ...


class Register:
    """A register at each key: `read` -> value, `write` value, `cas` (expected, new) -> whether it was done."""

    def __init__(self, initial: Value = None) -> None:
        self.initial = initial

    def effect(self, operation: Operation, _: Collection[str]) -> Effect:
        match operation.function:
            case "read":
                return _read(operation)
            case "write":
                return Effect(sets=(operation.key, operation.argument))
            case "cas":
                return _cas(operation)
        raise _unknown(operation, "register")

    def keys(self, operation: Operation) -> Collection[str]:
        return (operation.key,)


class Map:
    """A map from keys to values, of which None says that the key is absent.

    `get` -> value, `put` value, `cas` (expected, new) -> whether it was done (None on either side: absent), `delete`,
    and `list`, whose `key` is a prefix -> {key: value or SOME} of all keys that begin so.
    """

    initial: Value = None

    def effect(self, operation: Operation, keys: Collection[str]) -> Effect:
        match operation.function:
            case "get":
                return _read(operation)
            case "put":
                return Effect(sets=(operation.key, operation.argument))
            case "cas":
                return _cas(operation)
            case "delete":
                return Effect(sets=(operation.key, None))
            case "list":
                return _list(operation, keys)
        raise _unknown(operation, "map")

    def keys(self, operation: Operation) -> Collection[str]:
        if operation.function != "list":
            return (operation.key,)
        return () if operation.returned is None else tuple(operation.output)


def _read(operation: Operation) -> Effect:
    return Effect() if operation.returned is None else Effect(finds=((operation.key, operation.output),))


def _cas(operation: Operation) -> Effect:
    expected, new = operation.argument
    found = ((operation.key, expected),)
    if operation.returned is None or operation.output:
        return Effect(finds=found, sets=(operation.key, new))
    return Effect(misses=found)


def _list(operation: Operation, keys: Collection[str]) -> Effect:
    if operation.returned is None:
        return Effect()
    listed = operation.output
    found = [(key, listed.get(key)) for key in sorted(keys) if key.startswith(operation.key)]
    finds = [fact for fact in found if fact[1] is not SOME]
    # What does not begin with the prefix has no place in the answer: no key ever holds SOME, so this cannot be.
    finds += [(key, SOME) for key in sorted(listed) if not key.startswith(operation.key)]
    misses = [(key, None) for key, value in found if value is SOME]
    return Effect(tuple(finds), tuple(misses))


def _unknown(operation: Operation, model: str) -> ValueError:
    return ValueError(f"a {model} has no function {operation.function!r}")
