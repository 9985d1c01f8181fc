"""One frame of a file: a head of three numbers, a payload, and zeros up to the next multiple of 8.

    u32  length of the payload, never 0
    u32  CRC-32 of the payload
    u32  CRC-32 of these two, the number of the file and the offset of the frame in it

The third number binds the head to its place. So a head is known for one without its payload, and neither a file
copied over another nor a client's value that happens to look like a frame is ever taken for a frame. The number of a
segment is its place among the segments, that of a snapshot is its index.
"""

from __future__ import annotations

from struct import Struct
from typing import Final
from zlib import crc32

ALIGNMENT: Final = 8
_HEAD: Final = Struct("<III")
_BOUND: Final = Struct("<QQII")
HEAD_BYTES: Final = _HEAD.size


def size(payload_bytes: int) -> int:
    """The bytes a frame takes in the file."""
    return -(-(_HEAD.size + payload_bytes) // ALIGNMENT) * ALIGNMENT


def encode(payload: bytes, number: int, offset: int) -> bytes:
    """The frame of `payload` for this place: `offset` in the file `number`."""
    assert payload, "an empty frame would look like the end"
    length, crc = len(payload), crc32(payload)
    head = _HEAD.pack(length, crc, crc32(_BOUND.pack(number, offset, length, crc)))
    return (head + payload).ljust(size(length), b"\0")


def decode(data: bytes, number: int, offset: int, start: int = 0) -> memoryview | None:
    """The payload of the frame at this place, or None when there is no whole and sound frame.

    `data` is the content of the file from `start` on.
    """
    head = _head(data, number, offset, start)
    if head is None:
        return None
    length, crc = head
    place = offset - start + _HEAD.size
    payload = memoryview(data)[place : place + length]
    return payload if len(payload) == length and crc32(payload) == crc else None


def announced(head: bytes, number: int, offset: int) -> int | None:
    """The bytes of the payload that `head`, read at this place, announces; None when it is no head."""
    found = _head(head, number, offset, offset)
    return found[0] if found else None


def begun_between(data: bytes, number: int, start: int, end: int) -> bool:
    """Whether any frame was begun at an offset in [start, end); `start` is a multiple of 8."""
    return any(_head(data, number, offset) is not None for offset in range(start, end, ALIGNMENT))


def _head(data: bytes, number: int, offset: int, start: int = 0) -> tuple[int, int] | None:
    if offset - start + _HEAD.size > len(data):
        return None
    length, crc, bound = _HEAD.unpack_from(data, offset - start)
    if length == 0 or bound != crc32(_BOUND.pack(number, offset, length, crc)):
        return None
    return length, crc
