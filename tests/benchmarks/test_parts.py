"""The parts of the benchmarks: messages out of bytes, the load generator, options and tables."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import load, throughput
from benchmarks.etcd_system import Etcd
from benchmarks.httpbytes import MessageReader
from benchmarks.load import generate
from benchmarks.report import table
from benchmarks.systems import HTTP, VALUE_BYTES, BenchmarkError, Server, http_request, value

BODIES = st.lists(st.binary(max_size=30), max_size=5)


@given(BODIES, st.lists(st.integers(0, 500), max_size=8))
def test_messages_are_found_however_the_bytes_are_cut(bodies: list[bytes], places: list[int]) -> None:
    stream = b"".join(http_request("PUT", f"/{number}", 80, body) for number, body in enumerate(bodies))
    edges = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    reader = MessageReader()
    found = [message for lo, hi in itertools.pairwise(edges) for message in reader.feed(stream[lo:hi])]
    assert found == [(f"PUT /{number} HTTP/1.1".encode(), body) for number, body in enumerate(bodies)]


def test_a_message_without_a_length_has_no_body() -> None:
    assert list(MessageReader().feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")) == [(b"GET / HTTP/1.1", b"")]


def test_values_differ_and_have_their_size() -> None:
    values = {value(number) for number in range(1000)}
    assert len(values) == 1000
    assert {len(text) for text in values} == {VALUE_BYTES}


@contextmanager
def answering(status: bytes) -> Iterator[int]:
    """A server that answers every request with `status`; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        reader = MessageReader()
        with connection:
            try:
                while data := connection.recv(1 << 16):
                    for _ in reader.feed(data):
                        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_the_load_is_measured() -> None:
    with answering(b"200 OK") as port:
        result = generate(port, [http_request("PUT", "/", port, b"x")] * 3, seconds=0.2)
    assert result.per_s > 0
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.errors == 0


def test_failures_are_no_writes() -> None:
    with (
        answering(b"503 Service Unavailable") as port,
        pytest.raises(BenchmarkError, match=r"no write succeeded, [1-9]"),
    ):
        generate(port, [http_request("PUT", "/", port, b"x")], seconds=0.2)


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "FIRST_ANSWER_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        spec = load.Spec(listener.getsockname()[1], ["x", "x"], 0.1, 0.1)
        with pytest.raises(BenchmarkError, match="2 clients had no answer"):
            asyncio.run(load._Run(spec).go())


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(BenchmarkError, match=r"the load generator failed: .*refused"):
        generate(port, [b""], seconds=0.1)


@pytest.mark.parametrize(
    "option",
    [
        "-systems=nothing",
        "-clients=0",
        "-clients=x",
        "-rounds=-1",
        "-seconds=0",
        "-seconds=nan",
        "-servers=3,10",
        "-json=/",
        "-markdown=/no/such/x",
    ],
)
def test_options_that_cannot_be(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        throughput.main([option])
    assert end.value.code == 2
    assert option.split("=", maxsplit=1)[0] in capsys.readouterr().err


def test_what_is_not_installed_is_skipped_with_a_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert Etcd().missing()
    throughput.main(["-systems=etcd JSON"])
    assert "etcd JSON: skipped: there is no etcd in PATH" in capsys.readouterr().err


def test_a_table_is_markdown() -> None:
    assert table([["a", "bb"], ["ccc", "d"]]) == "| a   | bb |\n| --- | -- |\n| ccc | d  |"


def test_a_load_that_fails_is_a_row_and_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Cluster:
        protocol = HTTP
        servers = (Server("s", 1), Server("t", 2))

        def leader(self) -> Server:
            return self.servers[0]

        def pid(self, server: Server) -> int:
            return server.port

        def put_request(self, _: Server, number: int) -> bytes:
            return b"%d" % number

        def stop(self) -> None:
            pass

    class System:
        name = "slow"

        def missing(self) -> None:
            return None

        def start(self, *_: object) -> Cluster:
            return Cluster()

    def fake(_port: int, requests: list[bytes], *_: object) -> load.Result:
        if len(requests) > 1:
            raise BenchmarkError("no write succeeded, 0 failed")
        return load.Result(5.0, 1.0, 2.0, 0, [30.0, 10.0, 20.0])

    monkeypatch.setattr(throughput, "SYSTEMS", [System()])
    monkeypatch.setattr(throughput, "generate", fake)
    file = tmp_path / "found.json"
    throughput.main(["-clients=1,2", "-rounds=1", f"-json={file}"])
    good, bad = json.loads(file.read_text())["rows"]
    assert good["per_s"] == 5.0
    assert bad["error"] == "no write succeeded, 0 failed"
    out, err = capsys.readouterr()
    assert "| slow                  | 5 (1.0/2.0) | -         |" in out
    assert "| slow                                  | 30.0/10.0/20.0 | -         |" in out
    assert "2 clients  no write succeeded" in err
