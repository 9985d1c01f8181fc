"""The snapshots of a server: the newest two are kept, each a file named after the term and index it stands for.

A snapshot gets its name when it is whole and durable, so a crash never leaves a part of one under such a name. Our own
are written by another thread than the one that appends to the log and receives snapshots of others; what the two
share is guarded by a lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Final

from raftsim.core.entry import SnapshotMeta
from raftsim.core.output import Chunk
from raftsim.storage.errors import DamagedSnapshot, StorageError
from raftsim.storage.files import TEMPORARY, Directory
from raftsim.storage.snapfile import BLOCK_BYTES, Reader, Writer, name_of, place_of

KEPT: Final = 2
RECEIVING: Final = ".receiving"


class Snapshots:
    """The snapshots in `directory`. Reading them changes nothing; call `clean` before writing.

    `newest` is the newest sound one, `damaged` what is wrong with each newer one: ((term, index), error), newest first.
    Methods raise OSError and StorageError.
    """

    def __init__(self, directory: Directory, block_bytes: int = BLOCK_BYTES) -> None:
        self.path = directory.path
        self.newest: SnapshotMeta | None = None
        self.damaged: list[tuple[tuple[int, int], DamagedSnapshot]] = []
        self._directory = directory
        self._block_bytes = block_bytes
        self._receiving: Writer | None = None
        self._lock = Lock()
        self._kept = _stored(directory)  # (term, index), oldest first
        while self._kept and self.newest is None:
            try:
                self.newest = _verified(directory, *self._kept[-1])
            except DamagedSnapshot as error:
                self.damaged.append((self._kept.pop(), error))
        self._kept = self._kept[-KEPT:]

    def clean(self) -> list[str]:
        """Remove what a crash left unfinished, make the names durable. Returns what to tell the operator."""
        notes = []
        for name in self._directory.names():
            if place_of(name) is None:
                self._directory.remove(name)
                if name.endswith(RECEIVING):
                    notes.append(f"{self.path}/{name}: removed, this snapshot had not been received as a whole")
        self._directory.sync()  # a snapshot that was found may have its name in the page cache alone
        return notes

    @property
    def covered(self) -> int:
        """The log up to here is not needed even if the newest snapshot turns out to be damaged."""
        with self._lock:
            return self._kept[0][1] if len(self._kept) == KEPT else 0

    def facts(self) -> list[tuple[SnapshotMeta, int]]:
        """What is kept, oldest first, and the bytes of its state."""
        found = []
        for term, index in self._kept:
            with suppress(DamagedSnapshot):
                reader = Reader(self._directory, term, index)
                found.append((reader.meta, reader.length))
                reader.close()
        return found

    # writing

    def save(self, meta: SnapshotMeta, state: Iterable[bytes]) -> None:
        """Keep a snapshot of our own, durable on return. After a failure nothing of it is left."""
        name = name_of(meta.term, meta.index) + TEMPORARY
        try:
            writer = Writer(self._directory, name, meta, self._block_bytes)
            try:
                for part in state:
                    writer.write(part)
                writer.finish()
            finally:
                writer.close()
            self._publish(writer)
        except BaseException:
            with suppress(OSError):
                self._directory.remove(name)
            raise

    def receive(self, chunk: Chunk) -> bool:
        """Add the bytes that follow those received, or begin anew. True: the snapshot is whole and durable."""
        if chunk.offset == 0:
            self._abandon()
            name = name_of(chunk.meta.term, chunk.meta.index) + RECEIVING
            self._receiving = Writer(self._directory, name, chunk.meta, self._block_bytes)
        writer = self._receiving
        assert writer is not None, "no snapshot is being received"
        assert (writer.meta, writer.length) == (chunk.meta, chunk.offset), "a chunk that does not follow (B51)"
        writer.write(chunk.data)
        if chunk.last:
            writer.finish()
            self.close()
            self._publish(writer)
        return chunk.last

    def close(self) -> None:
        """Let go of the snapshot that is being received, if there is one."""
        if self._receiving is not None:
            self._receiving.close()
            self._receiving = None

    def _abandon(self) -> None:
        if self._receiving is not None:
            name = self._receiving.name
            self.close()
            self._directory.remove(name)

    def _publish(self, writer: Writer) -> None:
        meta, directory = writer.meta, self._directory
        with self._lock:
            directory.rename(writer.name, name_of(meta.term, meta.index))
            directory.sync()
            self._kept = sorted({*self._kept, (meta.term, meta.index)})[-KEPT:]
            for name in directory.names():
                place = place_of(name)
                if place is not None and place not in self._kept:
                    directory.remove(name)

    # reading

    def read_chunk(self, index: int, offset: int, max_bytes: int) -> tuple[bytes, bool] | None:
        """Bytes of the state from `offset` on, and whether they end it. None: that snapshot is not there any more."""
        with self._lock:
            place = next((place for place in self._kept if place[1] == index), None)
        if place is None:
            return None
        try:
            reader = Reader(self._directory, *place)
        except FileNotFoundError:  # replaced by newer ones just now
            return None
        try:
            data = reader.read(offset, max_bytes)
            return data, offset + len(data) >= reader.length
        finally:
            reader.close()

    def load(self, meta: SnapshotMeta) -> Iterator[bytes]:
        """The state in the snapshot `meta`."""
        reader = Reader(self._directory, meta.term, meta.index)
        try:
            yield from reader.blocks()
        finally:
            reader.close()


def _stored(directory: Directory) -> list[tuple[int, int]]:
    """What the names say: (term, index), oldest first."""
    places = []
    for name in directory.names():
        place = place_of(name)
        if place is not None:
            places.append(place)
        elif not name.endswith((TEMPORARY, RECEIVING)):
            raise StorageError(f"{directory.path}/{name}: not a snapshot; move it away")
    return places


def _verified(directory: Directory, term: int, index: int) -> SnapshotMeta:
    reader = Reader(directory, term, index)
    try:
        for _ in reader.blocks():
            pass
        return reader.meta
    finally:
        reader.close()
