"""Too much of anything, and nonsense: a plain answer, nothing asked of the agent, nothing logged."""

from __future__ import annotations

import pytest

from raftsim.http.body import MAX_BODY_BYTES
from raftsim.http.server import HttpServer
from tests.http.fakes import Client, FakeAgent, exchange, ok

GET = b"GET /v1/regions HTTP/1.1\r\nHost: x\r\n\r\n"
PUT = b"PUT /v1/var/a HTTP/1.1\r\nHost: x\r\n"
ITEMS = b'{"Items":{"k":"v"}}'
STORED = {"result": "ok", "variable": {"Path": "a"}, "index": 5}


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/regions HTTP/9.9\r\n\r\n",
        b"get /v1/regions HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1 /regions HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET regions HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/regions HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"GET /v1/regions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /v1/regions?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/regions HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /v1/regions HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=lambda sent: repr(sent[:60]),
)
async def test_nonsense_is_answered_400(
    server: HttpServer, agent: FakeAgent, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    client = await Client.connect(server.port)
    client.send(sent)
    reply = await client.reply()
    assert reply.status.endswith(" 400 Bad Request")
    assert reply.body == b"400 Bad Request"
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.headers["Vary"] == "Accept-Encoding"
    assert await client.closed() == b""
    assert not agent.asked
    assert not caplog.records


async def test_connect_finds_nothing(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
    assert (await client.reply()).status == "HTTP/1.1 400 Bad Request"
    await client.close()


async def test_upgrade_is_not_taken(server: HttpServer) -> None:
    client = await Client.connect(server.port)
    client.send(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + GET)
    assert [(await client.reply()).status for _ in range(2)] == ["HTTP/1.1 200 OK"] * 2
    await client.close()


async def test_largest_body_is_read(server: HttpServer) -> None:
    reply = await exchange(server.port, "PUT /v1/var/a", b" " * MAX_BODY_BYTES)
    assert (reply.status, reply.body) == ("HTTP/1.1 400 Bad Request", b"EOF")


async def test_larger_body_is_refused_before_it_is_sent(server: HttpServer, agent: FakeAgent) -> None:
    client = await Client.connect(server.port)
    client.send(PUT + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))
    reply = await client.reply()
    assert reply.status == "HTTP/1.1 413 Request Entity Too Large"
    assert reply.body == b"the request body is larger than 1048576 bytes"
    assert not agent.asked
    await client.close()


async def test_larger_chunked_body_is_refused(server: HttpServer, agent: FakeAgent) -> None:
    client = await Client.connect(server.port)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    client.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 17 + b"0\r\n\r\n")
    assert (await client.reply()).status == "HTTP/1.1 413 Request Entity Too Large"
    assert not agent.asked
    await client.close()


async def test_client_that_asks_before_it_sends_is_told_to(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome = ok(STORED)
    client = await Client.connect(server.port)
    client.send(PUT + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(ITEMS))
    assert (await client.reply()).status == "HTTP/1.1 100 Continue"
    client.send(ITEMS)
    reply = await client.reply()
    assert (reply.status, reply.body) == ("HTTP/1.1 200 OK", b'{"Path":"a"}')
    await client.close()


async def test_chunked_bodies(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome = ok(STORED)
    client = await Client.connect(server.port)
    client.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ITEMS), ITEMS))
    assert (await client.reply()).status == "HTTP/1.1 200 OK"
    client.send(PUT + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert (await client.reply()).body == b"EOF"
    await client.close()


async def test_compressed_body_is_not_unpacked(server: HttpServer) -> None:
    reply = await exchange(server.port, "PUT /v1/var/a", ITEMS[:-1], ["Content-Encoding: gzip"])
    assert reply.body == b"unexpected EOF"


async def test_nothing_is_compressed_or_chunked(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome = ok({"leader": "", "servers": [{"address": "x" * 100_000}]})
    reply = await exchange(server.port, "GET /v1/status/peers", headers=["Accept-Encoding: gzip"])
    assert "Content-Encoding" not in reply.headers
    assert "Transfer-Encoding" not in reply.headers
    assert reply.headers["Content-Length"] == "100004"


async def test_too_many_connections_of_one_client(agent: FakeAgent) -> None:
    server = HttpServer(agent, "127.0.0.1", 0, max_connections_per_client=2)
    await server.start()
    clients = [await Client.connect(server.port) for _ in range(2)]
    for client in clients:
        client.send(GET)
        await client.reply()
    refused = await Client.connect(server.port)
    assert await refused.closed() == (
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 81\r\n"
        b"Connection: close\r\n\r\n"
        b"Your IP is issuing too many concurrent connections, please rate limit your calls\n"
    )
    await refused.close()
    clients[0].send(b"nonsense\r\n\r\n")  # after which the server closes, and has room again
    await clients[0].closed()
    assert (await exchange(server.port, "GET /v1/regions")).status == "HTTP/1.1 200 OK"
    await clients[1].close()
    await server.stop()
