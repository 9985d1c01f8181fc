"""Small writes, a model of what they mean, and a look at where frames lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from raftsim.core.entry import COMMAND, Entry, HardState, Restored, SnapshotMeta
from raftsim.core.output import Chunk, Write
from raftsim.storage.datadir import DataDir
from raftsim.storage.files import Directory
from raftsim.storage.segment import Image
from raftsim.storage.snapshots import Snapshots
from raftsim.storage.wal import Wal, WalSettings
from tests.storage.crashdisk import CrashDisk

BLOCK_BYTES = 32
STATE = bytes(range(1, 101))
SMALL = WalSettings(segment_bytes=256, frame_bytes=128)


def put(first: int, *data: str, term: int = 1, hard: HardState | None = None) -> Write:
    """A write of commands from index `first` on."""
    return Write(0, hard, first, [Entry(term, COMMAND, value.encode()) for value in data])


def vote(term: int, name: str | None) -> Write:
    return Write(0, HardState(term, name))


def model(writes: Iterable[Write]) -> Restored:
    """What a log must hold after `writes`: the oracle, kept as plain as can be."""
    hard, log = HardState(), list[Entry]()
    for write in writes:
        hard = write.hard or hard
        if write.entries:
            log = log[: write.first_index - 1] + write.entries
    return Restored(hard, log)


def chunks(meta: SnapshotMeta, *parts: bytes) -> list[Write]:
    """The writes of a server that receives a snapshot in these parts, the last one included."""
    writes, offset = list[Write](), 0
    for number, part in enumerate(parts, 1):
        writes.append(Write(0, None, chunk=Chunk(meta, offset, part, last=number == len(parts))))
        offset += len(part)
    return writes


def flat(batches: Sequence[Sequence[Write]]) -> list[Write]:
    return [write for batch in batches for write in batch]


def open_dir(path: Path, *, cluster_id: str = "c1", server_id: str = "n1") -> DataDir:
    settings = WalSettings(segment_bytes=4096)
    return DataDir.open(path, cluster_id=cluster_id, server_id=server_id, settings=settings)


def open_wal(place: CrashDisk | Directory, settings: WalSettings | None = None) -> Wal:
    """The log on a disk, with its snapshots (in small blocks, so that each has several); or one without snapshots."""
    if isinstance(place, CrashDisk):
        return Wal.open(place.wal, Snapshots(place.snapshots, BLOCK_BYTES), settings)
    return Wal.open(place, Snapshots(CrashDisk().snapshots), settings)


def fill(place: CrashDisk | Directory, batches: Sequence[Sequence[Write]], settings: WalSettings | None = None) -> None:
    wal = open_wal(place, settings)
    for batch in batches:
        wal.append(batch)
    wal.close()


def reopened(place: CrashDisk | Directory, settings: WalSettings | None = None) -> tuple[Restored, list[str]]:
    wal = open_wal(place, settings)
    wal.close()
    return wal.restored, wal.notes


def frames_in(directory: Directory, number: int) -> list[tuple[int, int]]:
    """Where each frame of a segment begins, and where its payload ends; the header first."""
    image = Image.read(directory, number)
    header = image.offset
    found = [(image.last, image.last + 12 + int.from_bytes(image.data[image.last : image.last + 4], "little"))]
    while (payload := image.next_payload()) is not None:
        found.append((image.last, image.last + 12 + len(payload)))
    assert found[0][1] <= header
    return found
