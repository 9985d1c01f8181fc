"""One snapshot file.

    8 bytes  magic and format version
    frame    what the snapshot stands for, the checksum in use, and the bytes of a block
    frames   the state in blocks of that size; the last may be shorter
    frame    the length of the state, and the CRC-32 of everything before this frame; the file ends here

Because all blocks but the last have one size, any part of the state is found by counting. Because the last frame
is at the very end, a file that lost its tail is known at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final
from zlib import crc32

import msgpack

from raftsim.core.entry import SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.plain import meta_from_plain, meta_to_plain
from raftsim.storage import frames
from raftsim.storage.errors import DamagedSnapshot, StorageError
from raftsim.storage.files import Directory

FORMAT: Final = 1
CHECKSUM: Final = "crc32"
BLOCK_BYTES: Final = 256 << 10
SYNC_BYTES: Final = 4 << 20
_MAGIC: Final = b"raftsnp"
_PREFIX: Final = _MAGIC + bytes([FORMAT])
_CLOSING: Final = Struct("<QI")
_CLOSING_SIZE: Final = frames.size(_CLOSING.size)
_NAME: Final = re.compile(r"(\d{10})-(\d{16})\.snap")


def name_of(term: int, index: int) -> str:
    return f"{term:010d}-{index:016d}.snap"


def place_of(name: str) -> tuple[int, int] | None:
    """The (term, index) a snapshot of that name stands for, or None when it is no name of a snapshot."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else None


class Writer:
    """A snapshot that is being written, to the file `name`. Every method may raise OSError."""

    def __init__(self, directory: Directory, name: str, meta: SnapshotMeta, block_bytes: int = BLOCK_BYTES) -> None:
        self.name = name
        self.meta = meta
        self.length = 0  # bytes of the state so far
        self._block_bytes = block_bytes
        self._rest = bytearray()  # of the state, less than a block
        self._crc = crc32(_PREFIX)
        self._offset = len(_PREFIX)
        self._unsynced = 0
        self._file = directory.create(name, 0)
        try:
            self._file.pwrite(_PREFIX, 0)
            self._put(msgpack.packb((meta_to_plain(meta), CHECKSUM, block_bytes)))
        except BaseException:
            self._file.close()
            raise

    def write(self, data: bytes) -> None:
        """Add `data` to the state. It may be durable only after `finish`."""
        self.length += len(data)
        self._rest += data
        whole = len(self._rest) - len(self._rest) % self._block_bytes
        for start in range(0, whole, self._block_bytes):
            self._put(bytes(self._rest[start : start + self._block_bytes]))
        del self._rest[:whole]

    def finish(self) -> None:
        """Durable on return, under its present name."""
        if self._rest:
            self._put(bytes(self._rest))
        self._put(_CLOSING.pack(self.length, self._crc))
        self._file.sync()

    def close(self) -> None:
        """Before `finish`, this gives it up."""
        self._file.close()

    def _put(self, payload: bytes) -> None:
        frame = frames.encode(payload, self.meta.index, self._offset)
        self._file.pwrite(frame, self._offset)
        self._offset += len(frame)
        self._crc = crc32(frame, self._crc)
        self._unsynced += len(frame)
        if self._unsynced >= SYNC_BYTES:  # so that the syncs of the log, beside this one, never wait for much
            self._file.sync()
            self._unsynced = 0


class Reader:
    """An open snapshot; every checksum is verified before a byte is given out.

    Raises DamagedSnapshot (it is not sound), StorageError (of another format) and OSError.
    """

    def __init__(self, directory: Directory, term: int, index: int) -> None:
        name = name_of(term, index)
        self.path = f"{directory.path}/{name}"
        self._file = directory.open(name)
        try:
            self._size = self._file.size()
            self._check_prefix()
            self._blocks_from, self.meta, self._block_bytes = self._header(term, index)
            self.length, self._crc = self._closing(index)
        except BaseException:
            self._file.close()
            raise

    def read(self, offset: int, max_bytes: int) -> bytes:
        """At most `max_bytes` of the state from `offset` on."""
        first = offset // self._block_bytes
        end = min(offset + max_bytes, self.length)
        blocks = b"".join(self._block(number)[1] for number in range(first, -(-end // self._block_bytes)))
        return blocks[offset - first * self._block_bytes :][: max(0, end - offset)]

    def blocks(self) -> Iterator[bytes]:
        """The whole state; at the end the checksum of everything is verified, too."""
        crc = crc32(self._file.pread(self._blocks_from, 0))
        for number in range(-(-self.length // self._block_bytes)):
            frame, block = self._block(number)
            crc = crc32(frame, crc)
            yield bytes(block)
        if crc != self._crc:
            raise DamagedSnapshot(self.path, self._size - _CLOSING_SIZE, "the checksum of the whole does not hold")

    def close(self) -> None:
        self._file.close()

    def _check_prefix(self) -> None:
        prefix = self._file.pread(len(_PREFIX), 0)
        if prefix[:-1] != _MAGIC:
            raise DamagedSnapshot(self.path, 0, "it does not begin as a snapshot does")
        if prefix != _PREFIX:
            raise StorageError(f"{self.path}: format {prefix[-1]}; this program reads format {FORMAT} only")

    def _header(self, term: int, index: int) -> tuple[int, SnapshotMeta, int]:
        offset = len(_PREFIX)
        frame, payload = self._frame(offset, index, "its header is not valid")
        try:
            match msgpack.unpackb(payload, use_list=False):
                case (plain, str(checksum), int(block_bytes)) if checksum == CHECKSUM and block_bytes > 0:
                    meta = meta_from_plain(plain)
                    if (meta.term, meta.index) == (term, index):
                        return offset + len(frame), meta, block_bytes
        except (ValueError, ProtocolViolation) as error:
            raise DamagedSnapshot(self.path, offset, f"its header is not valid: {error}") from None
        raise DamagedSnapshot(self.path, offset, "its header is not that of a snapshot of this name")

    def _closing(self, index: int) -> tuple[int, int]:
        offset = self._size - _CLOSING_SIZE
        _, payload = self._frame(offset, index, "it does not end as a snapshot does")
        if len(payload) == _CLOSING.size:
            length, crc = _CLOSING.unpack(payload)
            whole, rest = divmod(length, self._block_bytes)
            blocks = whole * frames.size(self._block_bytes) + (frames.size(rest) if rest else 0)
            if self._blocks_from + blocks == offset:
                return length, crc
        raise DamagedSnapshot(self.path, offset, "it does not end as a snapshot of its size does")

    def _block(self, number: int) -> tuple[bytes, memoryview]:
        offset = self._blocks_from + number * frames.size(self._block_bytes)
        frame, payload = self._frame(offset, self.meta.index, "not a sound block of the state")
        if len(payload) != min(self._block_bytes, self.length - number * self._block_bytes):
            raise DamagedSnapshot(self.path, offset, "a block of another length")
        return frame, payload

    def _frame(self, offset: int, index: int, otherwise: str) -> tuple[bytes, memoryview]:
        """The frame at `offset`, and its payload."""
        if offset > 0:
            length = frames.announced(self._file.pread(frames.HEAD_BYTES, offset), index, offset)
            frame = self._file.pread(frames.size(length), offset) if length else b""
            payload = frames.decode(frame, index, offset, offset)
            if payload is not None:
                return frame, payload
        raise DamagedSnapshot(self.path, max(0, offset), otherwise)
