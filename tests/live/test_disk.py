from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest

from raftsim.core.config import of
from raftsim.core.entry import HardState, SnapshotMeta
from raftsim.core.output import ChunkWanted, Write
from raftsim.live.disk import DiskThreads
from raftsim.storage.errors import DamagedSnapshot, StorageError
from tests.live.helpers import BOUND_S, eventually

META = SnapshotMeta(5, 2, of("n1"), 1)
WANTED = ChunkWanted("n2", 5, 3)


class FakeData:
    """A data directory that takes as long as the test wants to sync, and to keep each part of a snapshot.

    `error` is raised by whatever is asked next.
    """

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_finish = threading.Semaphore(0)
        self.parts: list[bytes] = []
        self.may_keep = threading.Semaphore(0)
        self.compacted: list[int] = []
        self.error: Exception | None = None

    def append(self, writes: Sequence[Write]) -> None:
        self.batches.append([write.seq for write in writes])
        assert self.may_finish.acquire(timeout=BOUND_S)
        self._check()

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        assert meta is META
        self._check()
        for part in state:
            self.parts.append(part)
            assert self.may_keep.acquire(timeout=BOUND_S)

    def read_chunk(self, index: int, offset: int, max_bytes: int) -> tuple[bytes, bool] | None:
        self._check()
        return (b"0123456789"[offset:][:max_bytes], offset + max_bytes >= 10) if index == META.index else None

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        yield from (b"a", str(meta.index).encode())

    def compact(self, index: int) -> None:
        self._check()
        self.compacted.append(index)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error


class Bench:
    """What the threads are asked of, and what they tell."""

    def __init__(self) -> None:
        self.data = FakeData()
        self.done: list[int] = []
        self.saved: list[SnapshotMeta] = []
        self.chunks: list[tuple[ChunkWanted, bytes | None, bool]] = []
        self.failures: list[str] = []
        self.threads: set[int] = set()
        self.disk = DiskThreads(self.data, self, self._failed)
        self.disk.start()

    def submit(self, *seqs: int) -> None:
        for seq in seqs:
            self.disk.submit(Write(seq, HardState(seq, None)))

    def synced(self, seq: int) -> None:
        self.threads.add(threading.get_ident())
        self.done.append(seq)

    def snapshot_saved(self, meta: SnapshotMeta) -> None:
        self.threads.add(threading.get_ident())
        self.saved.append(meta)

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None:
        self.threads.add(threading.get_ident())
        self.chunks.append((wanted, data, last))

    def _failed(self, message: str) -> None:
        self.threads.add(threading.get_ident())
        self.failures.append(message)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    bench.data.may_finish.release(1000)
    bench.data.may_keep.release(1000)
    await bench.disk.stop()
    assert bench.threads <= {threading.get_ident()}  # all is told on the loop


async def test_all_writes_that_wait_share_the_next_sync(bench: Bench) -> None:
    bench.submit(1)
    await eventually(lambda: bench.data.batches == [[1]])
    bench.submit(*range(2, 51))
    assert bench.done == []
    bench.data.may_finish.release()
    await eventually(lambda: bench.data.batches == [[1], list(range(2, 51))])
    await eventually(lambda: bench.done == [1])
    bench.data.may_finish.release()
    await eventually(lambda: bench.done == [1, 50])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StorageError("wal/1: no space left on device"), "wal/1: no space left on device"),
        (RuntimeError("oops"), "the disk thread failed: RuntimeError('oops')"),
    ],
)
async def test_after_a_failure_nothing_is_durable_any_more(bench: Bench, error: Exception, message: str) -> None:
    bench.submit(1)
    await eventually(lambda: bench.data.batches == [[1]])
    bench.data.error = error
    bench.submit(2, 3)
    bench.data.may_finish.release(10)
    await eventually(lambda: bench.failures)
    bench.submit(4)
    await bench.disk.stop()
    assert bench.failures == [message]
    assert bench.done == []
    assert bench.data.batches == [[1]]


