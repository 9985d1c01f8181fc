"""A server's data directory: the lock, the identity and the log, in the order that keeps them consistent.

    <path>/raft/LOCK            held while a server runs
    <path>/raft/identity.json   written once, when the log has been begun
    <path>/raft/wal/            the log
    <path>/raft/snapshots/      the newest two snapshots

Because the log is there before the identity, an identity without a log means that the log was lost. Such a server
has forgotten its votes and must not go on (B44). One whose directory is gone as a whole begins with a new incarnation,
by which the others know that it is not the one they gave a vote to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.output import Write
from raftsim.storage import identity
from raftsim.storage.errors import REMEDY, StorageError, explained
from raftsim.storage.files import Directory, OsDirectory
from raftsim.storage.identity import Identity
from raftsim.storage.lock import Lock
from raftsim.storage.recovery import segment_numbers
from raftsim.storage.snapfile import BLOCK_BYTES
from raftsim.storage.snapshots import Snapshots
from raftsim.storage.wal import Wal, WalSettings

WAL: Final = "wal"
SNAPSHOTS: Final = "snapshots"


class DataDir:
    """An open data directory. One thread at a time may append; one other at a time may save a snapshot meanwhile;
    reading snapshots and compacting is free to every thread.

    `restored` is what the disk held at start, `notes` what recovery did about it, for the operator.
    """

    def __init__(self, lock: Lock, wal: Wal) -> None:
        self.restored, wal.restored = wal.restored, Restored()
        self.notes = wal.notes
        self._lock = lock
        self._wal = wal
        self._snapshots = wal.snapshots

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        cluster_id: str,
        server_id: str,
        incarnation: int = 0,
        settings: WalSettings | None = None,
    ) -> DataDir:
        """Open the data of this server below `path`, or begin it as `incarnation` (core/founding.py).

        Raises StorageError: in use, of another server, damaged, or whatever the operating system says.
        """
        raft = path / "raft"
        try:
            directory = OsDirectory(raft)
            lock = Lock(raft / "LOCK")
            try:
                whose = Identity(cluster_id, server_id, incarnation)
                wal = open_wal(directory, OsDirectory(raft / WAL), OsDirectory(raft / SNAPSHOTS), whose, settings)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise StorageError.because(str(raft), error) from error
        return cls(lock, wal)

    def append(self, writes: Sequence[Write]) -> None:
        """Make `writes` durable, in order; the chunk of each after its record. Blocks.

        After the last chunk of a snapshot, the log may go on behind it. Raises StorageError, and then at every later
        call.
        """
        self._wal.append(writes)

    def bootstrap(self, restored: Restored) -> None:
        """Make `restored` the beginning of this server, unless it has one. Raises StorageError."""
        incarnation = self.restored.incarnation
        if self.restored == Restored(incarnation=incarnation):
            self.append([Write(0, restored.hard, 1, restored.entries)])
            self.restored = replace(restored, incarnation=incarnation)

    def save_snapshot(self, meta: SnapshotMeta, state: Iterable[bytes]) -> None:
        """Keep a snapshot of our own, and of the others the newest. Blocks; durable on return.

        Raises StorageError, and whatever drawing from `state` raises; then nothing has changed.
        """
        with explained(self._snapshots.path):
            self._snapshots.save(meta, state)

    def read_chunk(self, index: int, offset: int, max_bytes: int) -> tuple[bytes, bool] | None:
        """At most `max_bytes` of the state in the snapshot of `index`, from `offset` on, and whether they end it.

        None if that snapshot is not there any more. Raises StorageError.
        """
        with explained(self._snapshots.path):
            return self._snapshots.read_chunk(index, offset, max_bytes)

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        """The state in the snapshot `meta`. Raises StorageError while it is drawn."""
        with explained(self._snapshots.path):
            yield from self._snapshots.load(meta)

    def compact(self, index: int) -> None:
        """Remove segments with nothing but entries up to `index`, if both kept snapshots stand for them.

        Raises StorageError.
        """
        with explained(self._wal.path):
            self._wal.compact(index)

    def close(self) -> None:
        self._wal.close()
        self._lock.release()


def open_wal(
    raft: Directory,
    wal: Directory,
    snapshots: Directory,
    whose: Identity,
    settings: WalSettings | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Wal:
    """Open the log in `wal`, or begin it, and leave in `raft` whose it is. Raises StorageError, OSError."""
    found = identity.read(raft)
    if found is not None:
        identity.check(raft, found, whose)
        if not segment_numbers(wal):
            raise StorageError(f"{wal.path}: the log is gone, and its votes with it. {REMEDY}")
    log = Wal.open(wal, Snapshots(snapshots, block_bytes), settings)
    if found is None:
        try:
            if log.restored != Restored():
                raise StorageError(f"{raft.path}/{identity.FILE}: missing, though there is a log beside it")
            identity.write(raft, whose)
        except BaseException:
            log.close()
            raise
    log.restored.incarnation = (found or whose).incarnation
    return log
