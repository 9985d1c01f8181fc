"""Frames: a payload behind its length, four bytes, big-endian.

The limit is checked on the length alone, before a byte of the payload is kept: what a peer announces costs nothing.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from raftsim.core.errors import ProtocolViolation

_HEADER: Final = Struct(">I")
HEADER_BYTES: Final = _HEADER.size
MAX_FRAME_BYTES: Final = 32 << 20


def frame(payload: bytes) -> bytes:
    """The payload as a whole frame."""
    return _HEADER.pack(len(payload)) + payload


class FrameDecoder:
    """Cuts a stream of bytes back into payloads. The limit may be raised later: a stranger gets a small one."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        self.max_frame_bytes = max_frame_bytes
        self._buffer = bytearray()

    @property
    def in_frame(self) -> bool:
        """Whether a frame has begun and not ended: a stream that ends now was cut short."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads completed by `data`, in order. Raises ProtocolViolation for a frame longer than the limit."""
        buffer = self._buffer
        buffer += data
        payloads: list[bytes] = []
        start = 0
        while len(buffer) - start >= HEADER_BYTES:
            (length,) = _HEADER.unpack_from(buffer, start)
            if length > self.max_frame_bytes:
                raise ProtocolViolation(f"a frame of {length} bytes exceeds the limit of {self.max_frame_bytes}")
            end = start + HEADER_BYTES + length
            if end > len(buffer):
                break
            payloads.append(bytes(buffer[start + HEADER_BYTES : end]))
            start = end
        del buffer[:start]
        return payloads
