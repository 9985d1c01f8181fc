"""A timeline, and a disk on it, without a world."""

from __future__ import annotations

from random import Random

from raftsim.core.config import of
from raftsim.core.entry import NOOP, Entry, HardState, Restored, SnapshotMeta
from raftsim.core.output import Chunk, ChunkWanted, Write
from raftsim.sim.disk import DiskModel, SimDisk
from raftsim.sim.timeline import Timeline

SLOW_SAVES = DiskModel(0.01, 0.01, 0.1, 0.1)
SLOW_SYNCS = DiskModel(0.1, 0.1, 0.01, 0.01)


def play(timeline: Timeline) -> None:
    """Everything that will happen, to the end."""
    timeline.take_turns()
    while timeline.queue:
        timeline.advance(min(timeline.queue)[0], None, ())


class Server:
    """A server that only listens, and its disk."""

    name = "n1"

    def __init__(self, seed: int = 0, model: DiskModel = SLOW_SAVES) -> None:
        self.seqs: list[int] = []
        self.saved: list[SnapshotMeta] = []
        self.kept: list[tuple[SnapshotMeta, str]] = []
        self.chunks: list[tuple[bytes | None, bool]] = []
        self.timeline = Timeline()
        self.disk = SimDisk(self.timeline, model, Random(seed), Restored(), self)

    def synced(self, seq: int) -> None:
        self.seqs.append(seq)

    def snapshot_saved(self, meta: SnapshotMeta) -> None:
        self.saved.append(meta)

    def snapshot_kept(self, meta: SnapshotMeta, digest: str) -> None:
        self.kept.append((meta, digest))

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None:
        del wanted
        self.chunks.append((data, last))

    def disk_failed(self, reason: str) -> None:
        raise AssertionError(reason)

    def power_cut(self) -> None:
        raise AssertionError("the power was cut")

    def submit(self, *writes: Write) -> None:
        for write in writes:
            self.disk.submit(write)

    def play(self) -> None:
        play(self.timeline)

    def run(self, for_s: float) -> None:
        self.timeline.advance(self.timeline.now + for_s, None, ())

    def save(self, meta: SnapshotMeta, *parts: bytes) -> None:
        self.disk.save_snapshot(meta, iter(parts))
        self.play()

    def loaded(self, meta: SnapshotMeta) -> bytes:
        return b"".join(self.disk.load_snapshot(meta))


def log_of(server: Server, *terms: int) -> None:
    """Make entries with these terms durable, from index 1 on, in one write."""
    server.submit(Write(1, HardState(max(terms), None), 1, [Entry(term, NOOP) for term in terms]))
    server.play()


def meta(index: int, term: int) -> SnapshotMeta:
    return SnapshotMeta(index, term, of("n1"), 1)


def chunks(seq: int, of_meta: SnapshotMeta, *parts: bytes) -> list[Write]:
    """Writes that bring a snapshot in `parts`, numbered from `seq` on."""
    writes, offset = [], 0
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        writes.append(Write(seq + number, None, chunk=Chunk(of_meta, offset, part, last)))
        offset += len(part)
    return writes


def terms(restored: Restored) -> list[int]:
    return [entry.term for entry in restored.entries]
