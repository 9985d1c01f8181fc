"""Requests out of a stream of bytes. What they are does not depend on how the bytes arrived.

A request is looked at when it is asked for, not before: what follows it stays as it came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from raftsim.http.body import ChunkedBody, SizedBody
from raftsim.http.head import END, MAX_HEAD_BYTES, Head, parse_head
from raftsim.http.message import bad_request

# What is awaited.
IDLE: Final = "idle"  # a request
HEAD: Final = "head"  # the rest of a head
BODY: Final = "body"  # the rest of a body


class Incoming:
    """`invite` is called for a client that will not send its body before it is told to."""

    def __init__(self, invite: Callable[[], None]) -> None:
        self.data = b""  # received and not looked at
        self.head: Head | None = None  # of the request whose body is awaited
        self._body: SizedBody | ChunkedBody
        self._invite = invite

    @property
    def awaits(self) -> str:
        if self.head is not None:
            return BODY
        return HEAD if self.data else IDLE

    def next(self) -> tuple[Head, bytes] | None:
        """The next request and its body, None if it is not whole. Raises HttpError, after which nothing can follow."""
        head = self.head or self._next_head()
        if head is None:
            return None
        rest = self._body.feed(self.data)
        if rest is None:
            self.data = b""
            return None
        self.data, self.head = rest, None
        return head, bytes(self._body.data)

    def _next_head(self) -> Head | None:
        data = self.data.lstrip(b"\r\n")  # RFC 9112 section 2.2
        end = data.find(END, 0, MAX_HEAD_BYTES)
        if end < 0:
            self.data = data
            if len(data) >= MAX_HEAD_BYTES or _cannot_begin(data):
                raise bad_request()
            return None
        end += len(END)
        self.data = data[end:]
        head = parse_head(data[:end])
        self.head = head  # first, for a body that is refused unseen is awaited all the same
        self._body = ChunkedBody() if head.length is None else SizedBody(head.length)
        if head.asks_before_it_sends:
            self._invite()
        return head


def _cannot_begin(data: bytes) -> bool:
    """Whether nothing that follows can make a head of this. Who speaks TLS, for one, waits for an answer to that."""
    return bool(data) and (not data[:1].isupper() or data.count(b"\n") != data.count(b"\r\n"))
