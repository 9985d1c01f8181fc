"""Where the body of a request ends (RFC 9112 sections 6 and 7).

Both kinds take the bytes as they come and keep them in `data`, up to MAX_BODY_BYTES. A body without that limit is one
whose `data` is taken away while it comes.
"""

from __future__ import annotations

import re
from typing import Final

from raftsim.http.message import HttpError, bad_request

MAX_BODY_BYTES: Final = 1 << 20
MAX_LINE_BYTES: Final = 1 << 10  # the size of a chunk with its extensions, or one trailer
MAX_TRAILERS: Final = 100

# Extensions and trailers mean nothing here, but must look like some.
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;%b(?:=(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED))
_TRAILER: Final = re.compile(rb"%b:[\t\x20-\x7e\x80-\xff]*" % _TOKEN)


def too_large() -> HttpError:
    return HttpError(413, f"the request body is larger than {MAX_BODY_BYTES} bytes")


class SizedBody:
    """A body of `length` bytes. Raises HttpError 413 if that is too many."""

    __slots__ = ("_length", "data")

    def __init__(self, length: int) -> None:
        if length > MAX_BODY_BYTES:
            raise too_large()
        self._length = length
        self.data = bytearray()

    def feed(self, data: bytes) -> bytes | None:
        """Take what belongs to the body from the beginning of `data`: what follows it, or None if more is to come."""
        missing = self._length - len(self.data)
        self.data += data[:missing]
        return data[missing:] if len(data) >= missing else None


class ChunkedBody:
    """A body in chunks of any size."""

    __slots__ = ("_begun", "_ends", "_left", "_trailers", "data")

    def __init__(self) -> None:
        self.data = bytearray()
        self._begun = b""  # of a line
        self._left = 0  # bytes of this chunk
        self._ends = False  # the next line ends a chunk
        self._trailers: int | None = None  # after the last chunk: how many

    def feed(self, data: bytes) -> bytes | None:
        """As SizedBody. Raises HttpError 413 when it gets too long, and 400 for what is no chunk."""
        data = self._begun + data
        place = 0
        while True:
            if self._left:
                piece = data[place : place + self._left]
                self.data += piece
                place += len(piece)
                self._left -= len(piece)
            end = data.find(b"\r\n", place)
            # A line that has not ended yet may end with half of its end.
            if (end if end >= 0 else len(data) - 1) - place > MAX_LINE_BYTES:
                raise bad_request()
            if end < 0:
                self._begun = data[place:]
                return None
            line, place = data[place:end], end + 2
            if self._trailers is not None and not line:
                return data[place:]
            self._take(line)

    def _take(self, line: bytes) -> None:
        if self._trailers is not None:
            self._trailers += 1
            if self._trailers > MAX_TRAILERS or not _TRAILER.fullmatch(line):
                raise bad_request()
        elif self._ends:
            if line:
                raise bad_request()
            self._ends = False
        else:
            self._begin_chunk(line)

    def _begin_chunk(self, line: bytes) -> None:
        size = _SIZE.fullmatch(line)
        if size is None:
            raise bad_request()
        self._left = int(size[1], 16)
        if self._left == 0:
            self._trailers = 0
        elif len(self.data) + self._left > MAX_BODY_BYTES:
            raise too_large()
        else:
            self._ends = True
