"""The disk port: threads of its own, so that a slow disk never stops the loop.

One writes, with group commit: all writes that came while the last sync ran share the next one. Another saves our
snapshots, and a third reads them for followers and removes old segments, so that neither delays a sync, nor a long
save a follower. Fail-stop: after a failure the server ends; what the disk holds is then unknown (B36).
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from raftsim.core.entry import SnapshotMeta
from raftsim.core.output import ChunkWanted, Write
from raftsim.live.worker import Worker
from raftsim.storage.collector import collector_paused


class Data(Protocol):
    """The part of a data directory that works while a server runs. All of it blocks and raises StorageError."""

    def append(self, writes: Sequence[Write]) -> None: ...
    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None: ...
    def read_chunk(self, index: int, offset: int, max_bytes: int) -> tuple[bytes, bool] | None: ...
    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]: ...
    def compact(self, index: int) -> None: ...


class Completions(Protocol):
    """The part of a node that hears of the disk."""

    def synced(self, seq: int) -> None: ...
    def snapshot_saved(self, meta: SnapshotMeta) -> None: ...
    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None: ...


class _Stopped(Exception):
    """Ends the saving of a snapshot nobody will ask for."""


class DiskThreads:
    """Implements `node.ports.Disk`. `node` is told on the loop; there too, `on_failure` gets one sentence from each
    thread that fails."""

    def __init__(self, data: Data, node: Completions, on_failure: Callable[[str], None]) -> None:
        self._data = data
        self._node = node
        self._loop = asyncio.get_running_loop()
        self._stopping = False
        self._writer = Worker[Write]("disk", self._write, on_failure)
        self._saver = Worker[Callable[[], None]]("snapshot", _do_each, on_failure)
        self._reader = Worker[Callable[[], None]]("chunk", _do_each, on_failure)

    def start(self) -> None:
        """From now on work."""
        for worker in (self._writer, self._saver, self._reader):
            worker.start()

    async def stop(self) -> None:
        """Finish what was submitted, give up a snapshot that is being saved, end the threads."""
        self._stopping = True
        for worker in (self._writer, self._saver, self._reader):
            await worker.stop()

    # the port

    def submit(self, write: Write) -> None:
        self._writer.put(write)

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        self._saver.put(lambda: self._save(meta, state))

    def read_chunk(self, wanted: ChunkWanted, max_bytes: int) -> None:
        self._reader.put(lambda: self._read(wanted, max_bytes))

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        with collector_paused():  # until the machine has all of it, or wants no more
            yield from self._data.load_snapshot(meta)
            gc.freeze()  # the machine keeps what it made of it: it need never be looked through

    def compact(self, index: int) -> None:
        self._reader.put(lambda: self._data.compact(index))

    # in the threads

    def _write(self, writes: list[Write]) -> None:
        self._data.append(writes)
        self._loop.call_soon_threadsafe(self._node.synced, writes[-1].seq)

    def _save(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        try:
            self._data.save_snapshot(meta, self._until_stopped(state))
        except _Stopped:
            return
        self._loop.call_soon_threadsafe(self._node.snapshot_saved, meta)

    def _until_stopped(self, state: Iterator[bytes]) -> Iterator[bytes]:
        for part in state:
            if self._stopping:
                raise _Stopped
            yield part

    def _read(self, wanted: ChunkWanted, max_bytes: int) -> None:
        data, last = self._data.read_chunk(wanted.index, wanted.offset, max_bytes) or (None, False)
        self._loop.call_soon_threadsafe(self._node.chunk_read, wanted, data, last)


def _do_each(jobs: list[Callable[[], None]]) -> None:
    for job in jobs:
        job()
