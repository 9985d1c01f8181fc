"""The log without what snapshots stand for."""

from __future__ import annotations

from pathlib import Path

from raftsim.core.entry import HardState, Restored
from raftsim.core.output import Write
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import SMALL, STATE, model, open_dir, open_wal, put, vote
from tests.storage.lives import meta_of


def grown(disk: CrashDisk) -> list[Write]:
    """A log of many segments with 40 entries."""
    writes = [put(index, "d" * 40) for index in range(1, 41)]
    wal = open_wal(disk, SMALL)
    wal.append([vote(1, "a")])
    for write in writes:
        wal.append([write])
    wal.close()
    return writes


def test_b49_only_what_the_older_snapshot_stands_for_is_removed() -> None:
    disk = CrashDisk()
    writes = grown(disk)
    wal = open_wal(disk, SMALL)
    segments = len(disk.wal.names())
    wal.compact(40)
    wal.snapshots.save(meta_of(20, 1), [STATE])
    wal.compact(40)
    assert len(disk.wal.names()) == segments, "no second snapshot, nothing to fall back on"
    wal.snapshots.save(meta_of(30, 1), [STATE])
    wal.compact(10)
    wal.close()
    wal = open_wal(disk, SMALL)
    assert 7 <= wal.restored.base_index <= 10
    wal.compact(40)
    wal.close()
    restored = open_wal(disk, SMALL).restored
    assert 17 <= restored.base_index <= 20
    assert restored == Restored(
        HardState(1, "a"), model(writes).entries[restored.base_index :], restored.base_index, 1, meta_of(30, 1)
    )
    assert len(disk.wal.names()) < segments / 2 + 2


def test_the_last_segment_stays_and_the_log_goes_on_after_all_was_compacted() -> None:
    disk = CrashDisk()
    grown(disk)
    wal = open_wal(disk, SMALL)
    for index in (39, 40):
        wal.snapshots.save(meta_of(index, 1), [STATE])
    wal.compact(40)
    assert len(disk.wal.names()) <= 2
    wal.append([put(41, "x" * 200), vote(2, "b")])
    wal.compact(40)
    wal.close()
    restored = open_wal(disk, SMALL).restored
    assert restored.hard == HardState(2, "b")
    assert restored.entries[-1:] == put(41, "x" * 200).entries
    assert restored.base_index + len(restored.entries) == 41


def test_a_vote_survives_the_segment_it_was_written_in(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([vote(7, "n2"), put(1, "a" * 4000, "b", term=7)])
    data.append([put(3, "c" * 4000, term=7)])
    for index in (2, 3):
        data.save_snapshot(meta_of(index, 7), [STATE])
    data.compact(3)
    assert [file.name for file in (tmp_path / "raft" / "wal").iterdir()] == ["0000000002.wal"]
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == Restored(HardState(7, "n2"), put(3, "c" * 4000, term=7).entries, 2, 7, meta_of(3, 7))


def test_entries_that_a_kept_segment_replaces_below_its_beginning() -> None:
    """The log was cut back into a segment that is then removed: what replaced its entries is what counts."""
    disk = CrashDisk()
    wal = open_wal(disk, SMALL)
    wal.append([put(1, *"abcde", hard=HardState(1))])
    wal.append([put(6, "x" * 150)])  # in the second segment, which begins after index 5
    assert len(disk.wal.names()) == 2
    wal.append([put(4, "D", "E", "F", term=2, hard=HardState(2))])
    for index in (5, 6):
        wal.snapshots.save(meta_of(index, 2), [STATE])
    wal.compact(6)
    wal.close()
    assert disk.wal.names() == ["0000000002.wal"]
    expected = Restored(HardState(2), put(5, "E", "F", term=2).entries, 4, 2, meta_of(6, 2))
    assert open_wal(disk, SMALL).restored == expected
