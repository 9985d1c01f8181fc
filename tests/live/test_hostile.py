"""Whatever comes over a connection ends that connection, says so in the log, and harms nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from random import Random

import pytest

from raftsim.live.complaints import MAX_LINES, WINDOW_S, Complaints
from raftsim.live.limits import RpcLimits
from raftsim.live.transport import TcpNetwork
from raftsim.wire.codec import encode
from raftsim.wire.frames import frame
from raftsim.wire.handshake import Hello, encode_hello
from tests.live.helpers import FakeNode, eventually, info_of, vote

LIMITS = RpcLimits(linger_s=0.1, handshake_timeout_s=5.0, max_frame_bytes=10_000)


class Pair:
    """n1, which is attacked, and n2, whose link to n1 must not suffer."""

    def __init__(self, ports: list[int], limits: RpcLimits) -> None:
        self.ports = ports
        self.nodes = [FakeNode(), FakeNode()]
        self.networks = [
            TcpNetwork(info_of(f"n{i}", port), "cluster-a", limits=limits, rng=Random(i))
            for i, port in enumerate(ports[:2], 1)
        ]
        self.term = 0

    async def start(self) -> None:
        for network, node, port in zip(self.networks, self.nodes, self.ports, strict=False):
            await network.start(node, ("127.0.0.1", port))
        self.networks[0].set_peers({"n2": f"127.0.0.1:{self.ports[1]}"})
        self.networks[1].set_peers({"n1": f"127.0.0.1:{self.ports[0]}"})
        await eventually(lambda: all(node.seen for node in self.nodes))

    async def stop(self) -> None:
        for network in self.networks:
            await network.stop()

    async def check_undisturbed(self) -> None:
        """Both links carry messages, and neither ever broke."""
        self.term += 1
        first, second = vote("n1", "n2", self.term), vote("n2", "n1", self.term)
        assert self.networks[0].send(first)
        assert self.networks[1].send(second)
        await eventually(lambda: self.nodes[1].received[-1:] == [first])
        await eventually(lambda: self.nodes[0].received[-1:] == [second])
        assert self.nodes[0].lost == self.nodes[1].lost == []
        assert [len(node.seen) for node in self.nodes] == [1, 1]


@pytest.fixture
async def pair(ports: list[int]) -> AsyncIterator[Pair]:
    pair = Pair(ports, LIMITS)
    await pair.start()
    yield pair
    await pair.stop()


def hello(cluster: str = "cluster-a", id: str = "n3", port: int = 1) -> bytes:
    return encode_hello(Hello(cluster, info_of(id, port)))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "raftsim.rpc" and r.levelno >= logging.WARNING]


async def attack(port: int, data: bytes, *, greeted: bool = False, then_close: bool = False) -> None:
    """Send `data` to n1, after a proper handshake if `greeted`, and wait until n1 closes the connection."""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        if greeted:
            writer.write(hello())
            await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        writer.write(data)
        if then_close:
            writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()


# name: (whether after a handshake, what is sent, what the log says)
ATTACKS = {
    "http": (False, b"GET /v1/status/leader HTTP/1.1\r\n\r\n", "a frame of 1195725856 bytes exceeds the limit of 4096"),
    "oversize": (False, b"\xff\xff\xff\xff", "a frame of 4294967295 bytes exceeds"),
    "not msgpack": (False, frame(b"\xc1\xc1"), "not msgpack"),
    "not raftsim": (False, frame(b"\x90"), "it does not speak the raftsim peer protocol"),
    "foreign cluster": (False, hello("cluster-b"), "it belongs to cluster 'cluster-b', this server to 'cluster-a'"),
    "my own id": (False, hello(id="n1"), "it has this server's own id 'n1'"),
    "a second hello": (True, hello(), "not a message"),
    "garbage later": (True, frame(b"\xff\xff\xff"), "not msgpack"),
    "oversize later": (True, b"\x00\x01\x00\x00", "a frame of 65536 bytes exceeds the limit of 10000"),
    "in another's name": (True, encode(vote("n2", "n1")), "it sent a message from 'n2' to 'n1'"),
    "to another": (True, encode(vote("n3", "n2")), "it sent a message from 'n3' to 'n2'"),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_bad_input_ends_its_connection_with_one_warning(
    name: str, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    greeted, data, why = ATTACKS[name]
    await attack(pair.ports[0], data, greeted=greeted)
    (line,) = warnings(caplog)
    who = "'n3' at 127.0.0.1:" if greeted else "127.0.0.1:"
    assert line.startswith(f"closed the connection with {who}")
    assert why in line
    await pair.check_undisturbed()


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("data", [b"\x00\x00", hello()[:-1]])
async def test_a_truncated_frame(data: bytes, greeted: bool, pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    await attack(pair.ports[0], data, greeted=greeted, then_close=True)
    await eventually(lambda: warnings(caplog))
    (line,) = warnings(caplog)
    assert line.endswith("it ended in the middle of a frame")
    await pair.check_undisturbed()


async def test_a_connection_that_says_nothing_and_goes_is_nobodys_business(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    await attack(pair.ports[0], b"", then_close=True)
    await pair.check_undisturbed()
    assert warnings(caplog) == []


async def test_what_the_node_objects_to_ends_the_connection(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    pair.nodes[0].objection = "a vote from the future"
    await attack(pair.ports[0], encode(vote("n3", "n1")), greeted=True)
    pair.nodes[0].objection = ""
    (line,) = warnings(caplog)
    assert line.endswith("a vote from the future")
    await pair.check_undisturbed()


async def test_a_server_of_a_foreign_cluster_hears_why(ports: list[int], caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(ports, LIMITS)
    await pair.start()
    stranger = TcpNetwork(info_of("n3", ports[2]), "cluster-b", limits=LIMITS)
    node = FakeNode()
    await stranger.start(node, ("127.0.0.1", ports[2]))
    stranger.set_peers({"n1": f"127.0.0.1:{ports[0]}"})
    await eventually(lambda: any("'cluster-a', this server to 'cluster-b'" in line for line in warnings(caplog)))
    await eventually(lambda: any("'cluster-b', this server to 'cluster-a'" in line for line in warnings(caplog)))
    assert not stranger.send(vote("n3", "n1"))
    assert node.seen == []
    await stranger.stop()
    await pair.check_undisturbed()
    await pair.stop()


async def test_the_wrong_server_at_an_address(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    pair.networks[0].set_peers({"n2": f"127.0.0.1:{pair.ports[1]}", "n7": f"127.0.0.1:{pair.ports[1]}"})
    await eventually(lambda: any("server 'n2' answered where 'n7' was expected" in line for line in warnings(caplog)))
    assert not pair.networks[0].send(vote("n1", "n7"))


async def test_a_peer_that_talks_back_over_the_link_it_was_dialled_on(
    ports: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(hello(id="n3", port=ports[2]) + encode(vote("n3", "n1")))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", ports[2])
    network = TcpNetwork(info_of("n1", ports[0]), "cluster-a", limits=LIMITS)
    node = FakeNode()
    await network.start(node, ("127.0.0.1", ports[0]))
    network.set_peers({"n3": f"127.0.0.1:{ports[2]}"})
    await eventually(lambda: any("against the direction of the link" in line for line in warnings(caplog)))
    assert node.received == []
    await network.stop()
    server.close()
    await server.wait_closed()


async def test_a_hello_that_does_not_come(ports: list[int], caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(ports, RpcLimits(linger_s=0.1, handshake_timeout_s=0.3))
    await pair.start()
    await attack(ports[0], hello()[:3])
    (line,) = warnings(caplog)
    assert line.endswith("no hello in 0.3 s")
    await pair.check_undisturbed()
    await pair.stop()


async def test_a_listener_that_never_answers_is_left_alone_until_it_does(ports: list[int]) -> None:
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", ports[2])
    network = TcpNetwork(info_of("n1", ports[0]), "cluster-a", limits=RpcLimits(handshake_timeout_s=0.05, linger_s=0.1))
    node = FakeNode()
    await network.start(node, ("127.0.0.1", ports[0]))
    network.set_peers({"n3": f"127.0.0.1:{ports[2]}"})
    assert not network.send(vote("n1", "n3"))
    silent.close()
    await silent.wait_closed()
    real = TcpNetwork(info_of("n3", ports[2]), "cluster-a", limits=LIMITS)
    await real.start(FakeNode(), ("127.0.0.1", ports[2]))
    await eventually(lambda: network.send(vote("n1", "n3")))
    await network.stop()
    await real.stop()


async def test_a_thousand_hostile_connections(ports: list[int], caplog: pytest.LogCaptureFixture) -> None:
    pair = Pair(ports, RpcLimits(linger_s=0.1, max_inbound=64))
    await pair.start()
    rng = Random(7)
    writers = []
    for number in range(1000):
        _, writer = await asyncio.open_connection("127.0.0.1", ports[0])
        writer.write(rng.randbytes(50) if number % 2 else b"")
        writers.append(writer)
        assert len(pair.networks[0]._listener._strangers) <= 64
    await pair.check_undisturbed()
    # A real server still gets in, though strangers hold every place.
    late = TcpNetwork(info_of("n3", ports[2]), "cluster-a", limits=LIMITS)
    await late.start(FakeNode(), ("127.0.0.1", ports[2]))
    late.set_peers({"n1": f"127.0.0.1:{ports[0]}"})
    await eventually(lambda: late.send(vote("n3", "n1")))
    assert 1 <= len(warnings(caplog)) <= MAX_LINES * 10
    await late.stop()
    for writer in writers:
        writer.close()
    await pair.stop()


def test_a_flood_of_complaints_is_counted_and_summed_up(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    complaints = Complaints(lambda: now_s)
    for _ in range(500):
        complaints.tell("a stranger", "why not")
    assert len(warnings(caplog)) == MAX_LINES
    caplog.clear()
    now_s += WINDOW_S
    complaints.tell("a stranger", "again")
    assert warnings(caplog) == [
        f"closed {500 - MAX_LINES} more connections that are not listed here",
        "closed the connection with a stranger: again",
    ]
