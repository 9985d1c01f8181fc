"""Damaged and missing snapshots: what the log still covers is taken from there, everything else is refused by name."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from raftsim.core.entry import HardState, Restored
from raftsim.core.output import Chunk, Write
from raftsim.storage import frames
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.segment import Image, number_of
from raftsim.storage.snapfile import Writer, name_of
from raftsim.storage.snapshots import Snapshots
from raftsim.storage.wal import Wal
from tests.storage.helpers import BLOCK_BYTES, SMALL, model, put, vote
from tests.storage.lives import meta_of

STATE = b"the state of the machine, in two blocks and a bit more than that"
OLDER, NEWEST = meta_of(20, 1), meta_of(30, 1)
WRITES = [vote(1, "a"), *(put(index, "d" * 40) for index in range(1, 41))]


def open_in(path: Path) -> Wal:
    return Wal.open(OsDirectory(path / "wal"), Snapshots(OsDirectory(path / "snapshots"), BLOCK_BYTES), SMALL)


def start(path: Path) -> tuple[Restored, list[str]]:
    wal = open_in(path)
    wal.close()
    return wal.restored, wal.notes


def file_of(path: Path, term: int, index: int) -> Path:
    return path / "snapshots" / name_of(term, index)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A log compacted as far as it may be, with two snapshots of our own."""
    wal = open_in(tmp_path)
    for write in WRITES:
        wal.append([write])
    for meta in (OLDER, NEWEST):
        wal.snapshots.save(meta, [STATE])
    wal.compact(40)
    wal.close()
    return tmp_path


@pytest.fixture
def received(tmp_path: Path) -> Path:
    """A snapshot of our own, then a received one, and a log that goes on behind it."""
    wal = open_in(tmp_path)
    wal.append([vote(1, "a"), put(1, "a", "b", "c")])
    wal.snapshots.save(meta_of(2, 1), [STATE])
    wal.append([Write(0, HardState(2), chunk=Chunk(meta_of(20, 2), 0, STATE, last=True))])
    wal.close()
    return tmp_path


def expected_without_newest(found: Restored) -> Restored:
    base = found.base_index
    assert 17 <= base <= 20
    return Restored(HardState(1, "a"), model(WRITES).entries[base:], base, 1, OLDER)


def offset_of_part(content: bytes, at: int) -> int:
    """Where the part that holds byte `at` begins."""
    offset, found = 8, [0, 8]
    while (payload := frames.decode(content, NEWEST.index, offset)) is not None:
        offset += frames.size(len(payload))
        found.append(offset)
    assert offset == len(content)
    return max(start for start in found if start <= at)


def padding_of(content: bytes) -> set[int]:
    """The bytes between frames: only the checksum of the whole knows of them."""
    offset, found = 8, set[int]()
    while (payload := frames.decode(content, NEWEST.index, offset)) is not None:
        end = offset + frames.HEAD_BYTES + len(payload)
        offset += frames.size(len(payload))
        found |= {*range(end, offset)}
    return found


def test_a_bit_flipped_anywhere_in_the_newest_is_noted_and_the_older_one_stands_in(data: Path) -> None:
    file = file_of(data, 1, 30)
    sound = file.read_bytes()
    padding = padding_of(sound)
    closing = offset_of_part(sound, len(sound) - 1)
    assert len(padding) > 4
    for at in range(len(sound)):
        content = bytearray(sound)
        content[at] ^= 1 << at % 8
        file.write_bytes(content)
        if at == 7:  # the format: this may be a later version's, and is not ours to judge
            with pytest.raises(StorageError, match=r"30\.snap: format \d+; this program reads format 1 only"):
                start(data)
            continue
        restored, (note,) = start(data)
        assert restored == expected_without_newest(restored)
        where = closing if at in padding else offset_of_part(sound, at)
        assert note.startswith(f"{file}: damaged at offset {where}: ")
        assert note.endswith("; not used, an older state and the log stand in for it")
        assert "\n" not in note


def test_a_truncated_or_extended_snapshot_is_damaged(data: Path) -> None:
    file = file_of(data, 1, 30)
    sound = file.read_bytes()
    for content in [*(sound[:length] for length in range(len(sound))), sound + b"\0", sound + sound[-24:]]:
        file.write_bytes(content)
        restored, (note,) = start(data)
        assert restored == expected_without_newest(restored)
        assert f"{file}: damaged at offset " in note


def test_a_snapshot_copied_over_another_is_damaged(data: Path) -> None:
    file_of(data, 1, 30).write_bytes(file_of(data, 1, 20).read_bytes())
    assert start(data)[0].snapshot == OLDER
    writer = Writer(OsDirectory(data / "snapshots"), name_of(1, 30), meta_of(30, 2))
    writer.finish()
    writer.close()
    restored, (note,) = start(data)
    assert restored.snapshot == OLDER
    assert "its header is not that of a snapshot of this name" in note


