"""gRPC as bytes: calls against a server of another make, and answers however they are cut."""

from __future__ import annotations

import importlib
import itertools
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.grpcbytes import Calls, field
from benchmarks.load import generate
from benchmarks.systems import ETCD_PUT, GRPC, BenchmarkError

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK = 1, 1
MESSAGE = b"\0\0\0\0\x02ok"
MESSAGES = [field(1, b"key") + field(2, bytes([number]) * 256) for number in range(70)]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def success(stream: int) -> bytes:
    return frame(HEADERS, 4, stream, b"h") + frame(DATA, 0, stream, MESSAGE) + frame(HEADERS, 5, stream, b"t")


def calls(number: int) -> Calls:
    made = Calls(ETCD_PUT, "localhost", MESSAGES)
    made.begin(range(number))
    return made


def test_outcomes() -> None:
    made = calls(3)
    trailers_only = frame(HEADERS, 4 | END_STREAM, 3, b"grpc-status: 14")
    assert made.feed(success(1) + trailers_only + frame(RST_STREAM, 0, 5, bytes(4))) == (
        [(0, True), (1, False), (2, False)],
        b"",
    )
    made.begin([1])
    assert made.feed(success(7)) == ([(1, True)], b"")


@given(st.lists(st.integers(0, 300), max_size=8))
def test_answers_are_found_however_the_bytes_are_cut(places: list[int]) -> None:
    stream = frame(SETTINGS, 0, 0) + b"".join(map(success, (1, 3, 5))) + frame(PING, 0, 0, b"12345678")
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    made = calls(3)
    pieces = [made.feed(stream[lo:hi]) for lo, hi in itertools.pairwise(edges)]
    assert [answer for over, _ in pieces for answer in over] == [(0, True), (1, True), (2, True)]
    assert b"".join(back for _, back in pieces) == frame(SETTINGS, ACK, 0) + frame(PING, ACK, 0, b"12345678")


def test_what_is_acknowledged_is_not_acknowledged_again() -> None:
    assert calls(0).feed(frame(SETTINGS, ACK, 0) + frame(PING, ACK, 0, bytes(8))) == ([], b"")


def test_a_window_that_is_full() -> None:
    made = Calls(ETCD_PUT, "localhost", [bytes(30_000)])
    made.begin([0, 0])
    made.feed(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 30_000)))
    made.begin([0])
    with pytest.raises(ValueError, match="more was sent than the server has room for"):
        made.begin([0])


def test_a_server_that_leaves() -> None:
    with pytest.raises(ValueError, match="the server ends the connection: tired"):
        calls(1).feed(frame(GOAWAY, 0, 0, bytes(8) + b"tired"))


def test_fields_of_protobuf() -> None:
    assert field(1, b"key") == b"\x0a\x03key"
    assert field(2, bytes(300)) == b"\x12\xac\x02" + bytes(300)


@contextmanager
def grpcio_server(answer: Callable[[bytes, Any], bytes]) -> Iterator[int]:
    """A server with one method; its port."""
    grpc = importlib.import_module("grpc")
    service, method = ETCD_PUT.strip("/").split("/")
    server = grpc.server(ThreadPoolExecutor(4))
    handlers = {method: grpc.unary_unary_rpc_method_handler(answer)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    port: int = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@pytest.mark.skipif(find_spec("grpc") is None, reason="there is no grpcio")
class TestGrpcio:
    def test_every_call_arrives_as_it_was_meant(self) -> None:
        arrived = set()

        def answer(request: bytes, _: Any) -> bytes:
            arrived.add(request)
            return b"done"

        with grpcio_server(answer) as port:
            result = generate(port, MESSAGES, 0.3, GRPC)
        assert result.per_s > 0
        assert result.errors == 0
        assert arrived == set(MESSAGES)  # on two connections

    def test_a_status_that_is_not_ok_is_no_write(self) -> None:
        code = importlib.import_module("grpc").StatusCode.UNAVAILABLE

        def answer(_: bytes, context: Any) -> bytes:
            context.abort(code, "no leader")
            raise AssertionError("abort raises")

        with (
            grpcio_server(answer) as port,
            pytest.raises(BenchmarkError, match=r"no write succeeded, [1-9]"),
        ):
            generate(port, MESSAGES[:1], 0.3, GRPC)
