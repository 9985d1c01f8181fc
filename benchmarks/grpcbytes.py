"""Calls of one unary gRPC method on one connection, as bytes: the little of HTTP/2 they take, without TLS.

A load generator shares its machine with what it loads, and grpcio takes ten times the time of a call that this does. So
headers are the same six bytes in every call but the first (RFC 7541, the dynamic table), and of an answer only what
tells its outcome is looked at: a server sends a message if and only if the status is OK.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

MAX_CALLS = 64  # at once: with 300 bytes each they can never fill the window a server gives a connection at first

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8  # RFC 9113, section 6
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_HEAD_BYTES = 9
_FIRST_WINDOW_BYTES = 65_535
_MAX_WINDOW_BYTES = (1 << 31) - 1
_POST, _SCHEME_HTTP = b"\x83", b"\x86"  # of the static table
_AGAIN = _POST + _SCHEME_HTTP + b"\xc1\xc0\xbf\xbe"  # the four that the first call put into the dynamic table


class Calls:
    """`path` is the method's, `/package.Service/Method`; `messages` are its requests, each named by its place."""

    def __init__(self, path: str, authority: str, messages: Sequence[bytes]) -> None:
        self._bodies = [b"\0" + struct.pack(">I", len(message)) + message for message in messages]
        names = ((b"\x44", path), (b"\x41", authority), (b"\x5f", "application/grpc"), (b"\x40\x02te", "trailers"))
        self._block = _POST + _SCHEME_HTTP + b"".join(name + _string(text) for name, text in names)
        self._stream = 1
        self._running: dict[int, int] = {}  # by stream, whose call it is
        self._with_message: set[int] = set()
        self._window = _FIRST_WINDOW_BYTES
        self._data = b""

    def hello(self) -> bytes:
        """What a connection begins with: answers may come without ever being asked for more."""
        more = struct.pack(">I", _MAX_WINDOW_BYTES - _FIRST_WINDOW_BYTES)
        return _PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_WINDOW_UPDATE, 0, 0, more)

    def begin(self, numbers: Iterable[int]) -> bytes:
        """New calls with the messages of these numbers. Raises ValueError when the server has no room for them."""
        frames = []
        for number in numbers:
            body = self._bodies[number]
            frames.append(_frame(_HEADERS, _END_HEADERS, self._stream, self._block))
            frames.append(_frame(_DATA, _END_STREAM, self._stream, body))
            self._running[self._stream] = number
            self._window -= len(body)
            self._stream += 2
            self._block = _AGAIN
        if self._window < 0:
            raise ValueError("more was sent than the server has room for")
        return b"".join(frames)

    def feed(self, data: bytes) -> tuple[list[tuple[int, bool]], bytes]:
        """The calls that are over, with whether they succeeded, and what must be sent back at once.

        Raises ValueError when the server ends the connection.
        """
        data = self._data + data
        over: list[tuple[int, bool]] = []
        back = b""
        at = 0
        while len(data) >= at + _HEAD_BYTES:
            length = int.from_bytes(data[at : at + 3])
            end = at + _HEAD_BYTES + length
            if len(data) < end:
                break
            kind, flags = data[at + 3], data[at + 4]
            stream = int.from_bytes(data[at + 5 : at + _HEAD_BYTES])
            if kind in {_DATA, _HEADERS}:
                if kind == _DATA and length:
                    self._with_message.add(stream)
                if flags & _END_STREAM:
                    over.append(self._end(stream))
            elif kind == _RST_STREAM and stream in self._running:
                over.append((self._end(stream)[0], False))
            else:
                back += self._control(kind, flags, stream, data[at + _HEAD_BYTES : end])
            at = end
        self._data = data[at:]
        return over, back

    def _end(self, stream: int) -> tuple[int, bool]:
        succeeded = stream in self._with_message
        self._with_message.discard(stream)
        return self._running.pop(stream), succeeded

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> bytes:
        if kind == _GOAWAY:
            raise ValueError(f"the server ends the connection: {payload[8:].decode(errors='replace')}")
        if kind == _WINDOW_UPDATE and stream == 0:
            self._window += int.from_bytes(payload)
        if kind == _SETTINGS and not flags & _ACK:
            return _frame(_SETTINGS, _ACK, 0, b"")
        if kind == _PING and not flags & _ACK:
            return _frame(_PING, _ACK, 0, payload)
        return b""


def field(number: int, data: bytes) -> bytes:
    """One field of a protobuf message, bytes. `number` up to 15."""
    length, size = b"", len(data)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


def _string(text: str) -> bytes:
    assert len(text) < 0x7F, text
    return bytes([len(text)]) + text.encode()
