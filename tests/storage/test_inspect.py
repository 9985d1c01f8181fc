"""Looking at data from outside: the same as a start would find, and nothing is touched."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

import pytest

from raftsim.core.entry import HardState
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsDirectory
from raftsim.storage.identity import Identity
from raftsim.storage.inspect import inspect
from tests.storage.helpers import frames_in, open_dir, put, vote
from tests.storage.lives import meta_of


def everything_in(path: Path) -> dict[str, tuple[int, bytes]]:
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    return {str(file): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


@pytest.mark.parametrize("running", [True, False])
def test_a_server_is_inspected_running_or_stopped(tmp_path: Path, *, running: bool) -> None:
    data = open_dir(tmp_path)
    data.append([vote(3, "n2")])
    for index in range(1, 31):
        data.append([put(index, "d" * 500, term=2)])
    for index in (12, 20):
        data.save_snapshot(meta_of(index, 2), [b"state"])
    data.compact(20)
    if not running:
        data.close()
    before = everything_in(tmp_path)
    found = inspect(tmp_path)
    assert everything_in(tmp_path) == before
    if running:
        data.close()
    restarted = open_dir(tmp_path)
    restarted.close()
    assert found.restored == restarted.restored
    assert found.restored.hard == HardState(3, "n2")
    assert (found.first_index, found.last_index) == (found.restored.base_index + 1, 30)
    assert 1 < found.first_index <= 13
    assert found.path == str(tmp_path / "raft" / "wal")
    assert found.segments == len(os.listdir(found.path))
    assert found.snapshots == [(meta_of(12, 2), 5), (meta_of(20, 2), 5)]
    assert (found.identity, found.notes) == (Identity("c1", "n1"), [])


def test_an_empty_log_has_no_index(tmp_path: Path) -> None:
    open_dir(tmp_path).close()
    found = inspect(tmp_path)
    assert (found.first_index, found.last_index, found.segments, found.snapshots) == (0, 0, 1, [])


def test_a_tail_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([put(1, "x")])
    data.append([put(2, "y" * 100)])
    data.close()
    segment = tmp_path / "raft" / "wal" / "0000000001.wal"
    content = segment.read_bytes()
    segment.write_bytes(content.rstrip(b"\0")[:-50].ljust(len(content), b"\0"))
    before = everything_in(tmp_path)
    found = inspect(tmp_path)
    assert everything_in(tmp_path) == before
    assert found.last_index == 1
    assert "unfinished write" in found.notes[0]


def test_a_server_that_writes_rolls_saves_and_compacts_meanwhile_is_never_called_damaged(tmp_path: Path) -> None:
    data, enough = open_dir(tmp_path), Event()
    reached = [0]

    def work() -> None:
        while not enough.is_set():
            index = reached[0] + 1
            data.append([put(index, "d" * 900)])
            reached[0] = index
            if index % 20 == 0:
                data.save_snapshot(meta_of(index - 5, 1), [b"state"])
                data.compact(index - 5)

    worker = Thread(target=work)
    worker.start()
    try:
        seen = -1
        for _ in range(40):
            acknowledged = reached[0]
            found = inspect(tmp_path)
            assert found.last_index >= max(seen, acknowledged)
            seen = found.last_index
        while reached[0] < 45:
            assert worker.is_alive()
    finally:
        enough.set()
        worker.join()
        data.close()


def test_a_place_without_a_log_is_refused(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(StorageError, match="raft/wal: there is no log"):
            inspect(tmp_path)
        (tmp_path / "raft").mkdir(exist_ok=True)


def test_damage_is_told_as_a_start_would(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([put(1, "x")])
    data.append([put(2, "y")])
    data.close()
    segment = tmp_path / "raft" / "wal" / "0000000001.wal"
    content = bytearray(segment.read_bytes())
    content[frames_in(OsDirectory(segment.parent), 1)[1][0]] ^= 1
    segment.write_bytes(content)
    with pytest.raises(StorageError) as told:
        inspect(tmp_path)
    with pytest.raises(StorageError) as refused:
        open_dir(tmp_path)
    assert str(told.value) == str(refused.value)
    assert "damaged at offset" in str(told.value)
