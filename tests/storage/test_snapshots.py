"""Snapshots of our own: saved beside the log, kept, and read in parts."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from raftsim.core.entry import HardState, Restored
from raftsim.storage.errors import DamagedSnapshot, StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.snapshots import Snapshots
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import BLOCK_BYTES, STATE, model, open_dir, open_wal, put, vote
from tests.storage.lives import meta_of


def names(path: Path) -> list[str]:
    return sorted(file.name for file in (path / "raft" / "snapshots").iterdir())


def test_a_saved_snapshot_is_found_again(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([vote(2, "n1"), put(1, "a", "b", "c", term=2)])
    data.save_snapshot(meta_of(2, 2), iter([b"one ", b"", b"two"]))
    assert b"".join(data.load_snapshot(meta_of(2, 2))) == b"one two"
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == Restored(HardState(2, "n1"), put(1, "a", "b", "c", term=2).entries, 0, 0, meta_of(2, 2))
    assert data.notes == []
    assert b"".join(data.load_snapshot(meta_of(2, 2))) == b"one two"


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([put(1, *"abcdef")])
    for index in (2, 4, 5):
        data.save_snapshot(meta_of(index, 1), [b"state"])
    assert names(tmp_path) == ["0000000001-0000000000000004.snap", "0000000001-0000000000000005.snap"]
    data.save_snapshot(meta_of(3, 1), [b"late"])
    assert len(names(tmp_path)) == 2
    assert data.read_chunk(3, 0, 10) is None
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored.snapshot == meta_of(5, 1)


@pytest.mark.parametrize("length", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, 100])
def test_a_snapshot_is_read_in_parts_of_any_size(length: int) -> None:
    snapshots = Snapshots(CrashDisk().snapshots, BLOCK_BYTES)
    snapshots.save(meta_of(7, 1), [STATE[:length]])
    for size in (1, 7, BLOCK_BYTES, 40, 1000):
        read, last = b"", False
        while not last:
            chunk = snapshots.read_chunk(7, len(read), size)
            assert chunk is not None
            data, last = chunk
            assert len(data) == min(size, length - len(read))
            read += data
        assert read == STATE[:length]
    assert snapshots.read_chunk(7, length + 40, 10) == (b"", True)
    assert snapshots.read_chunk(8, 0, 10) is None


def test_a_snapshot_removed_by_another_thread_meanwhile_is_gone(tmp_path: Path) -> None:
    snapshots = Snapshots(OsDirectory(tmp_path))
    snapshots.save(meta_of(7, 1), [STATE])
    next(tmp_path.iterdir()).unlink()
    assert snapshots.read_chunk(7, 0, 10) is None


def test_a_snapshot_being_loaded_outlives_its_replacement(tmp_path: Path) -> None:
    snapshots = Snapshots(OsDirectory(tmp_path), BLOCK_BYTES)
    snapshots.save(meta_of(1, 1), [STATE])
    state = snapshots.load(meta_of(1, 1))
    first = next(state)
    for index in (2, 3):
        snapshots.save(meta_of(index, 1), [STATE])
    assert len(list(tmp_path.iterdir())) == 2
    assert b"".join([first, *state]) == STATE


def test_snapshots_are_saved_beside_the_log(tmp_path: Path) -> None:
    """The state is drawn by one thread while another appends; both wait for each other, part by part."""
    data = open_dir(tmp_path)
    data.append([put(1, "first")])
    written = [put(1, "first")]

    def state() -> Iterator[bytes]:
        for index in range(2, 50):
            appender = Thread(target=data.append, args=([put(index, "beside")],))
            appender.start()
            yield b"part"
            appender.join()
            written.append(put(index, "beside"))

    data.save_snapshot(meta_of(1, 1), state())
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored.entries == model(written).entries
    assert b"".join(data.load_snapshot(meta_of(1, 1))) == b"part" * 48


def test_a_failure_to_save_leaves_nothing_and_the_log_goes_on() -> None:
    disk = CrashDisk()
    wal = open_wal(disk)
    wal.append([put(1, "a")])
    disk.failing["write"] = errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        wal.snapshots.save(meta_of(1, 1), [STATE])
    disk.failing = {"sync": errno.EIO}
    with pytest.raises(OSError, match="Input/output error"):
        wal.snapshots.save(meta_of(1, 1), [STATE])
    disk.failing.clear()

    def state() -> Iterator[bytes]:
        yield STATE
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        wal.snapshots.save(meta_of(1, 1), state())
    assert disk.snapshots.names() == []
    wal.append([put(2, "b")])
    wal.close()
    assert disk.open_files == 0


def test_damage_is_found_whenever_a_snapshot_is_read() -> None:
    disk = CrashDisk()
    snapshots = Snapshots(disk.snapshots, BLOCK_BYTES)
    snapshots.save(meta_of(30, 1), [STATE])
    (file,) = disk.snapshots.inodes.values()
    file.cached[file.cached.index(STATE[BLOCK_BYTES : BLOCK_BYTES + 9])] ^= 1
    assert snapshots.read_chunk(30, 0, BLOCK_BYTES) == (STATE[:BLOCK_BYTES], False)
    with pytest.raises(DamagedSnapshot, match="not a sound block of the state"):
        snapshots.read_chunk(30, 0, BLOCK_BYTES + 1)
    with pytest.raises(DamagedSnapshot, match="not a sound block of the state"):
        list(snapshots.load(meta_of(30, 1)))


def test_an_error_names_the_file(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([put(1, "a")])
    data.save_snapshot(meta_of(1, 1), [STATE])
    (tmp_path / "raft" / "snapshots" / names(tmp_path)[0]).unlink()
    with pytest.raises(StorageError, match=r"0000000001-0000000000000001\.snap: No such file or directory"):
        list(data.load_snapshot(meta_of(1, 1)))
    (tmp_path / "raft" / "snapshots").rmdir()
    with pytest.raises(StorageError, match=r"0000000001-0000000000000002\.snap\.tmp: No such file or directory"):
        data.save_snapshot(meta_of(2, 1), [STATE])
    data.close()