def test_the_server_goes_on_after_it_fell_back_and_the_damaged_one_goes(data: Path) -> None:
    file_of(data, 1, 30).write_bytes(b"rot")
    wal = open_in(data)
    wal.compact(40)
    wal.append([put(41, "more")])
    wal.snapshots.save(meta_of(25, 1), [STATE])
    wal.compact(40)
    wal.close()
    assert [file.name for file in sorted((data / "snapshots").iterdir())] == [name_of(1, 20), name_of(1, 25)]
    restored, notes = start(data)
    assert notes == []
    assert (restored.snapshot, restored.base_index + len(restored.entries)) == (meta_of(25, 1), 41)


def test_with_both_damaged_only_a_whole_log_will_do(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    for index in (20, 30):
        file_of(data, 1, index).write_bytes(b"rot")
    with pytest.raises(StorageError) as caught:
        start(data)
    message = str(caught.value)
    assert message.index(name_of(1, 30)) < message.index(name_of(1, 20)) < message.index("0000000001.wal: missing, ")
    assert "comes back without a vote" in message
    assert "\n" not in message
    whole = tmp_path_factory.mktemp("whole")
    wal = open_in(whole)
    for write in WRITES:
        wal.append([write])
    wal.snapshots.save(NEWEST, [STATE])
    wal.close()
    file_of(whole, 1, 30).write_bytes(b"rot")
    restored, notes = start(whole)
    assert restored == model(WRITES)
    assert len(notes) == 1


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_damaged_received_snapshot_is_refused(received: Path, *, goes_on: bool) -> None:
    """It was acknowledged, and the log does not hold what it stands for: the older one would forget it."""
    if goes_on:
        wal = open_in(received)
        wal.append([put(21, "behind", term=2)])
        wal.close()
    file = file_of(received, 2, 20)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(
        StorageError, match=r"20\.snap: damaged at offset \d+: .*; .*comes back without a vote"
    ) as caught:
        start(received)
    assert ("begins anew" in str(caught.value)) == goes_on
    assert ("does not hold all" in str(caught.value)) != goes_on


def test_a_received_snapshot_that_is_gone_is_refused_once_the_log_stands_on_it(received: Path) -> None:
    wal = open_in(received)
    wal.append([put(21, "behind", term=2)])
    wal.close()
    file_of(received, 2, 20).unlink()
    with pytest.raises(StorageError, match=r"begins anew .*no sound snapshot stands for the log up to index 20"):
        start(received)


def test_a_missing_first_segment_is_refused_without_a_snapshot_that_covers_it(data: Path) -> None:
    (data / "wal" / min(file.name for file in (data / "wal").iterdir())).unlink()
    assert start(data)[0].snapshot == NEWEST
    for index in (20, 30):
        file_of(data, 1, index).unlink()
    with pytest.raises(
        StorageError, match=r"0000000001\.wal: missing, though .* no sound snapshot stands .*comes back without a vote"
    ):
        start(data)


def test_a_missing_segment_is_excused_only_by_a_snapshot_that_covers_it(data: Path) -> None:
    segments = sorted(file.name for file in (data / "wal").iterdir())
    held = {name: (data / "wal" / name).read_bytes() for name in segments}
    outcomes = []
    for name, behind in pairwise(segments):
        (data / "wal" / name).unlink()
        if Image.read(OsDirectory(data / "wal"), number_of(behind) or 0).position.index <= NEWEST.index:
            restored, _ = start(data)
            assert restored.entries == model(WRITES).entries[restored.base_index :]
            outcomes.append(True)
        else:
            with pytest.raises(StorageError, match=f"{name}: missing"):
                start(data)
            outcomes.append(False)
        (data / "wal" / name).write_bytes(held[name])
    assert outcomes == sorted(outcomes, reverse=True)
    assert {*outcomes} == {True, False}


def test_corruption_is_refused_even_where_a_snapshot_covers_it(data: Path) -> None:
    """A disk that rots is reported while there is something to report."""
    segment = min((data / "wal").iterdir())
    content = bytearray(segment.read_bytes())
    content[100] ^= 1
    segment.write_bytes(content)
    with pytest.raises(StorageError, match=r"\.wal: damaged at offset .*comes back without a vote"):
        start(data)


def test_a_foreign_file_among_the_snapshots_is_refused(data: Path) -> None:
    (data / "snapshots" / "1-20.snap").write_bytes(b"")
    with pytest.raises(StorageError, match=r"snapshots/1-20\.snap: not a snapshot; move it away"):
        start(data)


def test_a_refusal_changes_nothing(received: Path) -> None:
    file_of(received, 2, 20).write_bytes(b"rot")
    file_of(received, 1, 9).with_suffix(".snap.tmp").write_bytes(b"left over")
    (received / "wal" / "0000000009.wal.tmp").write_bytes(b"left over")
    before = {file: file.read_bytes() for file in received.glob("*/*")}
    with pytest.raises(StorageError):
        start(received)
    assert {file: file.read_bytes() for file in received.glob("*/*")} == before