async def test_a_long_save_delays_neither_writes_nor_chunks(bench: Bench) -> None:
    bench.disk.save_snapshot(META, iter([b"one", b"two"]))
    await eventually(lambda: bench.data.parts == [b"one"])
    bench.submit(1)
    bench.data.may_finish.release()
    bench.disk.read_chunk(WANTED, 4)
    await eventually(lambda: bench.done == [1] and bench.chunks == [(WANTED, b"3456", False)])
    assert bench.saved == []
    bench.data.may_keep.release(2)
    await eventually(lambda: bench.saved == [META])
    assert bench.data.parts == [b"one", b"two"]


async def test_chunks_are_read_in_the_order_they_were_wanted(bench: Bench) -> None:
    gone = ChunkWanted("n3", 4, 0)
    bench.disk.read_chunk(WANTED, 7)
    bench.disk.read_chunk(gone, 7)
    bench.disk.compact(3)
    bench.disk.read_chunk(WANTED, 1)
    await eventually(lambda: bench.chunks == [(WANTED, b"3456789", True), (gone, None, False), (WANTED, b"3", False)])
    assert bench.data.compacted == [3]


async def test_what_is_restored_is_read_as_it_is_asked_for(bench: Bench) -> None:
    assert list(bench.disk.load_snapshot(META)) == [b"a", b"5"]


@pytest.mark.parametrize("parts", [0, 1, 2])
async def test_the_collector_rests_while_a_state_is_restored(bench: Bench, parts: int) -> None:
    """It took a fifth of the time. A machine that wants no more before the end wakes it as well."""
    state = bench.disk.load_snapshot(META)
    assert gc.isenabled()
    for _ in range(parts):
        assert next(state)
        assert not gc.isenabled()
    del state
    assert gc.isenabled()


async def test_the_collector_goes_on_when_a_state_is_restored(bench: Bench) -> None:
    state = bench.disk.load_snapshot(META)
    assert len(list(state)) == 2
    assert gc.isenabled()


@pytest.mark.parametrize(
    "ask",
    [
        lambda disk: disk.save_snapshot(META, iter([b"one"])),
        lambda disk: disk.read_chunk(WANTED, 1),
        lambda disk: disk.compact(3),
    ],
    ids=["save", "read", "compact"],
)
async def test_a_snapshot_that_cannot_be_kept_or_read_is_a_failure(
    bench: Bench, ask: Callable[[DiskThreads], None]
) -> None:
    bench.data.error = DamagedSnapshot("snapshots/5", 8, "not sound")
    ask(bench.disk)
    await eventually(lambda: bench.failures == ["snapshots/5: damaged at offset 8: not sound"])
    bench.data.error = None
    ask(bench.disk)
    await bench.disk.stop()
    assert (bench.saved, bench.chunks, bench.data.compacted, bench.data.parts) == ([], [], [], [])
    assert len(bench.failures) == 1


async def test_a_machine_that_cannot_be_saved_is_a_failure(bench: Bench) -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise RuntimeError("oops")

    bench.data.may_keep.release()
    bench.disk.save_snapshot(META, broken())
    await eventually(lambda: bench.failures == ["the snapshot thread failed: RuntimeError('oops')"])
    assert bench.saved == []


async def test_stop_finishes_what_was_submitted_and_gives_up_a_snapshot(bench: Bench) -> None:
    bench.disk.save_snapshot(META, itertools.repeat(b"endless"))
    bench.submit(1)
    await eventually(lambda: bench.data.batches == [[1]] and bench.data.parts)
    bench.submit(2, 3)
    bench.data.may_finish.release(2)
    bench.data.may_keep.release(1000)
    await bench.disk.stop()
    assert bench.data.batches == [[1], [2, 3]]
    assert bench.done == [1, 3]
    assert (bench.saved, bench.failures) == ([], [])
    assert not {thread.name for thread in threading.enumerate()} & {"disk", "snapshot", "chunk"}
