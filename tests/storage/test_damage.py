"""What a start makes of a damaged log: a torn tail is cut and reported, everything else is refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgpack
import pytest

from raftsim.core.entry import COMMAND, Entry, HardState
from raftsim.core.output import Write
from raftsim.storage import frames
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.wal import WalSettings
from tests.storage.helpers import fill, flat, frames_in, model, open_wal, put, reopened, vote

BATCHES = [
    [vote(1, "a"), put(1, "one", "two")],
    [put(3, "three" * 9)],
    [put(3, "3", term=2)],
    [put(4, "four" * 5, term=2)],
]
SEGMENTS = WalSettings(segment_bytes=176)  # two of them
TEAR: list[tuple[str, Callable[[bytes, int], bytes]]] = [
    ("cut the file here", lambda data, at: data[:at]),
    ("zeros from here", lambda data, at: data[:at] + bytes(len(data) - at)),
    ("one bit here", lambda data, at: data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]),
    ("noise from here", lambda data, at: data[:at] + bytes(b ^ 0x5A for b in data[at : at + 40]) + data[at + 40 :]),
]


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    """Where a log of four frames in two segments lies."""
    fill(OsDirectory(tmp_path), BATCHES, SEGMENTS)
    assert [len(frames_in(OsDirectory(tmp_path), number)) for number in (1, 2)] == [3, 3]
    return tmp_path


@pytest.mark.parametrize("tear", [tear for _, tear in TEAR], ids=[name for name, _ in TEAR])
def test_a_torn_last_frame_is_cut(wal: Path, tear: Callable[[bytes, int], bytes]) -> None:
    directory = OsDirectory(wal)
    file = wal / "0000000002.wal"
    sound = file.read_bytes()
    start, end = frames_in(directory, 2)[-1]
    for at in range(start, end):
        file.write_bytes(tear(sound, at))
        restored, notes = reopened(directory, SEGMENTS)
        assert restored == model(flat(BATCHES[:-1]))
        if any(tear(sound, at)[start:]):
            assert notes == [f"{file}: cut an unfinished write, never acknowledged, at {start}"]
        else:
            assert notes == []
        assert reopened(directory, SEGMENTS) == (restored, [])


def test_a_cut_log_goes_on(wal: Path) -> None:
    directory = OsDirectory(wal)
    file = wal / "0000000002.wal"
    _, end = frames_in(directory, 2)[-1]
    file.write_bytes(file.read_bytes()[: end - 3])
    more = [[put(4, "again", term=2)], [put(5, "and more" * 20, term=2)]]
    fill(directory, more, SEGMENTS)
    assert reopened(directory, SEGMENTS) == (model(flat(BATCHES[:-1] + more)), [])


def test_a_torn_frame_with_its_first_page_lost_is_cut(wal: Path) -> None:
    directory = OsDirectory(wal)
    file = wal / "0000000002.wal"
    start, _ = frames_in(directory, 2)[-1]
    data = bytearray(file.read_bytes())
    data[start : start + 16] = bytes(16)
    file.write_bytes(data)
    assert reopened(directory, SEGMENTS)[0] == model(flat(BATCHES[:-1]))
    assert not any(file.read_bytes()[start:])


@pytest.mark.parametrize("number", [1, 2])
def test_a_flipped_bit_in_any_other_frame_is_refused(wal: Path, number: int) -> None:
    directory = OsDirectory(wal)
    file = wal / f"{number:010d}.wal"
    sound = file.read_bytes()
    all_frames = frames_in(directory, number)
    for start, end in all_frames if number == 1 else all_frames[:-1]:
        for at in range(start, end):
            data = bytearray(sound)
            data[at] ^= 1 << at % 8
            file.write_bytes(data)
            with pytest.raises(StorageError) as caught:
                reopened(directory, SEGMENTS)
            assert str(caught.value).startswith(f"{file}: damaged at offset {start}: ")
            assert "comes back without a vote" in str(caught.value)
            assert "\n" not in str(caught.value)
            assert file.read_bytes() == data, "a refusal changes nothing"


def test_a_corrupted_vote_record_is_refused(tmp_path: Path) -> None:
    """Starting without it, this server could vote twice."""
    directory = OsDirectory(tmp_path)
    fill(directory, [[vote(7, "candidate")], [put(1, "x", term=7)]])
    file = tmp_path / "0000000001.wal"
    data = file.read_bytes()
    file.write_bytes(data.replace(b"candidate", b"candidata"))
    with pytest.raises(StorageError, match=r"0000000001\.wal: damaged at offset \d+: .*without a vote"):
        reopened(directory)
    file.write_bytes(data)
    assert reopened(directory)[0].hard == HardState(7, "candidate")


def test_frames_lost_at_the_end_of_an_earlier_segment_are_missed(wal: Path) -> None:
    file = wal / "0000000001.wal"
    start, _ = frames_in(OsDirectory(wal), 1)[-1]
    file.write_bytes(file.read_bytes()[:start].ljust(SEGMENTS.segment_bytes, b"\0"))
    with pytest.raises(StorageError, match=r"0000000002.wal: damaged at offset 0: the log before this segment"):
        reopened(OsDirectory(wal))


def test_noise_behind_the_frames_of_an_earlier_segment_is_refused(wal: Path) -> None:
    file = wal / "0000000001.wal"
    data = bytearray(file.read_bytes())
    data[-1] = 1
    file.write_bytes(data)
    with pytest.raises(StorageError, match="not the last segment"):
        reopened(OsDirectory(wal))


def test_a_missing_segment_is_refused(wal: Path) -> None:
    fill(OsDirectory(wal), [[put(5, "x" * 300, term=2)]], SEGMENTS)
    (wal / "0000000002.wal").unlink()
    with pytest.raises(StorageError, match=r"0000000002\.wal: missing, though 0000000003\.wal is there"):
        reopened(OsDirectory(wal))
    (wal / "0000000001.wal").unlink()
    with pytest.raises(StorageError, match=r"0000000001\.wal: missing"):
        reopened(OsDirectory(wal))


def test_a_segment_copied_over_another_is_refused(wal: Path) -> None:
    shutil.copy(wal / "0000000001.wal", wal / "0000000002.wal")
    with pytest.raises(StorageError, match=r"0000000002\.wal: damaged at offset 8: its header is not valid"):
        reopened(OsDirectory(wal))


@pytest.mark.parametrize("content", [b"", b"raft", b"SQLite format 3\0" * 20], ids=["empty", "short", "other program"])
def test_a_foreign_file_with_the_name_of_a_segment_is_refused(wal: Path, content: bytes) -> None:
    (wal / "0000000002.wal").write_bytes(content)
    with pytest.raises(StorageError, match=r"0000000002\.wal: not a raftsim log segment"):
        reopened(OsDirectory(wal))


def test_a_foreign_name_is_refused(wal: Path) -> None:
    (wal / "0000000002.wal.old").write_bytes(b"")
    with pytest.raises(StorageError, match=r"0000000002\.wal\.old: not part of the log"):
        reopened(OsDirectory(wal))


def test_a_newer_format_is_refused(wal: Path) -> None:
    file = wal / "0000000001.wal"
    data = bytearray(file.read_bytes())
    data[7] = 2
    file.write_bytes(data)
    with pytest.raises(StorageError, match=r"0000000001\.wal: format 2; this program reads format 1 only"):
        reopened(OsDirectory(wal))


@pytest.mark.parametrize(
    "header",
    [(1, "crc99", 0, 0, (0, None)), (9, "crc32", 0, 0, (0, None)), (1, "crc32", 0, 0, (0,)), "text"],
    ids=["unknown checksum", "another number", "no vote record", "another form"],
)
def test_a_header_no_server_can_have_written_is_refused(wal: Path, header: object) -> None:
    file = wal / "0000000001.wal"
    file.write_bytes(
        (file.read_bytes()[:8] + frames.encode(msgpack.packb(header), 1, 8)).ljust(SEGMENTS.segment_bytes, b"\0")
    )
    with pytest.raises(StorageError, match=r"0000000001\.wal: damaged at offset 8: its header is not valid: "):
        reopened(OsDirectory(wal))


def test_what_a_crash_left_unfinished_is_removed(wal: Path) -> None:
    (wal / "0000000003.wal.tmp").write_bytes(bytes(10))
    assert reopened(OsDirectory(wal), SEGMENTS) == (model(flat(BATCHES)), [])
    assert sorted(file.name for file in wal.iterdir()) == ["0000000001.wal", "0000000002.wal"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([(None, 7, [(3, 1, b"")], None)], "a hole in the log: index 7 after 4"),
        ([(None, 0, [(3, 1, b"")], None)], "a hole in the log: index 0 after 4"),
        ([(None, 5, [(1, 1, b"")], None)], "the term falls from 2 to 1 at index 5"),
        ([(None, 1, [(3, 1, b""), (2, 1, b"")], None)], "the term falls from 3 to 2 at index 2"),
        ([(None, 5, [(3, 9, b"")], None)], "not an entry"),
        ([(("a", 1), 0, [], None)], "not a vote record"),
        ([(None, "5", [(3, 1, b"")], None)], "not supported"),
        ([(None, 5)], "not enough values"),
        (7, "not iterable"),
    ],
)
def test_a_whole_frame_no_server_can_have_written_is_refused_even_at_the_end(
    wal: Path, payload: object, reason: str
) -> None:
    """Its checksums hold, so no crash tore it: cutting it could forget what was acknowledged."""
    file = wal / "0000000002.wal"
    _, end = frames_in(OsDirectory(wal), 2)[-1]
    offset = -(-end // frames.ALIGNMENT) * frames.ALIGNMENT
    data = file.read_bytes()
    frame = frames.encode(msgpack.packb(payload), 2, offset)
    file.write_bytes((data[:offset] + frame).ljust(len(data), b"\0"))
    with pytest.raises(StorageError, match=f"damaged at offset {offset}: .*{reason}"):
        reopened(OsDirectory(wal))


def test_a_value_that_looks_like_a_frame_is_no_frame(tmp_path: Path) -> None:
    """A torn write whose data holds a copy of sound frames, at offsets a frame may have, is still a torn write."""
    directory = OsDirectory(tmp_path)
    fill(directory, BATCHES)
    file = tmp_path / "0000000001.wal"
    copied = file.read_bytes()[:512]
    for shift in range(frames.ALIGNMENT):
        wal = open_wal(directory)
        wal.append([put(5, "p" * shift, term=2), Write(0, None, 6, [Entry(2, COMMAND, copied)])])
        wal.close()
        *_, (start, end) = frames_in(directory, 1)
        data = bytearray(file.read_bytes())
        data[start + 12] ^= 1
        file.write_bytes(data)
        restored, notes = reopened(directory)
        assert restored == model(flat(BATCHES))
        assert len(notes) == 1
        assert end > start + len(copied)
