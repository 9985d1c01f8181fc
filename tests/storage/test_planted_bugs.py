"""The best-known bugs of stores like this one, planted one at a time: each is caught, and without it nothing is."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from random import Random
from unittest.mock import patch

import pytest

from raftsim.core.entry import HardState, Restored
from raftsim.core.output import Chunk, Write
from raftsim.storage import frames, recovery
from raftsim.storage.errors import StorageError
from raftsim.storage.segment import Image, Segment
from raftsim.storage.snapshots import Snapshots
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import SMALL, fill, frames_in, model, open_wal, put, reopened, vote
from tests.storage.lives import meta_of

WRITES = [vote(1, "a"), *(put(index, "d" * 40) for index in range(1, 11))]


def a_power_cut_after_acknowledged_writes() -> None:
    """B38: an acknowledgement before the sync."""
    for seed in range(20):
        disk = CrashDisk()
        fill(disk, [[write] for write in WRITES], SMALL)
        disk.crash(Random(seed))
        assert reopened(disk, SMALL)[0] == model(WRITES)


def append_without_sync(segment: Segment, payload: bytes) -> None:
    frame = frames.encode(payload, segment.number, segment._offset)
    segment._file.pwrite(frame, segment._offset)
    segment._offset += len(frame)


def a_sync_that_fails_once() -> None:
    """B40: the error is swallowed, or the sync is tried again and lies."""
    disk = CrashDisk()
    wal = open_wal(disk)
    wal.append([put(1, "a")])
    acknowledged = [put(1, "a")]
    disk.failing_once["sync"] = errno.EIO
    for index in (2, 3):
        with suppress(StorageError):
            wal.append([put(index, "b" * 200)])
            acknowledged.append(put(index, "b" * 200))
    disk.crash(Random(0))
    assert reopened(disk)[0] == model(acknowledged)


append_whole = Segment.append


def append_and_try_again(segment: Segment, payload: bytes) -> None:
    try:
        append_whole(segment, payload)
    except OSError:
        segment._file.sync()
        segment._offset += frames.size(len(payload))


def append_and_ignore(segment: Segment, payload: bytes) -> None:
    with suppress(OSError):
        append_whole(segment, payload)


def a_bit_flipped_in_the_middle() -> None:
    """B42: a frame that was acknowledged is taken for a torn one, and cut with all that follow."""
    disk = CrashDisk()
    fill(disk, [[write] for write in WRITES])
    offset, _ = frames_in(disk.wal, 1)[5]
    disk.wal.inodes["0000000001.wal"].cached[offset + 20] ^= 1
    with pytest.raises(StorageError, match="damaged"):
        reopened(disk)


def a_received_snapshot_contradicts_the_log() -> None:
    """B47: entries behind a snapshot survive though the log has another entry at its place."""
    disk = CrashDisk()
    meta = meta_of(5, 2)
    fill(disk, [[write] for write in WRITES], SMALL)
    fill(disk, [[Write(0, HardState(2), chunk=Chunk(meta, 0, b"state", last=True))]], SMALL)
    assert reopened(disk, SMALL)[0] == Restored(HardState(2), [], 5, 2, meta)


def the_newest_snapshot_rots_after_compaction() -> None:
    """B49: the log is purged beyond what the remaining snapshot stands for."""
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    for write in WRITES:
        wal.append([write])
    for index in (4, 9):
        wal.snapshots.save(meta_of(index, 1), [b"state"])
    wal.compact(10)
    wal.close()
    disk.snapshots.inodes[disk.snapshots.names()[-1]].cached[-1] ^= 1
    found, _ = reopened(disk, SMALL)
    assert found.snapshot == meta_of(4, 1)
    assert found.entries == model(WRITES).entries[found.base_index :]


def whatever_the_log_holds(restored: Restored, index: int) -> int | None:
    held = restored.base_index < index <= restored.base_index + len(restored.entries)
    return restored.snapshot.term if held and restored.snapshot else None


BUGS: list[tuple[Callable[[], None], object, str, object]] = [
    (a_power_cut_after_acknowledged_writes, Segment, "append", append_without_sync),
    (a_sync_that_fails_once, Segment, "append", append_and_try_again),
    (a_sync_that_fails_once, Segment, "append", append_and_ignore),
    (a_bit_flipped_in_the_middle, Image, "frame_begun_later", lambda _: False),
    (a_received_snapshot_contradicts_the_log, recovery, "_term_at", whatever_the_log_holds),
    (the_newest_snapshot_rots_after_compaction, Snapshots, "covered", 9),
]


IDS = ["b38", "b40 tried again", "b40 swallowed", "b42", "b47", "b49"]


@pytest.mark.parametrize(
    ("check", "owner", "name", "bug"),
    BUGS,
    ids=IDS,
)
def test_a_planted_bug_is_caught(check: Callable[[], None], owner: object, name: str, bug: object) -> None:
    check()
    with patch.object(owner, name, bug), pytest.raises((AssertionError, StorageError, pytest.fail.Exception)):
        check()
