"""Frames: a payload behind its length, four bytes, big-endian.

The limit is checked on the length alone, before a byte of the payload is kept: what a peer announces costs nothing.
"""

from __future__ import annotations

from typing import Final

from raftsim.core.errors import ProtocolViolation

HEADER_BYTES: Final = 4
MAX_FRAME_BYTES: Final = 32 << 20


def frame(payload: bytes) -> bytes:
    """The payload as a whole frame."""
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


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
            length = int.from_bytes(buffer[start : start + HEADER_BYTES], "big")
            if length > self.max_frame_bytes:
                raise ProtocolViolation(f"a frame of {length} bytes exceeds the limit of {self.max_frame_bytes}")
            end = start + HEADER_BYTES + length
            if end > len(buffer):
                break
            payloads.append(bytes(buffer[start + HEADER_BYTES : end]))
            start = end
        del buffer[:start]
        return payloads
