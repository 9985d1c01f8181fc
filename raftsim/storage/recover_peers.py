"""Giving a server other members while it is stopped: the way out when a majority is lost for good.

A new log is made from the old one in which every configuration, and that of the snapshot, is the new one. Nothing else
differs: the same entries at the same places with the same terms, the same vote. Who is given the file has its vote
from the operator, as a founder has (core/founding.py). Hence, if every survivor is given the
same members:

- equal (index, term) still means equal entries (Log Matching), for equal entries were replaced by equal ones; nothing
  was added, so no two servers can have added different things at one place;
- whichever part of the log a survivor, or a server that joins later, has or receives: the new members are in force;
- logs compare as before, so the best one of a majority of the new voters wins, by the ordinary rules. A single new
  voter elects itself at once, and all that is on its disk becomes committed: also what never was before.

What can be lost: entries that none of the electing voters held, though they were acknowledged once. If the best log is
not among the majority that votes first, what it alone held is lost, and if it had been compacted into a snapshot that
server differs from the others from then on. So let the survivor with the best log (the highest last term, then the
highest last index) be the only voter; the others can be non-voters until they have caught up. And nothing here can see
whether the servers that were left out are really gone: if a majority of them runs on, there are two clusters.

The old state is moved aside as a whole. The new one is made beside it in full before a directory is renamed, so that a
crash leaves the old state, or an exchange that the next start completes:

    raft/recovering.tmp/    being made; removed if it was not finished
    raft/recovering/        complete and durable: moved into place, piece by piece
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from raftsim.core.config import Config
from raftsim.core.entry import CONFIG, Entry, Restored
from raftsim.core.output import Write
from raftsim.storage import identity
from raftsim.storage.datadir import SNAPSHOTS, WAL
from raftsim.storage.errors import StorageError
from raftsim.storage.files import TEMPORARY, OsDirectory, publish
from raftsim.storage.identity import Identity
from raftsim.storage.lock import Lock
from raftsim.storage.records import Position
from raftsim.storage.recovery import Found, look, segment_numbers
from raftsim.storage.snapshots import Snapshots
from raftsim.storage.wal import Wal

_READY: Final = "recovering"
_DRAFT: Final = _READY + TEMPORARY
_ASIDE: Final = "aside"  # a file in it: the name of the directory for the old state
_BATCH: Final = 1024  # entries per write


@dataclass(frozen=True, slots=True)
class Replaced:
    """`last_index`, `last_term`: where the log ends. `notes`: what reading the old state has to say."""

    last_index: int
    last_term: int
    aside: Path
    notes: list[str]


def replace_members(path: Path, members: Config, *, whose: Identity, order: str, aside: str) -> Replaced:
    """Put `members` in force in the data directory `path`; the old state goes to `<path>/<aside>/raft`.

    `order` is the file in `<path>/raft` that asked for it, and goes with it. Raises StorageError: in use, of another
    server, damaged, nothing there to recover, or whatever the operating system says; then nothing has changed, or
    `complete` does the rest.
    """
    with _locked(path) as raft:
        _remove_draft(raft)
        found = _read(raft, whose)
        _make(raft, found.restored, members, aside)
        _exchange(path, order)
        last = Position.after(found.restored)
        return Replaced(last.index, last.term, path / aside, found.notes)


def complete(path: Path, order: str) -> Path | None:
    """Complete a replacement that a crash interrupted. Returns where the old state is, None if there was none.

    Raises StorageError.
    """
    if not any((path / "raft" / name).is_dir() for name in (_READY, _DRAFT)):
        return None
    with _locked(path) as raft:
        _remove_draft(raft)
        return _exchange(path, order) if (raft / _READY).is_dir() else None


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    raft = path / "raft"
    try:
        lock = Lock(raft / "LOCK")
        try:
            yield raft
        finally:
            lock.release()
    except OSError as error:
        raise StorageError.because(str(raft), error) from error


def _remove_draft(raft: Path) -> None:
    if (raft / _DRAFT).is_dir():
        shutil.rmtree(raft / _DRAFT)


def _read(raft: Path, whose: Identity) -> Found:
    directory = OsDirectory(raft)
    known = identity.read(directory)
    wal = OsDirectory(raft / WAL)
    if known is None or not segment_numbers(wal):
        raise StorageError(f"{raft}: there is no Raft state here to recover")
    identity.check(directory, known, whose)
    found = look(wal, Snapshots(OsDirectory(raft / SNAPSHOTS)))
    if found.restored.snapshot is None and not found.restored.entries:
        raise StorageError(f"{raft}: there is no Raft state here to recover")
    return found


def _make(raft: Path, restored: Restored, members: Config, aside: str) -> None:
    draft = raft / _DRAFT
    snapshot, base = restored.snapshot, restored.base_index
    snapshots = OsDirectory(draft / SNAPSHOTS)
    if snapshot is not None:
        state = Snapshots(OsDirectory(raft / SNAPSHOTS)).load(snapshot)
        Snapshots(snapshots).save(replace(snapshot, config=members), state)
        base = snapshot.index
    entries = [_with(members, entry) for entry in restored.entries[base - restored.base_index :]]
    wal = Wal.open(OsDirectory(draft / WAL), Snapshots(snapshots))
    try:
        # Whatever incarnation it is of: that its vote counts is the operator's decision.
        wal.append([Write(0, replace(restored.hard, founder=True))])
        for start in range(0, len(entries), _BATCH):
            wal.append([Write(0, None, base + 1 + start, entries[start : start + _BATCH])])
    finally:
        wal.close()
    publish(OsDirectory(draft), _ASIDE, aside.encode())
    os.rename(draft, raft / _READY)
    OsDirectory(raft).sync()


def _with(members: Config, entry: Entry) -> Entry:
    return Entry(entry.term, CONFIG, members) if entry.kind == CONFIG else entry


def _exchange(path: Path, order: str) -> Path:
    """Old out, new in. Every step leaves a state from which this can be called again."""
    raft = path / "raft"
    ready = raft / _READY
    aside = path / (ready / _ASIDE).read_text()
    old = aside / "raft"
    OsDirectory(old)
    for name in (WAL, SNAPSHOTS):
        if (ready / name).exists():
            if (raft / name).exists():
                _move(raft / name, old / name)
            _move(ready / name, raft / name)
    publish(OsDirectory(old), identity.FILE, (raft / identity.FILE).read_bytes())
    if (raft / order).exists():
        _move(raft / order, old / order)
    _move(ready, raft / _DRAFT)
    shutil.rmtree(raft / _DRAFT)
    return aside


def _move(source: Path, target: Path) -> None:
    os.rename(source, target)
    for directory in (target.parent, source.parent):  # there before it is gone here
        OsDirectory(directory).sync()
