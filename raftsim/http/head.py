"""The head of a request, as strictly as RFC 9112 allows: who is lenient here can be told two things by one message.

The parser gets a head whole, so what it makes of it cannot depend on how the bytes arrived. It sees nothing else: where
a body ends is decided by body.py, and a wish to change the protocol (Upgrade, CONNECT) has no say in that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from raftsim.http.message import bad_request

END: Final = b"\r\n\r\n"
MAX_HEAD_BYTES: Final = 16 << 10
MAX_HEADERS: Final = 128
HTTP_1_0: Final = "HTTP/1.0"
_NO_HOST: Final = (b"http:///", b"https:///")  # RFC 9110 section 4.2.1
_VERSIONS: Final = {b"HTTP/1.1": "HTTP/1.1", b"HTTP/1.0": HTTP_1_0}


@dataclass(slots=True)
class Head:
    """Header names are in lower case, a header given several times is one list. `length` None: the body is chunked."""

    method: str
    target: str
    version: str
    headers: dict[str, str]
    length: int | None
    keep_alive: bool

    @property
    def asks_before_it_sends(self) -> bool:
        """Whether a body follows, and not before the client was told to send it."""
        expects = self.headers.get("expect", "").lower() == "100-continue"
        return expects and self.length != 0 and self.version != HTTP_1_0


class _Fields:
    """What the parser calls. The request line is taken apart here, and only checked there."""

    __slots__ = ("complete", "pairs")

    def __init__(self) -> None:
        self.pairs: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.pairs.append((name, value))

    def on_headers_complete(self) -> None:
        self.complete = True


def parse_head(raw: bytes) -> Head:
    """The head that is the whole of `raw`, its empty line included. Raises HttpError 400."""
    line = raw[: raw.index(b"\r\n")].split(b" ")
    version = _VERSIONS.get(line[-1])
    if len(line) != 3 or version is None or line[1].startswith(_NO_HOST):
        raise bad_request()
    fields = _Fields()
    try:
        HttpRequestParser(fields).feed_data(raw)
    except HttpParserUpgrade:
        pass  # nothing is offered to change to, so the wish is ignored (RFC 9110 section 7.8)
    except HttpParserError:
        raise bad_request() from None
    if not fields.complete or len(fields.pairs) > MAX_HEADERS:
        raise bad_request()
    headers = _headers(fields.pairs, version)
    return Head(
        line[0].decode("ascii"),
        line[1].decode("ascii"),
        version,
        headers,
        _length(headers, version),
        _keep_alive(headers, version),
    )


def _headers(pairs: list[tuple[bytes, bytes]], version: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("ascii").lower()
        value = raw_value.decode("utf-8", "surrogateescape").strip(" \t")
        if name not in headers:
            headers[name] = value
        elif name == "host":
            raise bad_request()
        else:
            headers[name] += f", {value}"
    if "host" not in headers and version != HTTP_1_0:
        raise bad_request()
    return headers


def _length(headers: dict[str, str], version: str) -> int | None:
    """Of the body, None if it is chunked. What two readers could understand differently is refused."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or version == HTTP_1_0 or coding.lower() != "chunked":
            raise bad_request()
        return None
    if length is None:
        return 0
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise bad_request()
    return int(length)


def _keep_alive(headers: dict[str, str], version: str) -> bool:
    connection = headers.get("connection")
    if connection is None:
        return version != HTTP_1_0
    wishes = [wish.strip(" \t") for wish in connection.lower().split(",")]
    return "close" not in wishes and (version != HTTP_1_0 or "keep-alive" in wishes)
