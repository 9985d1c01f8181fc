"""What a simulated disk holds, as bytes: the real write-ahead log and snapshots, over simulated files.

A crash in the middle of a write is that write, done until the power goes out at some byte; what was not synced is then
lost, torn or kept, page by page. Which writes survived is what the real recovery makes of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import copy
from random import Random
from typing import Final, Literal

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.output import Write
from raftsim.sim.files import PowerCut, SimFiles
from raftsim.sim.store import Kept, UnderWay
from raftsim.storage.datadir import SNAPSHOTS, WAL, open_wal
from raftsim.storage.errors import StorageError, explained
from raftsim.storage.identity import Identity
from raftsim.storage.records import Position
from raftsim.storage.recovery import Found, look
from raftsim.storage.snapshots import Snapshots
from raftsim.storage.wal import Wal, WalSettings

# Small, so that short runs fill segments, remove some and split what is large.
SETTINGS: Final = WalSettings(segment_bytes=2048, frame_bytes=512)
BLOCK_BYTES: Final = 64
CLUSTER: Final = "sim"

Fate = Literal["any", "best", "worst"]


class ByteStore:
    """Implements `Store`. `name` begins the paths in messages; `held` is what the disk holds at first.

    `files` can be made to fail. `fate`: what a power cut leaves of that which was not synced: anything, all or nothing.
    """

    def __init__(self, name: str, held: Restored, rng: Random, kept: Kept) -> None:
        self.files = SimFiles()
        self.fate: Fate = "any"
        self._raft = self.files.directory(f"{name}/raft")
        self._wal_files = self.files.directory(f"{name}/raft/{WAL}")
        self._snapshot_files = self.files.directory(f"{name}/raft/{SNAPSHOTS}")
        self._whose = Identity(CLUSTER, name, held.incarnation)
        self._rng = rng
        self._kept = kept
        self._told: SnapshotMeta | None = None  # the newest snapshot that was told to be durable
        self._durable_seq = 0
        self._position = Position()  # where the log stood after that write
        self._wal = self._open()
        if held.entries:
            self._wal.append([Write(0, held.hard, 1, held.entries)])
        self._wal.close()

    def look(self) -> Restored:
        restored = self._look().restored
        restored.incarnation = self._whose.incarnation
        return restored

    def start(self) -> Restored:
        self._wal = self._open()
        restored, self._wal.restored = self._wal.restored, Restored()
        self._durable_seq, self._position = 0, self._wal.position
        self._told = restored.snapshot
        return restored

    def append(self, writes: Sequence[Write]) -> None:
        self._wal.append(writes)
        self._durable_seq, self._position = writes[-1].seq, self._wal.position
        for write in writes:
            if write.chunk is not None and write.chunk.last:
                self._tell_kept(write.chunk.meta)

    def save(self, meta: SnapshotMeta, state: bytes) -> None:
        with explained(self._snapshot_files.path):
            self._wal.snapshots.save(meta, [state])
        self._tell_kept(meta)

    def read(self, index: int, offset: int, max_bytes: int) -> tuple[bytes | None, bool]:
        with explained(self._snapshot_files.path):
            return self._wal.snapshots.read_chunk(index, offset, max_bytes) or (None, False)

    def load(self, meta: SnapshotMeta) -> Iterator[bytes]:
        with explained(self._snapshot_files.path):
            yield from self._wal.snapshots.load(meta)

    def compact(self, index: int, last_seq: int) -> None:
        del last_seq  # a segment goes as a whole, and never the one that is written
        with explained(self._wal.path):
            self._wal.compact(index)

    @property
    def torn(self) -> bool:
        """Whether the last start found a write that was not whole."""
        return any("unfinished write" in note for note in self._wal.notes)

    # the end of a life

    def crash(self, under_way: UnderWay) -> int:
        self._go_on_until_cut(under_way)
        if self.fate == "best":
            self.files.keep_all()
        elif self.fate == "worst":
            self.files.lose_unsynced()
        elif self._rng.random() < 0.7:
            self.files.crash(self._rng)
        else:
            self.files.restarted()  # only the process is gone
        return self._survived(under_way.syncing)

    def kill(self, under_way: UnderWay) -> int:
        self.files.restarted()
        return self._survived(under_way.syncing)

    def flush(self, under_way: UnderWay) -> int:
        try:
            if writes := [*under_way.syncing, *under_way.queued]:
                self.append(writes)
            self._wal.close()
        except (StorageError, PowerCut):
            return self.crash(under_way)
        return self._durable_seq

    def _go_on_until_cut(self, under_way: UnderWay) -> None:
        """Do a part of what is under way; all of it is among the possible parts."""
        if self.files.power == 0:
            return  # it was cut in the middle of something
        if under_way.saving is not None:
            meta, state = under_way.saving
            whole = b"".join(state)
            self.files.power = self._rng.randrange(2 * len(whole) + 200)
            with suppress(PowerCut, StorageError, OSError):
                self._wal.snapshots.save(meta, [whole])
        if under_way.syncing:
            size = sum(100 + sum(entry.size for entry in write.entries) for write in under_way.syncing)
            self.files.power = self._rng.randrange(2 * size)
            with suppress(PowerCut, StorageError):
                self._wal.append(under_way.syncing)

    def _survived(self, syncing: list[Write]) -> int:
        """Which of the writes that were under way the next start will find."""
        try:
            found = self._look()
        except (StorageError, OSError):
            return self._durable_seq  # it will not start
        snapshot = found.restored.snapshot
        if snapshot is not None and (self._told is None or self._told.index < snapshot.index):
            self._tell_kept(snapshot)
        if found.position == self._position:
            return self._durable_seq
        position = copy(self._position)
        for write in syncing:
            position.advance(write)
            if write.chunk is not None and write.chunk.last:
                position.offer(write.chunk.meta)
            if position == found.position:
                return write.seq
        return self._durable_seq  # the disk lost what it had called durable

    # the files

    def _open(self) -> Wal:
        with explained(self._raft.path):
            return open_wal(self._raft, self._wal_files, self._snapshot_files, self._whose, SETTINGS, BLOCK_BYTES)

    def _look(self) -> Found:
        return look(self._wal_files, Snapshots(self._snapshot_files, BLOCK_BYTES))

    def _tell_kept(self, meta: SnapshotMeta) -> None:
        with suppress(FileNotFoundError):  # newer ones came while it was received
            state = b"".join(self._wal.snapshots.load(meta))
            self._told = meta
            self._kept(meta, state)
