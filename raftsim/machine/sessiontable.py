"""The sessions as records, and all of them as bytes: the part of a snapshot of `Sessions` that is its own.

MessagePack objects one after another: a header ("sessions", format, how many), then every session as a tuple of its
fields in the order of use, its results by number. The state of the machine inside follows. So equal states give equal
bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack

from raftsim.machine.base import Slices

MAX_NUMBER: Final = (1 << 63) - 1

_KIND: Final = "sessions"
_FORMAT: Final = 1
_PART_BYTES: Final = 1 << 20

Row = tuple[int, int, int, int, list[tuple[int, bytes]]]  # id, and the fields of a session


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is remembered. Part of what the log means: a cluster has one, for ever."""

    sessions: int = 1024
    results: int = 64  # remembered of one session
    result_bytes: int = 64 << 10  # of all those; the newest is remembered whatever its size


@dataclass(slots=True)
class Session:
    """What is remembered of one client."""

    opened_ns: int
    used: int  # log index of its last command
    forgotten: int = 0  # no result up to this number is known
    results: dict[int, bytes] = field(default_factory=dict)  # packed, by sequence number
    size: int = 0  # bytes of the results

    def last(self) -> int:
        """The highest number there was."""
        return max(self.results, default=self.forgotten)

    def row(self, id: int) -> Row:
        """A copy as plain data, nothing of which changes later: results are bytes."""
        return id, self.opened_ns, self.used, self.forgotten, list(self.results.items())

    def remember(self, sequence: int, result: bytes, limits: Limits) -> None:
        self.results[sequence] = result
        self.size += len(result)
        while len(self.results) > limits.results or (self.size > limits.result_bytes and len(self.results) > 1):
            following = self.forgotten + 1  # the lowest there is, if it has come
            self.forgotten = following if following in self.results else min(self.results)
            self.size -= len(self.results.pop(self.forgotten))


def is_number(value: object, lowest: int = 1) -> bool:
    """Whether this is a whole number as a session has them: an index, a sequence number, with `lowest` 0 a time."""
    return type(value) is int and lowest <= value <= MAX_NUMBER


def pack_table(table: list[Row]) -> Iterator[bytes]:
    """The table in parts of about a megabyte."""
    part = bytearray(msgpack.packb((_KIND, _FORMAT, len(table))))
    for id, opened_ns, used, forgotten, results in table:
        part += msgpack.packb((id, opened_ns, used, forgotten, sorted(results)))
        if len(part) >= _PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def pieces_of(state: Iterable[bytes]) -> Iterator[bytes]:
    """The state, however it was cut, in parts that the reader of the table takes one by one."""
    for part in state:
        for start in range(0, len(part), _PART_BYTES):
            yield part[start : start + _PART_BYTES]


def unpack_table(pieces: Iterator[bytes], limits: Limits) -> Slices[tuple[dict[int, Session], bytes]]:
    """The sessions, a slice for each, and what was taken of the rest.

    Raises ValueError for what `pack_table` cannot have given.
    """
    # Nothing of a table is longer than this: what bytes merely announce is not made room for.
    reader = _Reader(pieces, longest=max(limits.results, 16))
    match reader.next():
        case (kind, version, int(count)) if kind == _KIND and version == _FORMAT and 0 <= count <= limits.sessions:
            sessions: dict[int, Session] = {}
        case _:
            raise ValueError(f"not a state of {_KIND} in format {_FORMAT}, or of other limits")
    last_used = 0
    for _ in range(count):
        id, session = _session(reader.next())
        if session.used <= last_used or id in sessions:
            raise ValueError(f"sessions out of order: {id}")
        last_used = session.used
        sessions[id] = session
        yield
    return sessions, reader.rest()


class _Reader:
    """Objects out of pieces of bytes, of which as much is read as they need."""

    def __init__(self, pieces: Iterator[bytes], longest: int) -> None:
        self._pieces = pieces
        self._fed = 0
        self._unpacker = msgpack.Unpacker(
            use_list=False, max_array_len=longest, max_map_len=0, max_ext_len=0, max_str_len=longest
        )

    def next(self) -> Any:
        while True:
            try:
                return self._unpacker.unpack()
            except msgpack.OutOfData:
                piece = next(self._pieces, None)
            except (ValueError, msgpack.UnpackException) as error:
                raise ValueError(f"not a state of {_KIND}: {error or type(error).__name__}") from None
            if piece is None:
                raise ValueError(f"not a whole state of {_KIND}")
            self._fed += len(piece)
            self._unpacker.feed(piece)

    def rest(self) -> bytes:
        """What was taken of the pieces and is in no object. Asked for exactly: msgpack in Python refuses more."""
        return bytes(self._unpacker.read_bytes(self._fed - self._unpacker.tell()))


def _session(row: Any) -> tuple[int, Session]:
    match row:
        case (id, opened_ns, used, forgotten, tuple(pairs)) if is_number(id) and is_number(used) and id <= used:
            if is_number(opened_ns, 0) and is_number(forgotten, 0):
                return id, Session(opened_ns, used, forgotten, *_results(pairs, forgotten))
    raise ValueError("not a session")


def _results(pairs: tuple[Any, ...], last: int) -> tuple[dict[int, bytes], int]:
    results: dict[int, bytes] = {}
    for pair in pairs:
        match pair:
            case (sequence, bytes(result)) if is_number(sequence) and sequence > last and _is_packed(result):
                results[sequence] = result
                last = sequence
            case _:
                raise ValueError("not the results of a session")
    return results, sum(map(len, results.values()))


def _is_packed(data: bytes) -> bool:
    try:
        msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException):
        return False
    return True
