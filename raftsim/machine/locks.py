"""A lock service: a second machine, as small as one can be, and an example for your own.

Whoever acquires a lock holds it until releasing it: a machine has no clock, so nothing expires. Each time a lock
changes hands its token grows, so that who is told of the token can turn away an owner of before (a fencing token).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgpack

from raftsim.machine.base import InvalidRequest, Machine, Slices, at_once
from raftsim.machine.sessions import Sessions

MAX_LOCKS: Final = 100_000
MAX_NAME_CHARS: Final = 128

_HEADER: Final = ("locks", 1)  # and the format
_ROWS_IN_PART: Final = 1000


class Lock(NamedTuple):
    owner: str
    token: int  # the log index of the command that acquired it


def acquire_command(name: str, owner: str) -> bytes:
    return _pack(("acquire", name, owner))


def release_command(name: str, owner: str) -> bytes:
    return _pack(("release", name, owner))


def lock_service() -> Machine:
    """Locks, with sessions around them."""
    return Sessions(Locks())


class Locks:
    """A `Machine`.

    `apply` of an acquisition returns {"held": bool, "owner": whose it is now, "token": int}; who holds the lock already
    gets the same token again. Of a release: {"released": bool}, False if it was not the owner's. When there are
    MAX_LOCKS, no further one is given: {"held": False, "owner": None, "token": 0}.
    Queries: ("owner", name) -> {"owner": str or None, "token": int, "index": int} and
    ("list",) -> {"locks": [[name, owner, token], ...] by name, "index": int}, the index being that of the last change
    of any lock.
    """

    def __init__(self) -> None:
        self._locks: dict[str, Lock] = {}
        self._index = 0

    def check_command(self, data: bytes) -> None:
        _decode(data)

    def apply(self, index: int, data: bytes) -> dict[str, Any]:
        kind, name, owner = _decode(data)
        lock = self._locks.get(name)
        if kind == "release":
            released = lock is not None and lock.owner == owner
            if released:
                del self._locks[name]
                self._index = index
            return {"released": released}
        if lock is None:
            if len(self._locks) >= MAX_LOCKS:
                return {"held": False, "owner": None, "token": 0}
            lock = self._locks[name] = Lock(owner, token=index)
            self._index = index
        return {"held": lock.owner == owner, "owner": lock.owner, "token": lock.token}

    def query(self, query: tuple[Any, ...]) -> dict[str, Any]:
        match query:
            case ("owner", str(name)):
                lock = self._locks.get(name)
                owner, token = lock or (None, 0)
                return {"owner": owner, "token": token, "index": self._index}
            case ("list",):
                return {"locks": [list(row) for row in self._rows()], "index": self._index}
        raise InvalidRequest("unknown query")

    def snapshot(self) -> Iterator[bytes]:
        return _parts(self._index, list(self._rows()))  # the rows are a copy

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        self._index, self._locks = yield from _unpack(state)

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        """Every lock that is held changes hands: its token is `index`, higher than any before."""
        _, locks = at_once(_unpack(state))
        self._index, self._locks = index, {name: Lock(lock.owner, index) for name, lock in locks.items()}

    def _rows(self) -> Iterator[tuple[str, str, int]]:
        return ((name, *self._locks[name]) for name in sorted(self._locks))


def _parts(index: int, rows: list[tuple[str, str, int]]) -> Iterator[bytes]:
    yield _pack((*_HEADER, index, len(rows)))
    for begin in range(0, len(rows), _ROWS_IN_PART):
        yield b"".join(map(_pack, rows[begin : begin + _ROWS_IN_PART]))


def _unpack(state: Iterable[bytes]) -> Slices[tuple[int, dict[str, Lock]]]:
    """The last index and the locks, a slice for each part. Raises ValueError for what is no state."""
    objects = msgpack.Unpacker(use_list=False)
    plain: list[object] = []
    for part in state:
        objects.feed(part)
        try:
            plain.extend(objects)
        except (ValueError, msgpack.exceptions.UnpackException):
            raise ValueError("it is no state of the lock service") from None
        yield
    match plain:
        case [(kind, format, int(index), int(count)), *rows] if (kind, format) == _HEADER and count == len(rows):
            return index, {name: Lock(owner, token) for name, owner, token in map(_row, rows)}
    raise ValueError("it is no state of the lock service")


def _row(plain: object) -> tuple[str, str, int]:
    match plain:
        case (str(name), str(owner), int(token)):
            return name, owner, token
    raise ValueError("a row of it is no lock")


def _decode(data: bytes) -> tuple[str, str, str]:
    """The command in `data`. Raises InvalidRequest."""
    try:
        command = msgpack.unpackb(data, use_list=False)
    except (ValueError, msgpack.exceptions.UnpackException):
        raise InvalidRequest("not a command: not msgpack") from None
    match command:
        case ("acquire" | "release" as kind, str(name), str(owner)):
            if not (0 < len(name) <= MAX_NAME_CHARS and 0 < len(owner) <= MAX_NAME_CHARS):
                raise InvalidRequest(f"a lock and its owner have names of 1 to {MAX_NAME_CHARS} characters")
            return kind, name, owner
    raise InvalidRequest("not a command: neither acquire nor release")


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed
