"""What a frame says: the writes of one group commit, as MessagePack.

A write is (vote record or nil, first index, entries, base term or nil). With entries it first cuts the log to end
before the first index. Cutting and appending are one record, so no crash can part them (B45), nor a term from its
entries (B41). With a base term the log begins anew: everything before the first index is a snapshot's, whose last entry
has that term, and whatever the log held before is not part of it any more (B47).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgpack

from raftsim.core.entry import HardState, Restored, SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.output import Write
from raftsim.core.plain import entry_from_plain, entry_to_plain, hard_from_plain, hard_to_plain

_WRITE_OVERHEAD = 64  # bytes of a write beside its entries, and of an entry beside its data: near enough for a limit
_ENTRY_OVERHEAD = 16


class BadRecord(ValueError):
    """Whole and sound by its checksum, and yet nothing a server can have written."""


class NotCovered(Exception):
    """The log begins anew behind what no sound snapshot stands for."""


@dataclass(slots=True)
class Position:
    """Where the log stands between two writes.

    `bases`: (index, term) of snapshots that were received or found at the start. The log may have to begin anew behind
    one: behind the last, or behind the one before it while the server has not yet heard that the last is durable.
    """

    index: int = 0  # of the last entry
    term: int = 0  # of the last entry
    hard: HardState = field(default_factory=HardState)
    bases: tuple[tuple[int, int], ...] = field(default=(), compare=False)

    @classmethod
    def after(cls, restored: Restored) -> Position:
        entries = restored.entries
        term = entries[-1].term if entries else restored.base_term
        return cls(restored.base_index + len(entries), term, restored.hard)

    def offer(self, snapshot: SnapshotMeta) -> None:
        """From here on, the log may begin anew behind `snapshot`."""
        self.bases = (*self.bases[-1:], (snapshot.index, snapshot.term))

    def advance(self, write: Write) -> int | None:
        """Move past `write`. Returns its base term: a write right behind a base begins the log anew, unless that is
        where the log stands. That it continues the log is asserted here, before the write, and checked by `replay`.
        """
        base_term = None
        if write.entries:
            first = write.first_index
            for base in self.bases:
                if first == base[0] + 1 and base != (self.index, self.term):
                    self.index, self.term = base
                    base_term = self.term
            assert 1 <= first <= self.index + 1, f"a hole: {first} after {self.index}"
            assert first <= self.index or write.entries[0].term >= self.term, f"the term falls at {first}"
            self.index = first + len(write.entries) - 1
            self.term = write.entries[-1].term
        if write.hard is not None:
            self.hard = write.hard
        return base_term


def split(writes: Sequence[Write], max_bytes: int) -> Iterator[Sequence[Write]]:
    """`writes` in groups of about `max_bytes` at most, at least one write each, in order. A chunk ends its group."""
    start = total = 0
    for count, write in enumerate(writes):
        total += (size := _size(write))
        if count > start and (total > max_bytes or writes[count - 1].chunk is not None):
            yield writes[start:count]
            start, total = count, size
    if start < len(writes):
        yield writes[start:]


def encode(writes: Sequence[Write], position: Position) -> bytes | None:
    """The payload of a frame, and `position` is moved past it; None if there is nothing but chunks in it."""
    plain = []
    for write in writes:
        base_term = position.advance(write)
        if write.hard is not None or write.entries:
            hard = None if write.hard is None else hard_to_plain(write.hard)
            plain.append((hard, write.first_index, [entry_to_plain(entry) for entry in write.entries], base_term))
    return msgpack.packb(plain) if plain else None


def replay(payload: memoryview, restored: Restored) -> None:
    """Apply the writes in `payload`. Raises BadRecord or NotCovered, and then `restored` is of no use any more."""
    try:
        for hard, first_index, entries, base_term in msgpack.unpackb(payload, use_list=False):
            if hard is not None:
                restored.hard = hard_from_plain(hard)
            if entries:
                if base_term is not None:
                    begin_anew(restored, first_index - 1, base_term)
                _extend(restored, first_index, entries)
    except (ValueError, TypeError, ProtocolViolation) as error:
        raise BadRecord(str(error)) from None


def begin_anew(restored: Restored, index: int, term: int) -> None:
    """The log up to `index` is a snapshot's. Raises NotCovered when there is none that reaches so far."""
    if restored.snapshot is None or restored.snapshot.index < index:
        raise NotCovered(f"no sound snapshot stands for the log up to index {index}")
    restored.entries.clear()
    restored.base_index, restored.base_term = index, term


def _extend(restored: Restored, first_index: int, plains: tuple[object, ...]) -> None:
    last = restored.base_index + len(restored.entries)
    if not 1 <= first_index <= last + 1:
        raise BadRecord(f"a hole in the log: index {first_index} after {last}")
    if first_index <= restored.base_index:  # what it continues went with a segment that was removed
        begin_anew(restored, first_index, entry_from_plain(plains[0]).term)
        first_index, plains = first_index + 1, plains[1:]
    log = restored.entries
    del log[first_index - restored.base_index - 1 :]
    term = log[-1].term if log else restored.base_term
    for index, plain in enumerate(plains, first_index):
        entry = entry_from_plain(plain)
        if entry.term < term:
            raise BadRecord(f"the term falls from {term} to {entry.term} at index {index}")
        term = entry.term
        log.append(entry)


def _size(write: Write) -> int:
    return _WRITE_OVERHEAD + sum(entry.size + _ENTRY_OVERHEAD for entry in write.entries)
