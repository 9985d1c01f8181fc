"""Who is slow is given up, who floods is held back, and nobody costs the others anything. Seconds pass by `tick`."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import socket

import pytest

from raftsim.http.body import MAX_BODY_BYTES
from raftsim.http.connection import BODY_S, HEAD_S, IDLE_S, LINGER_S, MAX_WAITING_BYTES, UNREAD_S
from raftsim.http.server import HttpServer
from tests.http.fakes import Client, FakeAgent, exchange, membership, ok
from tests.live.helpers import eventually

GET = b"GET /v1/regions HTTP/1.1\r\nHost: x\r\n\r\n"
LEADER = b"GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /v1/var/a HTTP/1.1\r\nHost: x\r\n"
LATE = b"the request did not come to its end in time"
MANY = 2000
READ_AT_ONCE = 256 << 10  # what an event loop reads at most


async def arrived(server: HttpServer) -> None:
    """Wait until what was sent before has been taken in."""
    await exchange(server.port, "GET /v1/regions")


def pass_time(server: HttpServer, seconds: int) -> None:
    for _ in range(seconds + 1):
        server.tick()


def large(agent: FakeAgent) -> None:
    agent.outcome = ok({"leader": "", "servers": [{"address": "x" * (16 << 20)}]})


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"GET /v1/reg", HEAD_S),
        (PUT, HEAD_S),
        (GET + PUT, HEAD_S),
        (PUT + b"Content-Length: 3\r\n\r\nab", BODY_S),
        (PUT + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", BODY_S),
    ],
)
async def test_a_request_that_does_not_end_is_given_up(server: HttpServer, sent: bytes, seconds: int) -> None:
    client = await Client.connect(server.port)
    client.send(sent)
    if sent.startswith(GET):
        await client.reply()
    await arrived(server)
    pass_time(server, seconds)
    reply = await client.reply()
    assert (reply.status, reply.body) == ("HTTP/1.1 408 Request Timeout", LATE)
    assert reply.headers["Connection"] == "close"
    assert await client.closed() == b""


async def test_one_byte_now_and_then_is_not_enough(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    for byte in GET[: HEAD_S // 2 + 1]:
        client.send(bytes([byte]))
        await arrived(server)
        pass_time(server, 1)
    assert (await client.reply()).status == "HTTP/1.1 408 Request Timeout"
    await client.close()


async def test_an_idle_connection_is_closed_late_and_silently(server: HttpServer) -> None:
    fresh, used = await Client.connect(server.port), await Client.connect(server.port)
    used.send(GET)
    await used.reply()
    pass_time(server, 2 * BODY_S)
    used.send(GET)
    assert (await used.reply()).status == "HTTP/1.1 200 OK"
    pass_time(server, IDLE_S)
    assert await fresh.closed() == await used.closed() == b""


async def test_an_answer_that_takes_its_time_is_waited_for(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome, agent.held = ok(membership()), True
    client = await Client.connect(server.port)
    client.send(LEADER)
    await agent.was_asked()
    pass_time(server, 2 * IDLE_S)
    agent.release()
    assert (await client.reply()).body == b'"127.0.0.1:4647"'
    await client.close()


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"])
async def test_who_does_not_read_is_cut_off(server: HttpServer, agent: FakeAgent, last: bytes) -> None:
    large(agent)
    client = await Client.connect(server.port)
    client.send(b"GET /v1/status/peers HTTP/1.1\r\nHost: x\r\n" + last + b"\r\n")
    await client.reader.readuntil(b"\r\n\r\n")
    await arrived(server)
    pass_time(server, 2 * UNREAD_S)
    with pytest.raises(asyncio.IncompleteReadError):
        await client.reader.readexactly(16 << 20)
    await client.close()


async def test_who_reads_slowly_gets_everything(server: HttpServer, agent: FakeAgent) -> None:
    large(agent)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)  # what is not read stays with the server
        sock.connect(("127.0.0.1", server.port))
        client = Client(*await asyncio.open_connection(sock=sock.dup()))
    client.send(b"GET /v1/status/peers HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
    await client.reader.readuntil(b"\r\n\r\n")
    for _ in range(4):
        await client.reader.readexactly(4 << 20)
        await arrived(server)
        pass_time(server, UNREAD_S - 5)
    await client.reader.readexactly(4)
    assert (await client.reply()).body == b'["global"]'
    await client.close()


async def test_a_refusal_is_seen_by_who_sends_on(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(PUT + b"Content-Length: %d\r\n\r\n" % (8 * MAX_BODY_BYTES) + b" " * (8 * MAX_BODY_BYTES))
    await client.writer.drain()
    assert (await client.reply()).status == "HTTP/1.1 413 Request Entity Too Large"
    assert await client.closed() == b""


async def test_a_refused_request_is_not_read_for_ever(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(PUT + b"Content-Length: 2000000\r\n\r\n")
    await client.reply()
    (served,) = server._admission.open
    pass_time(server, LINGER_S)
    async with asyncio.timeout(10):
        await server._admission.all_gone()
    assert served not in server._admission.open
    await client.close()


async def test_who_sends_too_early_is_held_back(server: HttpServer, agent: FakeAgent) -> None:
    """And is answered in full all the same."""
    count = 2000
    agent.outcome, agent.held = ok(membership()), True
    client = await Client.connect(server.port)
    client.send(LEADER)
    await agent.was_asked()
    flood = asyncio.create_task(_flood(client, count))
    (served,) = server._admission.open
    await eventually(lambda: served._paused)
    for _ in range(10):
        await arrived(server)
    assert len(served._incoming.data) <= MAX_WAITING_BYTES + READ_AT_ONCE
    assert not flood.done()
    flood.cancel()
    agent.release()
    assert (await client.reply()).body == b'"127.0.0.1:4647"'
    for _ in range(1000):
        assert (await client.reply()).body == b'["global"]'
    await client.close()


async def _flood(client: Client, count: int) -> None:
    for _ in range(count):
        client.send(GET * 1000)
        await client.writer.drain()


async def test_who_sends_many_at_once_takes_turns(server: HttpServer) -> None:
    flooding = await Client.connect(server.port)
    flooding.send(GET * 1000)
    (served,) = server._admission.open
    await flooding.reply()
    await exchange(server.port, "GET /v1/regions")
    assert served._incoming.data  # so the other client did not wait for all of them
    await flooding.close()


async def test_many_connections(agent: FakeAgent) -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(MANY, (files - 200) // 2)
    server = HttpServer(agent, "127.0.0.1", 0, max_connections_per_client=0)
    await server.start()
    agent.outcome, agent.held = ok(membership()), True
    clients = [await Client.connect(server.port) for _ in range(count)]
    for client in clients:
        client.send(LEADER)
    await eventually(lambda: len(agent.waiting) == count)
    agent.release()
    bodies = {(await client.reply()).body for client in clients}
    assert bodies == {b'"127.0.0.1:4647"'}
    for client in clients:
        await client.close()
    async with asyncio.timeout(10):
        await server._admission.all_gone()
    await server.stop()


async def test_garbage_is_answered_or_not_and_never_logged(
    server: HttpServer, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(8)
    words = [GET, PUT, b"\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"hello", b"\n"]
    for _ in range(100):
        client = await Client.connect(server.port)
        for _ in range(rng.randint(1, 8)):
            client.send(rng.choice([*words, rng.randbytes(rng.randint(1, 30))]))
            if rng.random() < 0.3:
                await arrived(server)
        with contextlib.suppress(OSError):  # of one that has been refused and closed by now
            end = rng.random()
            if end < 0.5:
                client.writer.write_eof()
                answers = await client.closed()
                assert answers == b"" or answers.startswith(b"HTTP/1.")
            elif end < 0.75:
                linger = b"\1\0\0\0\0\0\0\0"  # a reset instead of a goodbye
                client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await client.close()
    assert (await exchange(server.port, "GET /v1/regions")).body == b'["global"]'
    assert not agent.asked
    assert not caplog.records
