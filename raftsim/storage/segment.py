"""One file of the log: eight bytes of magic and format version, a header frame, then frames, then zeros to the end.

The eight bytes stand outside any frame, so that every later version can still be told what a file is. The header
frame repeats where the log stood when the segment was begun: a segment is checked against what came before it, and
can stand alone, with a snapshot, when older ones were dropped. A segment gets its name when it is complete, so a
crash never leaves one without a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import msgpack

from raftsim.core.errors import ProtocolViolation
from raftsim.core.plain import hard_from_plain, hard_to_plain
from raftsim.storage import frames
from raftsim.storage.errors import REMEDY, StorageError
from raftsim.storage.files import Directory, File, publish
from raftsim.storage.records import Position

FORMAT: Final = 1
CHECKSUM: Final = "crc32"
_MAGIC: Final = b"raftlog"
_PREFIX: Final = _MAGIC + bytes([FORMAT])
_NAME: Final = re.compile(r"(\d{10})\.wal")


def name_of(number: int) -> str:
    return f"{number:010d}.wal"


def number_of(name: str) -> int | None:
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


class Segment:
    """The segment that is being written. `offset` is where its next frame goes."""

    def __init__(self, file: File, path: str, number: int, offset: int, size: int) -> None:
        self.path = path
        self.number = number
        self._file = file
        self._offset = offset
        self._size = size

    @classmethod
    def create(cls, directory: Directory, number: int, position: Position, *, size: int, room: int) -> Segment:
        """Begin segment `number` with `size` bytes, or more if a frame of `room` bytes would not fit. Durable."""
        header = (number, CHECKSUM, position.index, position.term, hard_to_plain(position.hard))
        content = _PREFIX + frames.encode(msgpack.packb(header), number, len(_PREFIX))
        size = max(size, len(content) + room)
        publish(directory, name_of(number), content, size)
        file = directory.open(name_of(number), writable=True)
        return cls(file, f"{directory.path}/{name_of(number)}", number, len(content), size)

    def fits(self, frame_bytes: int) -> bool:
        return self._offset + frame_bytes <= self._size

    def append(self, payload: bytes) -> None:
        """Write one frame; durable on return."""
        frame = frames.encode(payload, self.number, self._offset)
        self._file.pwrite(frame, self._offset)
        self._file.sync()
        self._offset += len(frame)

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Image:
    """What a segment holds when a server starts, read frame by frame."""

    path: str
    number: int
    data: bytes
    used: int  # bytes up to the last that is not zero
    position: Position  # where the log stood when the segment was begun
    offset: int  # of the first frame not yet read
    last: int = 0  # offset of the frame read last, the header included

    @classmethod
    def read(cls, directory: Directory, number: int) -> Image:
        """Raises StorageError when this is no segment, or of a newer format, or its header is damaged."""
        path = f"{directory.path}/{name_of(number)}"
        file = directory.open(name_of(number))
        try:
            data = file.read()
        finally:
            file.close()
        _check_prefix(data, path)
        image = cls(path, number, data, len(data.rstrip(b"\0")), Position(), len(_PREFIX))
        header = image.next_payload()
        if header is None:
            raise image.damaged("its header is not valid")
        try:
            image.position = _parse_header(header, number)
        except (ValueError, ProtocolViolation) as error:
            raise image.damaged(f"its header is not valid: {error}", image.last) from None
        return image

    def next_payload(self) -> memoryview | None:
        """The payload of the next frame, or None where the sound frames end."""
        payload = frames.decode(self.data, self.number, self.offset)
        if payload is not None:
            self.last, self.offset = self.offset, self.offset + frames.size(len(payload))
        return payload

    def has_rest(self) -> bool:
        """Whether anything but zeros follows the frames that were read."""
        return self.used > self.offset

    def frame_begun_later(self) -> bool:
        """Whether a frame begins somewhere behind the place where the sound frames end."""
        return frames.begun_between(self.data, self.number, self.offset + frames.ALIGNMENT, self.used)

    def damaged(self, reason: str, offset: int | None = None) -> StorageError:
        """The refusal for data that was durable once and is not sound any more."""
        at = self.offset if offset is None else offset
        return StorageError(f"{self.path}: damaged at offset {at}: {reason}. {REMEDY}")


def _parse_header(payload: memoryview, number: int) -> Position:
    match msgpack.unpackb(payload, use_list=False):
        case (int(claimed), str(checksum), int(index), int(term), hard) if claimed == number and checksum == CHECKSUM:
            return Position(index, term, hard_from_plain(hard))
    raise ValueError(f"it needs the number {number}, the checksum {CHECKSUM!r}, and where the log stood")


def _check_prefix(data: bytes, path: str) -> None:
    if data[: len(_MAGIC)] != _MAGIC or len(data) < len(_PREFIX):
        raise StorageError(f"{path}: not a raftsim log segment; move it away if it does not belong here")
    if data[len(_MAGIC)] != FORMAT:
        raise StorageError(f"{path}: format {data[len(_MAGIC)]}; this program reads format {FORMAT} only")
