"""Appending: segments, splitting, and a disk that says no."""

from __future__ import annotations

import errno
from pathlib import Path
from random import Random

import pytest

from raftsim.core.config import Server, initial
from raftsim.core.entry import CONFIG, NOOP, Entry, HardState, Restored
from raftsim.core.output import Write
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.wal import WalSettings
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import SMALL, fill, frames_in, model, open_wal, put, reopened, vote


def test_everything_a_write_can_hold_comes_back(tmp_path: Path) -> None:
    config = initial([Server("b", "127.0.0.1:2"), Server("a", "127.0.0.1:1")])
    writes = [
        Write(1, HardState(3, None), 1, [Entry(0, CONFIG, config), Entry(3, NOOP), *put(3, "", "x", term=3).entries]),
        Write(2, None),
        vote(4, "a"),
    ]
    fill(OsDirectory(tmp_path), [writes])
    assert reopened(OsDirectory(tmp_path)) == (model(writes), [])


def test_an_empty_log_is_empty(tmp_path: Path) -> None:
    assert reopened(OsDirectory(tmp_path / "new" / "log")) == (Restored(), [])
    assert reopened(OsDirectory(tmp_path / "new" / "log")) == (Restored(), [])


def test_one_batch_is_one_sync() -> None:
    disk = CrashDisk()
    wal = open_wal(disk)
    before = disk.syncs
    wal.append([vote(1, "a"), put(1, "x"), put(2, "y")])
    assert disk.syncs == before + 1
    wal.append([])
    assert disk.syncs == before + 1


def test_a_large_batch_is_synced_in_parts() -> None:
    disk = CrashDisk()
    batch = [put(1, "x" * 100), put(2, "y" * 1000), put(3, "z"), put(4, "w")]
    fill(disk, [batch], WalSettings(frame_bytes=300))
    _, *found = frames_in(disk.wal, 1)
    assert [(end - start) // 500 for start, end in found] == [0, 2, 0]
    assert reopened(disk)[0] == model(batch)


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    writes = [put(index, "d" * 40) for index in range(1, 30)]
    fill(OsDirectory(tmp_path), [[write] for write in writes], SMALL)
    sizes = [file.stat().st_size for file in sorted(tmp_path.iterdir())]
    assert len(sizes) > 5
    assert set(sizes) == {SMALL.segment_bytes}
    assert reopened(OsDirectory(tmp_path), SMALL) == (model(writes), [])


def test_a_write_larger_than_a_segment_gets_one_of_its_size(tmp_path: Path) -> None:
    writes = [put(1, "a"), put(2, "b" * 5000), put(3, "c")]
    fill(OsDirectory(tmp_path), [[write] for write in writes], SMALL)
    assert [file.stat().st_size > 5000 for file in sorted(tmp_path.iterdir())] == [False, True, False]
    assert reopened(OsDirectory(tmp_path), SMALL) == (model(writes), [])


def test_a_write_cuts_the_log_back_across_segments(tmp_path: Path) -> None:
    grown = [put(index, "d" * 40) for index in range(1, 15)]
    cut = put(3, "other", term=2, hard=HardState(2, "b"))
    after = [put(4, "more" * 20, term=2), put(5, "and" * 20, term=2)]
    fill(OsDirectory(tmp_path), [[write] for write in [*grown, cut, *after]], SMALL)
    restored, _ = reopened(OsDirectory(tmp_path), SMALL)
    assert len(list(tmp_path.iterdir())) > 3
    assert restored == model([*grown, cut, *after])
    assert len(restored.entries) == 5


@pytest.mark.parametrize(
    "write",
    [put(3, "hole"), put(0, "no index"), put(2, "old", term=0)],
)
def test_a_write_that_does_not_continue_the_log_never_reaches_the_disk(write: Write) -> None:
    disk = CrashDisk()
    wal = open_wal(disk)
    wal.append([put(1, "a")])
    with pytest.raises(AssertionError):
        wal.append([write])
    assert reopened(disk)[0] == model([put(1, "a")])


@pytest.mark.parametrize("name", ["segment_bytes", "frame_bytes"])
def test_settings_must_be_positive(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive, got 0"):
        WalSettings(**{name: 0})


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_after_a_failure_the_log_takes_nothing_more(operation: str) -> None:
    disk = CrashDisk()
    wal = open_wal(disk)
    wal.append([put(1, "a")])
    disk.failing[operation] = errno.EIO
    with pytest.raises(StorageError, match="Input/output error"):
        wal.append([put(2, "b")])
    disk.failing.clear()
    syncs = disk.syncs
    for _ in range(2):
        with pytest.raises(StorageError, match=r"Input/output error \(the log takes no more writes until"):
            wal.append([put(2, "b")])
    assert disk.syncs == syncs, "a failed sync is never tried again"
    assert reopened(disk)[0] in (model([put(1, "a")]), model([put(1, "a"), put(2, "b")]))


def test_what_a_failed_sync_left_in_the_page_cache_is_made_durable_by_the_next_start() -> None:
    """The kernel calls the page clean, so a sync alone would do nothing."""
    disk = CrashDisk()
    wal = open_wal(disk)
    disk.failing["sync"] = errno.EIO
    with pytest.raises(StorageError):
        wal.append([put(1, "a")])
    disk.failing.clear()
    assert reopened(disk)[0] == model([put(1, "a")])
    disk.crash(Random(0))
    assert reopened(disk)[0] == model([put(1, "a")])


def test_a_full_disk_stops_the_log_and_room_lets_it_start_again() -> None:
    disk = CrashDisk(capacity=600)
    wal = open_wal(disk, SMALL)
    written = list[Write]()

    def write_on() -> None:
        for index in range(1, 100):
            wal.append([put(index, "d" * 40)])
            written.append(put(index, "d" * 40))

    with pytest.raises(StorageError, match="No space left on device"):
        write_on()
    wal.close()
    assert len(disk.wal.names()) == 3  # two segments, and the third, unfinished
    assert reopened(disk, SMALL)[0] == model(written)
    disk.capacity *= 2
    fill(disk, [[put(len(written) + 1, "room")]], SMALL)
    assert len(reopened(disk, SMALL)[0].entries) == len(written) + 1


def test_a_disk_that_fails_at_the_start_is_named() -> None:
    disk = CrashDisk()
    disk.failing["sync"] = errno.EROFS
    with pytest.raises(StorageError, match="snapshots: Read-only file system"):
        open_wal(disk)
    assert disk.open_files == 0


def test_no_file_stays_open_after_close() -> None:
    disk = CrashDisk()
    fill(disk, [[put(index, "d" * 100)] for index in range(1, 10)], SMALL)
    reopened(disk, SMALL)
    assert disk.open_files == 0
