"""A disk that says no, at any operation of anything a server does: what was acknowledged is there at the next start."""

from __future__ import annotations

import errno
import os
from random import Random

import pytest

from raftsim.core.entry import HardState
from raftsim.core.output import Chunk, Write
from raftsim.storage.errors import StorageError
from raftsim.storage.wal import Wal
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import SMALL, open_wal, put, vote
from tests.storage.lives import Compact, Model, Op, Save, after_crash, meta_of, perform, state_of, steps

RECEIVED = meta_of(30, 2)
LIFE: list[Op] = [
    [vote(1, "a")],
    *([put(index, "d" * 40)] for index in range(1, 21)),
    Save(meta_of(8, 1)),
    Save(meta_of(16, 1)),
    [Write(0, HardState(2), chunk=Chunk(RECEIVED, 0, state_of(RECEIVED)[:20], last=False))],
]
DOINGS: dict[str, Op] = {
    "append": [put(21, "e")],
    "append to a new segment": [put(21, "e" * 200)],
    "save a snapshot": Save(meta_of(20, 1)),
    "receive the first of a snapshot": [Write(0, None, chunk=Chunk(RECEIVED, 0, b"anew", last=False))],
    "receive the last of a snapshot": [Write(0, None, chunk=Chunk(RECEIVED, 20, state_of(RECEIVED)[20:], last=True))],
    "compact": Compact(20),
}
NEEDED: dict[str, dict[str, int]] = {  # what fails, and with what, for each
    "append": {"write": errno.ENOSPC, "sync": errno.EIO},
    "append to a new segment": {"create": errno.EROFS, "write": errno.EIO, "sync": errno.EIO, "rename": errno.EIO},
    "save a snapshot": {"create": errno.EROFS, "write": errno.ENOSPC, "sync": errno.EIO, "rename": errno.EIO},
    "receive the first of a snapshot": {"create": errno.EROFS, "write": errno.ENOSPC, "remove": errno.EIO},
    "receive the last of a snapshot": {"write": errno.ENOSPC, "sync": errno.EIO, "rename": errno.EIO},
    "compact": {"remove": errno.EROFS, "sync": errno.EIO},
}


def lived(disk: CrashDisk) -> tuple[Wal, Model]:
    wal, model = open_wal(disk, SMALL), Model()
    for op in LIFE:
        perform(wal, op)
        for step in steps(op):
            model.take(step)
    return wal, model


@pytest.mark.parametrize("power_cut", [False, True])
@pytest.mark.parametrize(
    ("doing", "operation", "number"),
    [(doing, operation, number) for doing, needed in NEEDED.items() for operation, number in needed.items()],
)
def test_a_disk_that_fails(doing: str, operation: str, number: int, *, power_cut: bool) -> None:
    disk = CrashDisk()
    wal, model = lived(disk)
    disk.failing[operation] = number
    op = DOINGS[doing]
    with pytest.raises((StorageError, OSError), match=os.strerror(number)):
        perform(wal, op)
    disk.failing.clear()
    if isinstance(op, list):
        with pytest.raises(StorageError, match="the log takes no more writes"):
            wal.append([put(21, "after")])
    else:
        wal.append([put(21, "after")])
        model.take(put(21, "after"))
    wal.close()
    assert disk.open_files == 0
    if power_cut:
        disk.crash(Random(1))
    wal = open_wal(disk, SMALL)
    after_crash(model, [op], wal.restored)
    for meta, _ in wal.snapshots.facts():
        assert b"".join(wal.snapshots.load(meta)) == state_of(meta)
    wal.append([vote(9, "z")])


@pytest.mark.parametrize(
    ("operation", "number"),
    [("open", errno.EROFS), ("write", errno.EIO), ("sync", errno.EIO), ("remove", errno.EROFS)],
)
def test_a_disk_that_fails_at_the_start(operation: str, number: int) -> None:
    """The start is refused, and the next one finds everything."""
    disk = CrashDisk()
    wal, model = lived(disk)
    wal.close()
    disk.failing[operation] = number
    with pytest.raises(StorageError, match=os.strerror(number)):
        open_wal(disk, SMALL)
    assert disk.open_files == 0
    disk.failing.clear()
    disk.crash(Random(2))
    after_crash(model, [], open_wal(disk, SMALL).restored)
