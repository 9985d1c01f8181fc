"""What happens on a connection: reuse, pipelining, half-closing, leaving, stopping."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from raftsim.http.answer import Answers
from raftsim.http.message import HttpResponse
from raftsim.http.server import HttpServer
from raftsim.node.requests import Outcome, Request
from tests.http.fakes import Client, FakeAgent, exchange, membership, ok

GET = b"GET /v1/regions HTTP/1.1\r\nHost: x\r\n\r\n"
LEADER = b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /v1/var/a HTTP/1.1\r\nHost: x\r\n"


async def test_a_connection_is_used_again(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    for _ in range(3):
        client.send(GET)
        reply = await client.reply()
        assert (reply.status, reply.body) == ("HTTP/1.1 200 OK", b'["global"]')
        assert "Connection" not in reply.headers
    await client.close()


async def test_pipelined_requests_are_answered_in_order(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome = ok(membership())
    client = await Client.connect(server.port)
    client.send((GET + LEADER) * 50)
    bodies = [(await client.reply()).body for _ in range(100)]
    assert bodies == [b'["global"]', b'"127.0.0.1:4647"'] * 50
    await client.close()


async def test_connection_close_and_http_1_0_end_the_connection(server: HttpServer) -> None:
    for request, version in (
        (b"GET /v1/regions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"HTTP/1.1"),
        (b"GET /v1/regions HTTP/1.0\r\n\r\n", b"HTTP/1.0"),
    ):
        client = await Client.connect(server.port)
        client.send(request)
        answer = await client.closed()
        assert answer.startswith(version + b" 200 OK\r\n")
        assert answer.endswith(b'\r\n\r\n["global"]')


async def test_no_answer_names_the_software(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(GET + b"nonsense\r\n\r\n")
    assert b"server:" not in (await client.closed()).lower()


async def test_half_closed_client_gets_all_its_answers(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome, agent.held = ok(membership()), True
    client = await Client.connect(server.port)
    client.send(LEADER + GET + LEADER)
    await agent.was_asked()
    client.writer.write_eof()
    await exchange(server.port, "GET /v1/regions")  # by now the end has arrived too
    agent.release()
    bodies = [(await client.reply()).body for _ in range(3)]
    assert bodies == [b'"127.0.0.1:4647"', b'["global"]', b'"127.0.0.1:4647"']
    assert await client.closed() == b""


async def test_half_closed_at_once(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(GET)
    client.writer.write_eof()
    assert (await client.closed()).endswith(b'["global"]')


async def test_half_closed_without_a_request_is_closed(server: HttpServer) -> None:
    for sent in (b"", GET[:20]):
        client = await Client.connect(server.port)
        client.send(sent)
        client.writer.write_eof()
        assert await client.closed() == b""


async def test_half_closed_within_a_body_does_nothing(
    server: HttpServer, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    client = await Client.connect(server.port)
    client.send(PUT + b'Content-Length: 100\r\n\r\n{"Items"')
    client.writer.write_eof()
    answer = await client.closed()
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert not agent.asked
    assert not caplog.records


async def test_client_that_leaves_while_it_waits_is_harmless(
    server: HttpServer, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    agent.outcome, agent.held = ok(membership()), True
    client = await Client.connect(server.port)
    client.send(LEADER)
    await agent.was_asked()
    linger = b"\1\0\0\0\0\0\0\0"  # on, for 0 s: a reset instead of a goodbye
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    await client.close()
    await exchange(server.port, "GET /v1/regions")  # by now the reset has arrived too
    agent.release()
    assert (await exchange(server.port, "GET /v1/status/leader")).body == b'"127.0.0.1:4647"'
    assert not caplog.records


async def test_taken_port_is_an_os_error(server: HttpServer, agent: FakeAgent) -> None:
    second = HttpServer(agent, "127.0.0.1", server.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


async def test_stop_closes_idle_connections_and_lets_running_ones_end(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome, agent.held = ok(membership()), True
    idle, busy = await Client.connect(server.port), await Client.connect(server.port)
    idle.send(GET)
    await idle.reply()
    busy.send(LEADER)
    await agent.was_asked()
    port = server.port
    stopping = asyncio.create_task(server.stop())
    await asyncio.sleep(0)
    agent.release()
    assert (await busy.reply()).body == b'"127.0.0.1:4647"'
    assert await idle.closed() == await busy.closed() == b""
    await stopping
    with pytest.raises(ConnectionRefusedError):
        await Client.connect(port)


async def test_stop_does_not_wait_for_ever(server: HttpServer, agent: FakeAgent) -> None:
    agent.held = True
    busy = await Client.connect(server.port)
    busy.send(LEADER)
    await agent.was_asked()
    async with asyncio.timeout(5):
        await server.stop()
    assert await busy.closed() == b""


async def test_a_bug_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeAgent):
        def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:  # noqa: ARG002
            raise RuntimeError(f"cannot do {type(request).__name__}")

    server = HttpServer(Broken(), "127.0.0.1", 0)
    await server.start()
    reply = await exchange(server.port, "GET /v1/status/leader")
    assert (reply.status, reply.body) == (
        "HTTP/1.1 500 Internal Server Error",
        b"internal error: see the log of this server",
    )
    assert reply.headers["Connection"] == "close"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "cannot do ReadMembership" in caplog.text
    await server.stop()


async def test_a_bug_in_an_answer_stays_in_http(
    server: HttpServer, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """The node must not see it: it would stop the server."""
    agent.held = True
    client = await Client.connect(server.port)
    client.send(LEADER)
    await agent.was_asked()
    agent.outcome = ok("no membership")
    agent.release()
    assert (await client.reply()).status == "HTTP/1.1 500 Internal Server Error"
    assert await client.closed() == b""
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_an_answer_cannot_be_split(agent: FakeAgent) -> None:
    for value in ("a\r\nSet-Cookie: b", "a\nb", "a\rb"):
        with pytest.raises(ValueError, match="has a line end in it"):
            Answers(agent).encode(HttpResponse(200, {"Location": value}), None, last=False)


async def test_a_connection_that_comes_with_the_end_is_not_kept(server: HttpServer) -> None:
    """The loop may have accepted it already when the server stops."""
    late = server._connect()
    await server.stop()
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    with theirs:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: late, ours)
        assert await asyncio.to_thread(theirs.recv, 1) == b""
