"""What a simulated disk holds, as records: quick, and the same rules as the real log in fewer words.

A crash keeps every synced write and a random prefix of the others: the log is one file, written in order. What a
restart makes of log and snapshot together is the rule of the real disk: if the log holds the last entry that the
snapshot stands for, it is kept, else none of it can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from raftsim.core.entry import Entry, Restored, SnapshotMeta
from raftsim.core.output import Write
from raftsim.sim.snapshots import SimSnapshots
from raftsim.sim.store import Kept, UnderWay


class RecordStore:
    """Implements `Store`. `held` is what the disk holds at first."""

    __slots__ = ("_bases", "_compacting", "_durable_seq", "_held", "_kept", "_rng", "_snapshots")

    def __init__(self, held: Restored, rng: Random, kept: Kept) -> None:
        self._held = held
        self._rng = rng
        self._kept = kept
        self._snapshots = SimSnapshots()
        # Behind these the log may go on whatever it holds: the snapshot that was received last, and the one before it,
        # for writes that were under way when the last one came.
        self._bases: tuple[SnapshotMeta, ...] = ()
        self._compacting = (0, 0)  # (seq, index): forget the log up to this index once this write is durable
        self._durable_seq = 0

    def look(self) -> Restored:
        held = self._held
        return Restored(held.hard, list(held.entries), held.base_index, held.base_term, held.snapshot, held.incarnation)

    def start(self) -> Restored:
        return self.look()

    def append(self, writes: Sequence[Write]) -> None:
        held = self._held
        for write in writes:
            assert write.seq > self._durable_seq, f"write {write.seq} after {self._durable_seq}"
            self._durable_seq = write.seq
            held.hard = write.hard or held.hard
            if write.entries:
                self._append(write.first_index, write.entries)
            if write.chunk is not None:
                state = self._snapshots.receive(write.chunk)
                if state is not None:
                    self._bases = (*self._bases[-1:], write.chunk.meta)
                    self._tell_kept(write.chunk.meta, state)
        if self._compacting[1]:
            self._compact()

    def save(self, meta: SnapshotMeta, state: bytes) -> None:
        self._snapshots.keep(meta, state)
        self._tell_kept(meta, state)

    def read(self, index: int, offset: int, max_bytes: int) -> tuple[bytes | None, bool]:
        return self._snapshots.read(index, offset, max_bytes)

    def load(self, meta: SnapshotMeta) -> Iterator[bytes]:
        return self._snapshots.load(meta)

    def compact(self, index: int, last_seq: int) -> None:
        snapshot = self._snapshots.newest
        assert snapshot is not None, "nothing stands for what is to be forgotten"
        assert index <= snapshot.index, f"the log up to {index} is needed behind the snapshot at {snapshot.index}"
        self._compacting = (last_seq, index)
        self._compact()

    # the end of a life

    def crash(self, under_way: UnderWay) -> int:
        pending = [*under_way.syncing, *under_way.queued]
        return self._end(pending[: self._rng.randint(0, len(pending))])

    def kill(self, under_way: UnderWay) -> int:
        return self.crash(under_way)

    def flush(self, under_way: UnderWay) -> int:
        return self._end([*under_way.syncing, *under_way.queued])

    def _end(self, surviving: list[Write]) -> int:
        self.append(surviving)
        last, self._durable_seq = self._durable_seq, 0
        self._compacting = (0, 0)
        self._snapshots.forget_unfinished()
        snapshot = self._snapshots.newest
        if snapshot is not None:
            self._bases = (snapshot,)
            if not self._holds(snapshot):
                self._stand_on(snapshot)
            if self._held.hard.term < snapshot.term:
                # Its own snapshot overtook the write of that term.
                self._held.hard = replace(self._held.hard, term=snapshot.term, vote=None)
        return last

    # what is held

    def _tell_kept(self, meta: SnapshotMeta, state: bytes) -> None:
        self._held.snapshot = self._snapshots.newest
        self._kept(meta, state)

    def _append(self, first_index: int, entries: list[Entry]) -> None:
        held = self._held
        for base in self._bases:
            if first_index == base.index + 1 and not self._holds(base):
                self._stand_on(base)
        place = first_index - held.base_index - 1
        assert 0 <= place <= len(held.entries), f"a gap before index {first_index}"
        held.entries[place:] = entries

    def _compact(self) -> None:
        seq, index = self._compacting
        if seq > self._durable_seq:
            return  # a write that is on its way may still change what comes before the index
        self._compacting = (0, 0)
        held = self._held
        term = self._term_at(index)
        if term is not None:
            del held.entries[: index - held.base_index]
            held.base_index, held.base_term = index, term

    def _holds(self, snapshot: SnapshotMeta) -> bool:
        return self._term_at(snapshot.index) == snapshot.term

    def _stand_on(self, snapshot: SnapshotMeta) -> None:
        held = self._held
        held.entries = []
        held.base_index, held.base_term = snapshot.index, snapshot.term

    def _term_at(self, index: int) -> int | None:
        held = self._held
        place = index - held.base_index
        if place == 0:
            return held.base_term
        return held.entries[place - 1].term if 0 < place <= len(held.entries) else None
