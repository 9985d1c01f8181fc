"""HTTP/1.1 messages out of a stream of bytes, for messages that give their Content-Length."""

from __future__ import annotations

import re
from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"


class MessageReader:
    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The first line and the body of every message that is complete now."""
        self._data += data
        while (head := self._data.find(_END)) >= 0:
            length = _LENGTH.search(self._data, 0, head + 2)
            end = head + len(_END) + (int(length[1]) if length else 0)
            if len(self._data) < end:
                return
            message, self._data = self._data[:end], self._data[end:]
            yield message[: message.index(b"\r\n")], message[head + len(_END) :]
