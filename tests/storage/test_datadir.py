"""The data directory: lock, identity, log, and the order that keeps them consistent."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from raftsim.core.config import of
from raftsim.core.entry import HardState, Restored, bootstrapped
from raftsim.core.output import Write
from raftsim.storage.datadir import DataDir
from raftsim.storage.errors import StorageError
from raftsim.storage.files import OsFile
from tests.storage.helpers import model, open_dir, put, vote


def test_a_new_directory_is_made_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    data = open_dir(path)
    assert (data.restored, data.notes) == (Restored(), [])
    data.append([vote(1, "n1"), put(1, "x")])
    data.close()
    assert json.loads((path / "raft" / "identity.json").read_text()) == {
        "format": 1,
        "cluster_id": "c1",
        "server_id": "n1",
    }
    data = open_dir(path)
    assert data.restored == model([vote(1, "n1"), put(1, "x")])
    data.close()


def test_a_torn_tail_is_noted(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([put(1, "x")])
    data.close()
    segment = tmp_path / "raft" / "wal" / "0000000001.wal"
    content = segment.read_bytes()
    segment.write_bytes(content.rstrip(b"\0")[:-1].ljust(len(content), b"\0"))
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == Restored()
    assert len(data.notes) == 1
    assert str(segment) in data.notes[0]


def test_the_incarnation_is_that_of_the_first_start(tmp_path: Path) -> None:
    for number in (7, 8):
        data = DataDir.open(tmp_path, cluster_id="c1", server_id="n1", incarnation=number)
        assert data.restored.incarnation == 7
        data.bootstrap(bootstrapped(of("n1")))
        assert data.restored == Restored(HardState(), bootstrapped(of("n1")).entries, incarnation=7)
        data.close()
    shutil.rmtree(tmp_path / "raft")
    data = DataDir.open(tmp_path, cluster_id="c1", server_id="n1", incarnation=9)
    assert data.restored == Restored(incarnation=9)
    data.close()


@pytest.mark.parametrize("number", ["7", -1, 1 << 49, True])
def test_an_incarnation_that_is_none(tmp_path: Path, number: object) -> None:
    open_dir(tmp_path).close()
    path = tmp_path / "raft" / "identity.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"incarnation": number}))
    with pytest.raises(StorageError, match="not an identity"):
        open_dir(tmp_path)


def test_that_a_server_is_a_founder_is_kept(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([Write(1, HardState(0, None, founder=True))])
    data.close()
    data = open_dir(tmp_path)
    assert data.restored.hard == HardState(0, None, founder=True)
    data.close()


def test_bootstrap_happens_once(tmp_path: Path) -> None:
    first, second = bootstrapped(of("n1", "n2", "n3")), bootstrapped(of("n9"))
    data = open_dir(tmp_path)
    data.bootstrap(first)
    data.bootstrap(second)
    assert data.restored == first
    data.close()
    data = open_dir(tmp_path)
    data.bootstrap(second)
    data.append([put(2, "x")])
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == Restored(first.hard, first.entries + put(2, "x").entries)


def test_bootstrap_never_forgets_a_vote(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    data.append([vote(5, "n2")])
    data.close()
    data = open_dir(tmp_path)
    data.bootstrap(bootstrapped(of("n1")))
    data.close()
    assert data.restored == Restored(HardState(5, "n2"))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ({"cluster_id": "c2"}, "holds the data of cluster 'c1', this is cluster 'c2'"),
        ({"server_id": "n2"}, "holds the data of server 'n1', this is server 'n2'"),
    ],
)
def test_another_identity_is_refused(tmp_path: Path, ids: dict[str, str], message: str) -> None:
    open_dir(tmp_path).close()
    with pytest.raises(StorageError, match=message):
        open_dir(tmp_path, **ids)
    open_dir(tmp_path).close()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "identity.json: not valid JSON"),
        ("[]", "identity.json: not an identity"),
        ('{"format": 1, "cluster_id": "c1"}', "identity.json: not an identity"),
        (
            '{"format": 2, "cluster_id": "c1", "server_id": "n1"}',
            "identity.json: format 2; this program reads format 1",
        ),
    ],
)
def test_a_damaged_identity_is_refused(tmp_path: Path, content: str, message: str) -> None:
    open_dir(tmp_path).close()
    (tmp_path / "raft" / "identity.json").write_text(content)
    with pytest.raises(StorageError, match=message):
        open_dir(tmp_path)


def test_an_identity_whose_log_is_gone_is_refused(tmp_path: Path) -> None:
    open_dir(tmp_path).close()
    (tmp_path / "raft" / "wal" / "0000000001.wal").unlink()
    with pytest.raises(StorageError, match="raft/wal: the log is gone, and its votes with it"):
        open_dir(tmp_path)


def test_a_log_whose_identity_is_gone_is_refused_unless_it_is_empty(tmp_path: Path) -> None:
    data = open_dir(tmp_path)
    (tmp_path / "raft" / "identity.json").unlink()
    data.close()
    data = open_dir(tmp_path)  # a crash between the two files looks like this
    data.append([vote(1, "n1")])
    data.close()
    (tmp_path / "raft" / "identity.json").unlink()
    with pytest.raises(StorageError, match=r"identity\.json: missing, though there is a log beside it"):
        open_dir(tmp_path)


def test_a_second_process_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from raftsim.storage.datadir import DataDir\n"
        "data = DataDir.open(Path(sys.argv[1]), cluster_id='c1', server_id='n1')\n"
        "print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StorageError, match=rf"{tmp_path}/raft/LOCK: in use by process {holder.pid}$"):
            open_dir(tmp_path)
        holder.kill()
    open_dir(tmp_path).close()  # the lock went with its process


def test_the_lock_is_free_again_after_a_refusal(tmp_path: Path) -> None:
    open_dir(tmp_path).close()
    for _ in range(2):
        with pytest.raises(StorageError, match="this is server 'n2'"):
            open_dir(tmp_path, server_id="n2")


def test_a_place_that_can_not_be_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"file.*: Not a directory"):
        open_dir(tmp_path / "file" / "data")


@pytest.mark.parametrize(("call", "number"), [("pwrite", errno.ENOSPC), ("fdatasync", errno.EIO)])
def test_an_error_of_the_disk_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    data = open_dir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StorageError, match=rf"wal/0000000001\.wal: {os.strerror(number)} \(the log takes no more"):
            data.append([put(1, "x")])
    with pytest.raises(StorageError, match=os.strerror(number)):
        data.append([put(1, "x")])
    data.close()


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    """The system itself says so, of a device that is always full."""
    data = open_dir(tmp_path)
    segment = data._wal._segment
    segment._file.close()
    segment._file = OsFile(Path("/dev/full"), os.O_RDWR)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"^/dev/full: No space left on device \(the log takes no more writes"):
            data.append([put(1, "x")])
    data.close()
    open_dir(tmp_path).close()


def test_what_was_written_in_part_before_an_error_is_cut(tmp_path: Path) -> None:
    """The system takes some bytes, and refuses the rest."""
    data = open_dir(tmp_path)
    data.append([put(1, "x")])
    offset = data._wal._segment._offset
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (offset + 20, hard))
    try:
        with pytest.raises(StorageError, match=r"wal/0000000001\.wal: File too large \(the log takes no more writes"):
            data.append([put(2, "y" * 50)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == model([put(1, "x")])
    assert data.notes == [
        f"{tmp_path}/raft/wal/0000000001.wal: cut an unfinished write, never acknowledged, at {offset}"
    ]


def test_a_read_only_disk_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is read, and then made durable: a server that could not write must not vouch for anything."""
    data = open_dir(tmp_path)
    data.append([put(1, "x")])
    data.close()
    opened = os.open

    def read_only(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR and Path(path).name != "LOCK":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, flags, mode)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(StorageError, match=r"wal/0000000001\.wal: Read-only file system$"):
            open_dir(tmp_path)
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == model([put(1, "x")])


def test_a_part_written_is_followed_by_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may write less than it was asked to."""
    whole = os.pwrite
    data = open_dir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", lambda fd, content, offset: whole(fd, content[:7], offset))
        data.append([put(1, "x" * 50)])
    data.close()
    data = open_dir(tmp_path)
    data.close()
    assert data.restored == model([put(1, "x" * 50)])
