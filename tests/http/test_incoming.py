"""Requests out of bytes: the same ones however they arrive, and nothing that two readers could read differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from httptools import HttpParserError, HttpRequestParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from raftsim.http.body import MAX_BODY_BYTES, MAX_LINE_BYTES, MAX_TRAILERS, ChunkedBody
from raftsim.http.head import MAX_HEAD_BYTES, MAX_HEADERS, Head, parse_head
from raftsim.http.incoming import Incoming
from raftsim.http.message import HttpError

INVITED = "invited"
GET = b"GET /v1/regions HTTP/1.1\r\nHost: x\r\n"
PUT = b"PUT /v1/var/a HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

WHOLE = [
    GET + b"\r\n",
    PUT + b"Content-Length: 5\r\n\r\nhello",
    PUT + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    PUT + b"Expect: 100-continue\r\n" + CHUNKED + b"0\r\n\r\n",
    PUT + CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    PUT + CHUNKED + b'1;ext=1;a;b="c \\"; d"\r\nh\r\n0004\r\nello\r\n0\r\nTrailer: x\r\n\r\n',
    PUT + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 37\r\n\r\n" + GET + b"\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
]
FRAGMENTS = [
    *WHOLE,
    GET,
    PUT,
    CHUNKED,
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"A: b\r\n",
    b"Content-Length: 1048577\r\n\r\n",
    b"f" * 16 + b"\r\n",
    b"X: " + b"y" * MAX_HEAD_BYTES,
]
STREAMS = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=20), max_size=8).map(b"".join)


def read(pieces: Iterable[bytes]) -> Iterator[object]:
    """Everything that comes out, an error last."""
    told: list[object] = []
    incoming = Incoming(lambda: told.append(INVITED))
    for piece in pieces:
        incoming.data += piece
        try:
            while (request := incoming.next()) is not None:
                yield from told
                told.clear()
                yield request
        except HttpError as error:
            yield from told
            yield error.status, error.text, incoming.head
            return
        yield from told
        told.clear()


@given(STREAMS, st.data())
@settings(deadline=None)
def test_how_the_bytes_arrive_makes_no_difference(stream: bytes, data: st.DataObject) -> None:
    whole = list(read([stream]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    assert list(read(stream[begin:end] for begin, end in pairwise([0, *cuts, len(stream)]))) == whole
    if len(stream) < 1000:
        assert list(read(bytes([byte]) for byte in stream)) == whole


def test_whole_requests_come_out_whole() -> None:
    """Also those that would like to change the protocol, and a body that looks like a request."""
    found = list(read([b"".join(WHOLE)]))
    assert found.count(INVITED) == 2
    assert [(entry[0].method, entry[1]) for entry in found if isinstance(entry, tuple)] == [
        ("GET", b""),
        *[("PUT", b"hello")] * 2,
        ("PUT", b""),
        *[("PUT", b"hello")] * 2,
        ("PUT", GET + b"\r\n"),
        ("CONNECT", b""),
        ("GET", b""),
    ]


def head(*lines: str, first: str = "PUT /v1/var/a HTTP/1.1", host: str = "Host: x") -> Head:
    return parse_head("\r\n".join([first, *filter(None, [host]), *lines, "", ""]).encode("latin-1"))


def test_a_head() -> None:
    found = head("Content-Length: 12", "A: b", "a:c ", "X:", "V: \xe9")
    assert (found.method, found.target, found.version, found.length) == ("PUT", "/v1/var/a", "HTTP/1.1", 12)
    assert found.headers == {"host": "x", "content-length": "12", "a": "b, c", "x": "", "v": "\udce9"}
    assert head("Transfer-Encoding: CHUNKED").length is None
    assert head().length == 0


@pytest.mark.parametrize(
    ("first", "lines", "keep_alive"),
    [
        ("GET / HTTP/1.1", [], True),
        ("GET / HTTP/1.1", ["Connection: x, Close"], False),
        ("GET / HTTP/1.1", ["Connection: close", "Connection: keep-alive"], False),
        ("GET / HTTP/1.1", ["Connection: closed"], True),
        ("GET / HTTP/1.0", [], False),
        ("GET / HTTP/1.0", ["Connection: Keep-Alive"], True),
        ("GET / HTTP/1.0", ["Connection: keep-alive, close"], False),
    ],
)
def test_whether_a_connection_is_kept(first: str, lines: list[str], keep_alive: bool) -> None:
    assert head(*lines, first=first).keep_alive is keep_alive


def test_who_asks_before_it_sends() -> None:
    asks, length = "Expect: 100-Continue", "Content-Length: 1"
    assert head(asks, length).asks_before_it_sends
    assert head(asks, "Transfer-Encoding: chunked").asks_before_it_sends
    assert not head(asks).asks_before_it_sends
    assert not head(length).asks_before_it_sends
    assert not head(asks, length, first="PUT / HTTP/1.0").asks_before_it_sends


@pytest.mark.parametrize(
    "first",
    [
        "GET /",
        "GET / HTTP/2.0",
        "GET / HTTP/1.2",
        "GET / http/1.1",
        "GET / ICE/1.1",
        "GET  / HTTP/1.1",
        "GET /  HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET\t/ HTTP/1.1",
        "GET /\t HTTP/1.1",
        "GET /\x7f HTTP/1.1",
        "GET /\xe9 HTTP/1.1",
        "GET x HTTP/1.1",
        "GET http:///x HTTP/1.1",
        "get / HTTP/1.1",
        "NOPE / HTTP/1.1",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\n ",
    ],
)
def test_request_lines_that_are_none(first: str) -> None:
    with pytest.raises(HttpError, match="400 Bad Request"):
        head(first=first)


@pytest.mark.parametrize(
    "line",
    [
        "A : b",
        " A: b",
        ": b",
        "A",
        "A(: b",
        "\xe9: b",
        "A: \x00",
        "A: \x7f",
        "A: b\nC: d",
        "A: b\rC: d",
        "A: b\r\n c",
        "A: b\n\nC: d",
        "Host: y",
        "Content-Length: +1",
        "Content-Length: 1, 1",
        "Content-Length: 0x1",
        "Content-Length: 1_0",
        "Content-Length: \xb2",
        "Content-Length:",
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
    ],
)
def test_headers_that_are_none(line: str) -> None:
    with pytest.raises(HttpError, match="400 Bad Request"):
        head(line)


def test_one_host_is_needed() -> None:
    with pytest.raises(HttpError, match="400 Bad Request"):
        head(host="")
    assert head(host="", first="GET / HTTP/1.0").headers == {}
    with pytest.raises(HttpError, match="400 Bad Request"):
        head("Transfer-Encoding: chunked", first="GET / HTTP/1.0")


def test_the_largest_head() -> None:
    def sized(total: int) -> bytes:
        return GET + b"X: " + b"y" * (total - len(GET) - 7) + b"\r\n\r\n"

    assert len(list(read([sized(MAX_HEAD_BYTES)]))) == 1
    assert list(read([sized(MAX_HEAD_BYTES + 1)])) == [(400, "400 Bad Request", None)]
    assert head(*["A: b"] * (MAX_HEADERS - 1)).headers["a"]
    with pytest.raises(HttpError, match="400 Bad Request"):
        head(*["A: b"] * MAX_HEADERS)


def refused(stream: bytes) -> int:
    with pytest.raises(HttpError) as caught:
        ChunkedBody().feed(stream)
    return caught.value.status


def test_the_limits_of_a_chunked_body() -> None:
    half = b"%x\r\n%s\r\n" % (MAX_BODY_BYTES // 2, b" " * (MAX_BODY_BYTES // 2))
    assert ChunkedBody().feed(half * 2 + b"0\r\n\r\nrest") == b"rest"
    assert refused(half * 2 + b"1\r\n") == 413
    assert refused(b"ffffffffffffffff\r\n") == 413
    assert ChunkedBody().feed(b"0;%s\r\n\r\n" % (b"x" * (MAX_LINE_BYTES - 2))) == b""
    assert refused(b"0;%s\r\n\r\n" % (b"x" * (MAX_LINE_BYTES - 1))) == 400
    assert refused(b"1" * (MAX_LINE_BYTES + 2)) == 400
    assert ChunkedBody().feed(b"0\r\n" + b"A: b\r\n" * MAX_TRAILERS + b"\r\n") == b""
    assert refused(b"0\r\n" + b"A: b\r\n" * (MAX_TRAILERS + 1)) == 400


@pytest.mark.parametrize(
    "stream",
    [
        b"zz\r\n",
        b"\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1_0\r\n",
        b"1\nx\r\n",
        b"1;\r\n",
        b"1;a: b\r\n",
        b"1 ;a\r\n",
        b"1; a\r\n",
        b"1;a=\r\n",
        b'1;a="b\r\n',
        b'1;a="b\\"\r\n',
        b"1;a\nb\r\n",
        b"1;a\rb\r\n",
        b"1\r\nxy\r\n",
        b"1\r\nx0\r\n\r\n",
        b"1\r\nx\n0\r\n\r\n",
        b"00000000000000001\r\n",
        b"0\r\nno trailer\r\n",
        b"0\r\n folded: x\r\n",
        b"0\r\nA: \x00\r\n",
        b"0\r\nA : b\r\n",
    ],
)
def test_chunks_that_are_none(stream: bytes) -> None:
    assert refused(stream) == 400


class Oracle:
    """What the parser makes of the same body."""

    def __init__(self, stream: bytes) -> None:
        self.data = b""
        self.complete = False
        try:
            HttpRequestParser(self).feed_data(PUT + CHUNKED + stream)
        except HttpParserError:
            self.complete = False

    def on_body(self, data: bytes) -> None:
        self.data += data

    def on_message_complete(self) -> None:
        self.complete = True


LINES = st.sampled_from(
    [b"1", b"a", b"0", b"x", b"\r\n", b"\r", b"\n", b";", b"e=f", b'="g\\"h"', b"T: u", b" ", b"0\r\n\r\n"]
)


@given(st.lists(LINES | st.binary(max_size=3), max_size=12).map(b"".join))
@settings(deadline=None)
@example(b"1;e=f\r\nx\r\na\r\n0123456789\r\n0\r\nT: u\r\n\r\n")
def test_a_chunked_body_is_what_others_take_it_for(stream: bytes) -> None:
    body = ChunkedBody()
    try:
        rest = body.feed(stream)
    except HttpError:
        return
    if rest is not None:
        oracle = Oracle(stream[: len(stream) - len(rest)])
        assert oracle.complete
        assert oracle.data == bytes(body.data)
