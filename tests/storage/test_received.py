"""Snapshots of a leader: received in chunks, and the log that goes on behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.core.entry import HardState, Restored
from raftsim.core.output import Chunk, Write
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import SMALL, STATE, chunks, open_dir, open_wal, put, vote
from tests.storage.lives import meta_of


def names(path: Path) -> list[str]:
    return sorted(file.name for file in (path / "raft" / "snapshots").iterdir())


def test_a_received_snapshot_is_whole_when_append_returns(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    first, second, third = chunks(meta_of(20, 3), STATE[:50], STATE[50:99], STATE[99:])
    data.append([vote(3, None), put(1, "a")])
    data.append([first])
    data.append([second])
    assert names(tmp_path) == ["0000000003-0000000000000020.snap.receiving"]
    assert data.read_chunk(20, 0, 10) is None
    data.append([third])
    assert names(tmp_path) == ["0000000003-0000000000000020.snap"]
    assert data.read_chunk(20, 95, 10) == (STATE[95:], True)
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == Restored(HardState(3), [], 20, 3, meta_of(20, 3))


def test_a_snapshot_begun_anew_replaces_what_was_received(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([vote(3, None), chunks(meta_of(30, 3), b"lost", b"lost")[0]])
    data.append([chunks(meta_of(20, 3), b"lost", b"lost")[0]])
    assert names(tmp_path) == ["0000000003-0000000000000020.snap.receiving"]
    data.append(chunks(meta_of(20, 3), b"kept", b"!"))
    assert b"".join(data.load_snapshot(meta_of(20, 3))) == b"kept!"
    data.close()


def test_what_was_not_received_as_a_whole_is_removed_and_noted(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append(chunks(meta_of(20, 3), b"part", b"")[:1])
    data.close()
    (tmp_path / "raft" / "snapshots" / "0000000003-0000000000000019.snap.tmp").write_bytes(b"part")
    data = open_dir(tmp_path)
    data.close()
    (note,) = data.notes
    assert note.endswith("20.snap.receiving: removed, this snapshot had not been received as a whole")
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk(meta_of(20, 3), 3, b"gap or overlap", last=False),
        Chunk(meta_of(20, 3), 5, b"gap or overlap", last=True),
        Chunk(meta_of(20, 2), 4, b"of another term", last=False),
        Chunk(meta_of(21, 3), 4, b"of another index", last=False),
    ],
)
def test_b51_chunks_that_do_not_follow_are_never_mixed(chunk: Chunk) -> None:
    wal = open_wal(CrashDisk())
    wal.append(chunks(meta_of(20, 3), b"part", b"")[:1])
    with pytest.raises(AssertionError, match="B51"):
        wal.append([Write(0, None, chunk=chunk)])


def test_a_chunk_alone_costs_the_log_nothing() -> None:
    disk = CrashDisk()
    wal = open_wal(disk)
    wal.append([vote(3, None)])
    before = wal._segment._offset
    wal.append(chunks(meta_of(20, 3), b"part", b"")[:1])
    assert wal._segment._offset == before


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("entries", ["ab", "abcd", "abcdefg"], ids=["shorter", "as long", "longer"])
def test_b47_the_log_goes_on_behind_a_snapshot_that_it_contradicts(entries: str, *, restart: bool) -> None:
    """What was written behind the snapshot survives, and none of what the log held before."""
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    wal.append([vote(3, None), put(1, *entries)])
    wal.append(chunks(meta_of(4, 3), STATE))
    if restart:
        wal.close()
        wal = open_wal(disk, SMALL)
        assert wal.restored == Restored(HardState(3), [], 4, 3, meta_of(4, 3))
    wal.append([vote(3, "a")])
    wal.append([put(5, "new", term=3)])
    wal.append([put(6, "more" * 50, term=3)])
    wal.close()
    wal = open_wal(disk, SMALL)
    assert wal.restored == Restored(HardState(3, "a"), put(5, "new", "more" * 50, term=3).entries, 4, 3, meta_of(4, 3))


def test_entries_behind_a_snapshot_that_the_log_agrees_with_are_kept() -> None:
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    wal.append([vote(3, None), put(1, *"abcdefg")])
    wal.append(chunks(meta_of(4, 1), STATE))
    wal.append([put(8, "h")])
    wal.close()
    wal = open_wal(disk, SMALL)
    assert wal.restored == Restored(HardState(3), put(1, *"abcdefgh").entries, 0, 0, meta_of(4, 1))


def test_b46_an_old_snapshot_never_becomes_the_newest() -> None:
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    wal.append([vote(1, None), put(1, *"abcdefg")])
    wal.snapshots.save(meta_of(6, 1), [STATE])
    wal.append(chunks(meta_of(4, 1), STATE))
    wal.append([put(8, "h")])
    wal.close()
    assert open_wal(disk).restored == Restored(HardState(1), put(1, *"abcdefgh").entries, 0, 0, meta_of(6, 1))


def test_a_term_that_only_a_snapshot_knows_of_was_reached() -> None:
    """Our own snapshot may be durable before the write that began its term."""
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    wal.append([vote(1, "a"), put(1, *"abc")])
    wal.snapshots.save(meta_of(5, 2), [STATE])
    wal.close()
    assert open_wal(disk).restored == Restored(HardState(2), [], 5, 2, meta_of(5, 2))
