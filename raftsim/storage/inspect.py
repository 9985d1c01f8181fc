"""Looking at a server's data from outside, while it is stopped or running: no lock, and nothing is changed.

A running server writes while we read: a frame may be half there, a segment or a snapshot may go. What looks damaged may
be just that, so it is looked at again before it is believed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.storage import identity
from raftsim.storage.datadir import SNAPSHOTS, WAL
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.identity import Identity
from raftsim.storage.recovery import look
from raftsim.storage.snapshots import Snapshots

ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a start would find now. `notes`: what it would say about it."""

    path: str  # of the log
    identity: Identity | None
    restored: Restored
    first_index: int  # of the entries; 0 without any
    last_index: int  # of the entries, or of the snapshot that stands for them; 0 without both
    segments: int
    snapshots: list[tuple[SnapshotMeta, int]]  # oldest first, each with the bytes of its state
    notes: list[str]


def inspect(path: Path) -> Inspection:
    """Read the data directory `path` (the one `DataDir.open` takes). Raises StorageError as a start would."""
    for _ in range(ATTEMPTS - 1):
        with suppress(StorageError):
            return _inspect(path / "raft")
    return _inspect(path / "raft")


def _inspect(raft: Path) -> Inspection:
    if not (raft / WAL).is_dir():
        raise StorageError(f"{raft / WAL}: there is no log")
    directory = OsDirectory(raft / WAL, make=False)
    try:
        whose = identity.read(OsDirectory(raft, make=False))
        snapshots = Snapshots(OsDirectory(raft / SNAPSHOTS, make=False))
        found = look(directory, snapshots)
        facts = snapshots.facts()
    except OSError as error:
        raise StorageError.because(directory.path, error) from error
    restored = found.restored
    first = restored.base_index + 1 if restored.entries else 0
    last = restored.base_index + len(restored.entries)
    return Inspection(directory.path, whose, restored, first, last, len(found.begins), facts, found.notes)
