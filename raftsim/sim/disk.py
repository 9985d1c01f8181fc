"""The disk of a simulated server: records instead of bytes, one sync at a time.

Writes that arrive while a sync is running share the next one (group commit), as they do on the real disk. A crash
keeps every synced write and a random prefix of the others: the log is one file, written in order. Snapshots are saved
and read beside it. What a restart makes of log and snapshot together is the rule of the real disk: if the log holds
the last entry that the snapshot stands for, it is kept, else none of it can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Protocol

from raftsim.core.entry import Entry, Restored, SnapshotMeta
from raftsim.core.output import ChunkWanted, Write
from raftsim.sim.snapshots import SimSnapshots
from raftsim.sim.timeline import Timeline


@dataclass(frozen=True, slots=True)
class DiskModel:
    """How long one sync takes, which is how long it takes to read a part of a snapshot too, and how long it takes to
    save a snapshot: uniform between the two."""

    sync_min_s: float = 0.0001
    sync_max_s: float = 0.0005
    save_min_s: float = 0.001
    save_max_s: float = 0.01

    def __post_init__(self) -> None:
        for least, most in ((self.sync_min_s, self.sync_max_s), (self.save_min_s, self.save_max_s)):
            if not 0 <= least <= most:
                raise ValueError(f"times of a disk must be 0 <= min <= max, got {least} and {most}")


class Owner(Protocol):
    """Told what the disk has done; the first three are those of `Node`."""

    def synced(self, seq: int) -> None: ...

    def snapshot_saved(self, meta: SnapshotMeta) -> None: ...

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None: ...

    def snapshot_kept(self, meta: SnapshotMeta, digest: str) -> None:
        """This snapshot, saved or received, is durable."""


class SimDisk:
    """What outlives a crash, and the port of a server."""

    __slots__ = (
        "_bases",
        "_compacting",
        "_durable_seq",
        "_held",
        "_incarnation",
        "_owner",
        "_queued",
        "_rng",
        "_snapshots",
        "_syncing",
        "_timeline",
        "model",
    )

    def __init__(self, timeline: Timeline, model: DiskModel, rng: Random, held: Restored, owner: Owner) -> None:
        self.model = model
        self._timeline = timeline
        self._rng = rng
        self._held = held
        self._owner = owner
        self._snapshots = SimSnapshots()
        # Behind these the log may go on whatever it holds: the snapshot that was received last, and the one before it,
        # for writes that were under way when the last one came.
        self._bases: tuple[SnapshotMeta, ...] = ()
        self._syncing: list[Write] = []
        self._queued: list[Write] = []
        self._compacting = (0, 0)  # (seq, index): forget the log up to this index once this write is durable
        self._durable_seq = 0
        self._incarnation = 0

    def restored(self) -> Restored:
        """What a server that starts now finds."""
        held = self._held
        return Restored(held.hard, list(held.entries), held.base_index, held.base_term, held.snapshot, held.incarnation)

    # the port

    def submit(self, write: Write) -> None:
        self._queued.append(write)
        if not self._syncing:
            self._start_sync()

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        duration = self._draw(self.model.save_min_s, self.model.save_max_s)
        self._timeline.at(self._timeline.now + duration, self._end_save, (self._incarnation, meta, state))

    def read_chunk(self, wanted: ChunkWanted, max_bytes: int) -> None:
        duration = self._draw(self.model.sync_min_s, self.model.sync_max_s)
        self._timeline.at(self._timeline.now + duration, self._end_read, (self._incarnation, wanted, max_bytes))

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        return self._snapshots.load(meta)

    def compact(self, index: int) -> None:
        snapshot = self._snapshots.newest
        assert snapshot is not None, "nothing stands for what is to be forgotten"
        assert index <= snapshot.index, f"the log up to {index} is needed behind the snapshot at {snapshot.index}"
        pending = self._syncing + self._queued
        self._compacting = (pending[-1].seq if pending else self._durable_seq, index)
        self._compact()

    # the end of a life

    def crash(self) -> int:
        """The server is gone. Returns the seq of the last write that survives (0: none since it started)."""
        pending = self._syncing + self._queued
        return self._lose_power(pending[: self._rng.randint(0, len(pending))])

    def flush(self) -> int:
        """The server was stopped in good order: everything it wrote survives. Returns the last seq, as `crash`."""
        return self._lose_power(self._syncing + self._queued)

    def _lose_power(self, surviving: list[Write]) -> int:
        self._keep(surviving)
        last, self._durable_seq = self._durable_seq, 0
        self._syncing, self._queued = [], []
        self._compacting = (0, 0)
        self._incarnation += 1  # what was going on must not be told to the server's next life
        self._snapshots.forget_unfinished()
        snapshot = self._snapshots.newest
        if snapshot is not None:
            self._bases = (snapshot,)
            if not self._holds(snapshot):
                self._stand_on(snapshot)
            if self._held.hard.term < snapshot.term:
                self._held.hard = replace(
                    self._held.hard, term=snapshot.term, vote=None
                )  # its own snapshot overtook the write of that term
        return last

    # syncs, saves and reads come to their ends

    def _start_sync(self) -> None:
        self._syncing, self._queued = self._queued, []
        duration = self._draw(self.model.sync_min_s, self.model.sync_max_s)
        self._timeline.at(self._timeline.now + duration, self._end_sync, self._incarnation)

    def _end_sync(self, incarnation: int) -> None:
        if incarnation != self._incarnation:
            return
        self._keep(self._syncing)
        self._syncing = []
        if self._queued:
            self._start_sync()
        self._owner.synced(self._durable_seq)

    def _end_save(self, save: tuple[int, SnapshotMeta, Iterator[bytes]]) -> None:
        incarnation, meta, state = save
        if incarnation == self._incarnation:
            # Drawn only now: what was applied in the meantime must not show.
            whole = b"".join(state)
            self._snapshots.keep(meta, whole)
            self._tell_kept(meta, whole)
            self._owner.snapshot_saved(meta)

    def _end_read(self, read: tuple[int, ChunkWanted, int]) -> None:
        incarnation, wanted, max_bytes = read
        if incarnation == self._incarnation:
            self._owner.chunk_read(wanted, *self._snapshots.read(wanted.index, wanted.offset, max_bytes))

    def _tell_kept(self, meta: SnapshotMeta, state: bytes) -> None:
        self._held.snapshot = self._snapshots.newest
        self._owner.snapshot_kept(meta, blake2b(state, digest_size=16).hexdigest())

    def _draw(self, least: float, most: float) -> float:
        return least + (most - least) * self._rng.random()

    # what is held

    def _keep(self, writes: list[Write]) -> None:
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
