"""Clients that do not keep to the protocol harm themselves alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from raftsim.client import Client
from raftsim.live.limits import RpcLimits
from raftsim.machine.variables import put_command
from raftsim.node.requests import OK, Command, Query, RemovePeer
from raftsim.wire.clients import (
    CLIENT_MAGIC,
    ClientHello,
    Dismissal,
    Welcome,
    decode_answer,
    decode_hello,
    encode_hello,
    encode_request,
)
from raftsim.wire.codec import REQUESTS, pack
from raftsim.wire.frames import frame
from tests.client.helpers import Raw, address
from tests.live.cluster import Cluster
from tests.live.helpers import eventually, reserved_ports

ASK = encode_request(1, Query(("get", "default", "key"), stale=True))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Cluster]:
    with reserved_ports(1) as ports:
        cluster = Cluster(tmp_path, ports)
        await cluster.start()
        await cluster.leader()
        yield cluster
        await cluster.stop()
        assert not cluster.failures


def limits(cluster: Cluster, **changed: int) -> None:
    """Change the limits of the running server."""
    network = cluster.servers["n1"]._network
    network._limits = network._listener.limits = RpcLimits(**changed)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xc1",
        b"",
        pack((1,)),
        pack((1, (99, b""))),
        pack(("one", REQUESTS.to_plain(Command(b"")))),
        pack((1, REQUESTS.to_plain(RemovePeer("n1")))),  # not for clients
        pack((1, REQUESTS.to_plain(Query(("get",), wait_s=float("nan"))))),
    ],
)
async def test_what_is_no_request_ends_the_connection(one: Cluster, payload: bytes) -> None:
    raw = await Raw.connect(address(one, "n1"))
    assert await raw.payload()
    raw.send(payload)
    assert await raw.payload() is None
    await raw.close()
    async with Client([address(one, "n1")]) as client:
        await client.put("key", {})


async def test_a_number_in_use_ends_the_connection(one: Cluster) -> None:
    raw = await Raw.connect(address(one, "n1"))
    assert await raw.payload()
    wait = encode_request(1, Query(("get", "default", "key"), stale=True, after=1 << 40, wait_s=60.0))
    raw.writer.write(wait + wait)
    assert await raw.payload() is None
    await raw.close()


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        (encode_hello(ClientHello("another")), "it looks for cluster 'another', this is 'c'"),
        (encode_hello(Welcome("c", "n1", "")), "a server's answer"),
        (frame(pack((CLIENT_MAGIC, 99, 1, ""))), "it speaks client protocol 99, this side 1"),
        (frame(pack((CLIENT_MAGIC, 1, 1))), "not a hello"),
    ],
)
async def test_who_is_turned_away_is_told_why(one: Cluster, hello: bytes, why: str) -> None:
    raw = await Raw.connect(address(one, "n1"), hello)
    payload = await raw.payload()
    assert payload is not None
    answer = decode_hello(payload)
    assert isinstance(answer, Dismissal)
    assert why in answer.why
    assert await raw.payload() is None
    await raw.close()


async def test_one_client_too_many_takes_the_place_of_an_idle_one(one: Cluster) -> None:
    limits(one, max_clients=2)
    idle, busy = [await Raw.connect(address(one, "n1")) for _ in range(2)]
    assert await idle.payload()
    assert await busy.payload()
    busy.writer.write(encode_request(1, Query(("get", "default", "key"), stale=True, after=1 << 40, wait_s=60.0)))
    node = one.servers["n1"]
    await eventually(lambda: node.status()["pending_requests"] == 1)
    third = await Raw.connect(address(one, "n1"))
    assert await idle.payload() is None
    assert await third.payload()
    third.writer.write(encode_request(1, Query(("get", "default", "key"), stale=True, after=1 << 40, wait_s=60.0)))
    await eventually(lambda: node.status()["pending_requests"] == 2)
    fourth = await Raw.connect(address(one, "n1"))
    payload = await fourth.payload()
    assert payload is not None
    assert decode_hello(payload) == Dismissal("more than 2 clients are connected")
    for raw in (idle, busy, third, fourth):
        await raw.close()


async def test_who_does_not_read_is_not_read(one: Cluster) -> None:
    """The answers pile up at the client that does not want them, not in the server."""
    async with Client([address(one, "n1")]) as client:
        await client.put("big", {"text": "x" * 60_000})
        raw = await Raw.connect(address(one, "n1"))
        assert await raw.payload()
        ask = [encode_request(number, Query(("get", "default", "big"), stale=True)) for number in range(3000)]
        raw.writer.write(b"".join(ask))

        def congested() -> bool:
            links = one.servers["n1"]._network._listener._clients
            return any(other.client is not None and other.client._congested for other in links)

        await eventually(congested, "the server stops reading")
        await client.put("key", {})
        found: set[int] = set()
        while len(found) < len(ask):
            payload = await raw.payload()
            assert payload is not None
            answer = decode_answer(payload)
            assert answer.outcome.kind == OK
            found.add(answer.number)
        await raw.close()


async def test_requests_of_who_has_gone_are_done_all_the_same(one: Cluster) -> None:
    raw = await Raw.connect(address(one, "n1"))
    assert await raw.payload()
    raw.writer.write(encode_request(1, Command(put_command("default", "key", {}, None, 1))))
    await raw.writer.drain()
    raw.writer.transport.abort()
    async with Client([address(one, "n1")]) as client:
        async with asyncio.timeout(20):
            while await client.get("key") is None:
                pass
    assert not one.failures
