"""The disk of a simulated server in virtual time: one sync at a time, snapshots saved and read beside it.

Writes that arrive while a sync is running share the next one (group commit), as they do on the real disk. What the disk
holds, and what a crash leaves of it, is the business of its store: records, or bytes in files.

Fail-stop, as live: after a failure the disk does nothing more in this life, and its server is told why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from math import inf
from random import Random
from typing import Any, Final, Literal, Protocol

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.output import ChunkWanted, Write
from raftsim.sim.bytestore import ByteStore
from raftsim.sim.files import PowerCut
from raftsim.sim.recordstore import RecordStore
from raftsim.sim.store import Store, UnderWay
from raftsim.sim.timeline import Timeline
from raftsim.storage.errors import StorageError

Form = Literal["records", "bytes"]
RECORDS: Final = "records"
BYTES: Final = "bytes"
FORMS: Final[tuple[Form, ...]] = (RECORDS, BYTES)


@dataclass(frozen=True, slots=True)
class DiskModel:
    """How long one sync takes, which is how long it takes to read a part of a snapshot too, and how long it takes to
    save a snapshot: uniform between the two. `form`: keep records, or run the real log over simulated files."""

    sync_min_s: float = 0.0001
    sync_max_s: float = 0.0005
    save_min_s: float = 0.001
    save_max_s: float = 0.01
    form: Form = RECORDS

    def __post_init__(self) -> None:
        for least, most in ((self.sync_min_s, self.sync_max_s), (self.save_min_s, self.save_max_s)):
            if not 0 <= least <= most:
                raise ValueError(f"times of a disk must be 0 <= min <= max, got {least} and {most}")
        if self.form not in FORMS:
            raise ValueError(f"the form of a disk must be one of {', '.join(FORMS)}, got {self.form}")


End = tuple[Callable[..., None], tuple[Any, ...]]  # of what takes time: what is called then, with what


class Owner(Protocol):
    """Told what the disk has done; the first three methods are those of `Node`."""

    name: str

    def synced(self, seq: int) -> None: ...

    def snapshot_saved(self, meta: SnapshotMeta) -> None: ...

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None: ...

    def snapshot_kept(self, meta: SnapshotMeta, digest: str) -> None:
        """This snapshot, saved or received, is durable."""

    def disk_failed(self, reason: str) -> None:
        """The disk does nothing more: the server must stop."""

    def power_cut(self) -> None:
        """The machine stopped in the middle of what its disk was doing."""


class SimDisk:
    """What outlives a crash, and the port of a server. `held` is there at first."""

    __slots__ = (
        "_failed",
        "_incarnation",
        "_last_seq",
        "_owner",
        "_queued",
        "_rng",
        "_saving",
        "_stalled_until",
        "_syncing",
        "_timeline",
        "_waiting",
        "felt",
        "model",
        "slowness",
        "store",
    )

    def __init__(self, timeline: Timeline, model: DiskModel, rng: Random, held: Restored, owner: Owner) -> None:
        self.model = model
        self.slowness = 1.0  # everything takes so many times as long
        self.felt: Counter[str] = Counter()  # how often it was slow, and stalled
        self._timeline = timeline
        self._rng = rng
        self._owner = owner
        self.store: Store
        if model.form == BYTES:
            self.store = ByteStore(owner.name, held, rng, self._kept)
        else:
            self.store = RecordStore(held, rng, self._kept)
        self._syncing: list[Write] = []
        self._queued: list[Write] = []
        self._saving: tuple[SnapshotMeta, Iterator[bytes]] | None = None
        self._last_seq = 0  # handed in
        self._incarnation = 0
        self._failed = False
        self._stalled_until = 0.0
        self._waiting: list[End] = []  # what would have come to its end, if the disk did not stall

    def restored(self) -> Restored:
        """What a server that starts now finds. Raises StorageError: it must not start."""
        return self.store.look()

    def start(self) -> Restored:
        """A server starts. Raises StorageError: it must not; and PowerCut."""
        return self.store.start()

    # the port

    def submit(self, write: Write) -> None:
        self._last_seq = write.seq
        self._queued.append(write)
        if not self._syncing:
            self._start_sync()

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        self._saving = (meta, state)
        self._later(self.model.save_min_s, self.model.save_max_s, self._end_save)

    def read_chunk(self, wanted: ChunkWanted, max_bytes: int) -> None:
        self._later(self.model.sync_min_s, self.model.sync_max_s, self._end_read, wanted, max_bytes)

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        return self.store.load(meta)

    def compact(self, index: int) -> None:
        self._does(self.store.compact, index, self._last_seq)

    # faults

    def stall(self, for_s: float) -> None:
        """From now on nothing comes to its end. `for_s` may be infinite."""
        end = self._timeline.now + for_s
        self._stalled_until = max(self._stalled_until, end)
        if end < inf:
            self._timeline.at(end, self._end_stall, None)

    def release(self) -> None:
        """What should have come to its end does so now."""
        self._stalled_until = 0.0
        waiting, self._waiting = self._waiting, []
        for end in waiting:
            self._timeline.at(self._timeline.now, self._end, (self._incarnation, end))

    # the end of a life: each returns the seq of the last write that survives (0: none since it started)

    def crash(self) -> int:
        """The machine goes down."""
        return self._forget(self.store.crash)

    def kill(self) -> int:
        """The process ends at a failure of its disk; the machine goes on."""
        return self._forget(self.store.kill)

    def flush(self) -> int:
        """The server was stopped in good order: everything it wrote survives."""
        return self._forget(self.store.flush)

    def _forget(self, end: Callable[[UnderWay], int]) -> int:
        last = end(UnderWay(self._syncing, self._queued, self._saving))
        self._syncing, self._queued, self._saving = [], [], None
        self._last_seq = 0
        self._incarnation += 1  # what was going on must not be told to the server's next life
        self._failed = False
        self._waiting.clear()
        return last

    # syncs, saves, reads and stalls come to their ends

    def _start_sync(self) -> None:
        self._syncing, self._queued = self._queued, []
        self._later(self.model.sync_min_s, self.model.sync_max_s, self._end_sync)

    def _end_sync(self) -> None:
        if not self._does(self.store.append, self._syncing):
            return
        seq = self._syncing[-1].seq
        self._syncing = []
        if self._queued:
            self._start_sync()
        self._owner.synced(seq)

    def _end_save(self) -> None:
        assert self._saving is not None
        meta, state = self._saving
        # Drawn only now: what was applied in the meantime must not show.
        if self._does(self.store.save, meta, b"".join(state)):
            self._saving = None
            self._owner.snapshot_saved(meta)

    def _end_read(self, wanted: ChunkWanted, max_bytes: int) -> None:
        try:
            data, last = self.store.read(wanted.index, wanted.offset, max_bytes)
        except StorageError as error:
            self._fail(str(error))
        else:
            self._owner.chunk_read(wanted, data, last)

    def _end_stall(self, _: None) -> None:
        if self._timeline.now >= self._stalled_until:
            self.release()

    def _kept(self, meta: SnapshotMeta, state: bytes) -> None:
        self._owner.snapshot_kept(meta, blake2b(state, digest_size=16).hexdigest())

    # time and failure

    def _later(self, min_s: float, max_s: float, end: Callable[..., None], *args: Any) -> None:
        duration_s = min_s + (max_s - min_s) * self._rng.random()
        if self.slowness != 1.0:
            duration_s *= self.slowness
            self.felt["slow"] += 1
        self._timeline.at(self._timeline.now + duration_s, self._end, (self._incarnation, (end, args)))

    def _end(self, job: tuple[int, End]) -> None:
        incarnation, end = job
        if incarnation != self._incarnation or self._failed:
            return
        if self._timeline.now < self._stalled_until:
            self._waiting.append(end)
            self.felt["stall"] += 1
        else:
            act, args = end
            act(*args)

    def _does(self, work: Callable[..., None], *args: Any) -> bool:
        """Whether the store did it. If not, the server hears of it before anything else happens."""
        try:
            work(*args)
        except PowerCut:
            self._failed = True
            self._timeline.due.append(partial(self._report, self._incarnation, self._owner.power_cut))
        except StorageError as error:
            self._fail(str(error))
        return not self._failed

    def _fail(self, reason: str) -> None:
        self._failed = True
        self._timeline.due.append(partial(self._report, self._incarnation, partial(self._owner.disk_failed, reason)))

    def _report(self, incarnation: int, tell: Callable[[], None]) -> None:
        if incarnation == self._incarnation:
            tell()
