"""The disk of a server in these tests: what was written to it, moved along by hand.

What a restart makes of log and snapshot together is the rule of the real disk: if the log holds the last entry that
the snapshot stands for, it is kept, else none of it can be trusted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from raftsim.core.entry import Entry, HardState, Restored, SnapshotMeta
from raftsim.core.output import Chunk, ChunkWanted, Write

KEPT = 2  # snapshots


class HandDisk:
    """`hard`, `entries` and the snapshots are durable; what is `unsynced` is lost with the power."""

    def __init__(self, hard: HardState, entries: Sequence[Entry]) -> None:
        self.hard = hard
        self.entries = list(entries)
        self.base_index = self.base_term = 0
        self.snapshots: list[tuple[SnapshotMeta, bytes]] = []  # by index
        self.unsynced: deque[Write] = deque()
        self._receiving: SnapshotMeta | None = None
        self._received = b""

    def restored(self) -> Restored:
        """What a server that starts now finds; what was on its way is gone."""
        self.unsynced.clear()
        self._receiving, self._received = None, b""
        if self.newest is not None and not self._holds(self.newest):
            self._stand_on(self.newest)
        return Restored(self.hard, list(self.entries), self.base_index, self.base_term, self.newest)

    @property
    def newest(self) -> SnapshotMeta | None:
        return self.snapshots[-1][0] if self.snapshots else None

    def keep_write(self) -> int:
        """The first write becomes durable. Returns its number."""
        write = self.unsynced.popleft()
        self.hard = write.hard or self.hard
        if write.entries:
            snapshot = self.newest
            if snapshot is not None and write.first_index == snapshot.index + 1 and not self._holds(snapshot):
                self._stand_on(snapshot)
            place = write.first_index - self.base_index - 1
            assert 0 <= place <= len(self.entries), "a gap on the disk"
            self.entries[place:] = write.entries
        if write.chunk is not None:
            self._receive(write.chunk)
        return write.seq

    def keep_snapshot(self, meta: SnapshotMeta, state: bytes) -> None:
        self.snapshots = sorted([*self.snapshots, (meta, state)], key=lambda kept: kept[0].index)[-KEPT:]

    def compact(self, index: int) -> None:
        assert self.newest is not None
        assert self.base_index <= index <= self.newest.index, "nothing stands for what is to be forgotten"
        term = self._term_at(index)
        if term is not None:  # else it is the index of a snapshot that was received, and the log is behind it
            del self.entries[: index - self.base_index]
            self.base_index, self.base_term = index, term

    def read(self, wanted: ChunkWanted, max_bytes: int) -> tuple[bytes | None, bool]:
        """The bytes, and whether they end the snapshot; None if it is not kept any more."""
        for meta, state in self.snapshots:
            if meta.index == wanted.index:
                return state[wanted.offset : wanted.offset + max_bytes], wanted.offset + max_bytes >= len(state)
        return None, False

    def _receive(self, chunk: Chunk) -> None:
        if chunk.offset == 0:
            self._receiving, self._received = chunk.meta, b""
        follows = (chunk.meta, chunk.offset) == (self._receiving, len(self._received))
        assert follows, f"a chunk that does not follow: {chunk}"
        self._received += chunk.data
        if chunk.last:
            self.keep_snapshot(chunk.meta, self._received)
            self._receiving, self._received = None, b""

    def _holds(self, snapshot: SnapshotMeta) -> bool:
        return self._term_at(snapshot.index) == snapshot.term

    def _stand_on(self, snapshot: SnapshotMeta) -> None:
        self.entries, self.base_index, self.base_term = [], snapshot.index, snapshot.term

    def _term_at(self, index: int) -> int | None:
        place = index - self.base_index
        if place == 0:
            return self.base_term
        return self.entries[place - 1].term if 0 < place <= len(self.entries) else None
