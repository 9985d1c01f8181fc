from __future__ import annotations

import asyncio

import pytest

from raftsim.core.entry import COMMAND, Entry
from raftsim.core.messages import Append
from raftsim.live.faults import LinkFaults
from raftsim.live.limits import RpcLimits
from raftsim.live.transport import TcpNetwork
from raftsim.trace.events import DELIVER, DROP
from raftsim.wire.handshake import Hello, encode_hello
from tests.live.helpers import BOUND_S, FakeNode, eventually, info_of, vote
from tests.live.peers import Peers, connected, received


async def test_three_servers_exchange_messages(peers: Peers) -> None:
    a, b, c = [await peers.start(id, knows="n1 n2 n3".replace(id, "")) for id in ("n1", "n2", "n3")]
    await connected(a, b, c, links=2)
    assert sorted(info.name for info in a.node.seen) == ["n2.global", "n3.global"]
    for term in range(1, 101):
        assert a.network.send(vote("n1", "n2", term))
        assert a.network.send(vote("n1", "n3", term))
    large = Append(1, "n2", "n1", 0, 0, [Entry(1, COMMAND, b"x" * 1000)] * 500)
    assert b.network.send(large)
    for member, id in ((b, "n2"), (c, "n3")):
        await received(member, *[vote("n1", id, term) for term in range(1, 101)])
    await received(a, large)
    assert a.events == [(DELIVER, large)]


async def test_nothing_is_sent_while_the_peer_is_away_and_all_is_well_when_it_is_back(peers: Peers) -> None:
    a = await peers.start("n1", knows="n2")
    assert not a.network.send(vote("n1", "n2"))
    assert not a.network.send(vote("n1", "n3"))  # never heard of
    for times in (1, 2, 3):
        b = await peers.start("n2", knows="n1")
        await connected(a, links=times)
        await connected(b)
        assert a.network.send(vote("n1", "n2", times))
        await received(b, vote("n1", "n2", times))
        await peers.stop("n2")
        await eventually(lambda: not a.network.send(vote("n1", "n2")))
    assert len(a.node.seen) == 3
    assert a.node.lost == ["n2"] * 3


async def test_a_peer_that_dials_in_is_dialled_back_without_waiting(peers: Peers) -> None:
    never = RpcLimits(reconnect_min_s=1000, reconnect_max_s=1000)
    a = await peers.start("n1", knows="n2", limits=never)
    await eventually(lambda: len(asyncio.all_tasks()) > 1)
    b = await peers.start("n2", knows="n1")
    await connected(a, b)


async def test_a_peer_that_is_late_and_dials_nobody_is_found_all_the_same(
    peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "raftsim.rpc")
    a = await peers.start("n1", knows="n2")
    await eventually(lambda: len(caplog.messages) >= 4, "some attempts failed")
    assert set(caplog.messages) == {caplog.messages[0]}
    assert caplog.messages[0].startswith(f"cannot reach 'n2' at 127.0.0.1:{peers.ports[1]}: ")
    await peers.start("n2")
    await connected(a)


async def test_a_peer_that_dials_anew_replaces_its_former_connection(peers: Peers) -> None:
    a = await peers.start("n1")
    reader, writer = await asyncio.open_connection("127.0.0.1", a.port)
    writer.write(encode_hello(Hello("c", info_of("n2", peers.ports[1]))))
    await peers.start("n2", knows="n1")
    async with asyncio.timeout(BOUND_S):
        await reader.read()  # to its end: our connection was closed
    await eventually(lambda: peers.members["n2"].network.send(vote("n2", "n1")))
    await received(a, vote("n2", "n1"))
    writer.close()


async def test_a_server_that_knows_nobody_can_answer_whoever_asks(peers: Peers) -> None:
    new = await peers.start("n2")
    leader = await peers.start("n1", knows="n2")
    await connected(leader, new)
    assert new.network.send(vote("n2", "n1"))
    await received(leader, vote("n2", "n1"))


async def test_a_guest_is_forgotten_when_idle_and_dialled_again_when_written_to(peers: Peers) -> None:
    limits = RpcLimits(guest_idle_s=0.02, linger_s=0.1)
    host = await peers.start("n1", limits=limits)
    guest = await peers.start("n2", knows="n1")
    await connected(host, guest)
    await eventually(lambda: not host.network._links, "the link to the guest ends")
    assert not host.network.send(vote("n1", "n2"))
    await eventually(lambda: host.network.send(vote("n1", "n2", 2)))
    await received(guest, vote("n1", "n2", 2))
    assert host.node.lost == []  # it was closed, it did not break


async def test_the_oldest_guest_makes_room(peers: Peers) -> None:
    host = await peers.start("n1", limits=RpcLimits(max_guests=1))
    for id in ("n2", "n3"):
        await connected(await peers.start(id, knows="n1"))
    await eventually(lambda: host.network.send(vote("n1", "n3")))
    assert not host.network.send(vote("n1", "n2"))


async def test_a_dropped_peer_still_gets_the_last_messages(peers: Peers) -> None:
    a = await peers.start("n1", knows="n2 n3")
    b = await peers.start("n2")
    c = await peers.start("n3", knows="n1")
    await connected(a, links=2)
    await connected(b, c)  # n2 has dialled back: the link of n1 to it is not renewed any more
    a.network.set_peers({"n3": peers.addresses["n3"]})
    assert a.network.send(vote("n1", "n2"))
    await eventually(lambda: b.node.received)
    await eventually(lambda: set(a.network._links) == {"n3"})
    assert a.network.send(vote("n1", "n3"))
    await eventually(lambda: c.node.received)
    assert a.node.lost == []


async def test_a_peer_that_moved_is_dialled_at_its_new_address(peers: Peers) -> None:
    a = await peers.start("n1", knows="n2")
    b = await peers.start("n2")
    await connected(a)
    await peers.stop("n2")
    peers.ports[1] = peers.ports[2]
    b = await peers.start("n2")
    a.network.set_peers({"n2": peers.addresses["n2"]})
    await connected(a, links=2)
    await eventually(lambda: a.network.send(vote("n1", "n2")))
    await eventually(lambda: b.node.received)


async def test_what_was_sent_before_stop_still_arrives(peers: Peers) -> None:
    a = await peers.start("n1", knows="n2")
    b = await peers.start("n2")
    await connected(a)
    for term in range(1, 1001):
        assert a.network.send(vote("n1", "n2", term))
    await peers.stop("n1")
    await eventually(lambda: len(b.node.received) == 1000)


async def test_after_abort_nothing_leaves(peers: Peers) -> None:
    a = await peers.start("n1", knows="n2")
    b = await peers.start("n2", knows="n1")
    await connected(a, b)
    assert a.network.send(vote("n1", "n2"))
    a.network.abort()
    assert not a.network.send(vote("n1", "n2"))
    await eventually(lambda: b.node.lost == b.node.refused == ["n1"])
    assert b.node.received == []


async def test_a_full_link_and_a_message_too_long_are_refused_and_counted(peers: Peers) -> None:
    small = RpcLimits(max_outgoing_bytes=10_000, max_frame_bytes=5_000)
    a = await peers.start("n1", knows="n2", limits=small)
    b = await peers.start("n2")
    await connected(a)
    assert not a.network.send(Append(1, "n1", "n2", 0, 0, [Entry(1, COMMAND, b"x" * 5_000)]))
    assert a.network.dropped == 1
    large = Append(1, "n1", "n2", 0, 0, [Entry(1, COMMAND, b"x" * 4_000)])
    assert [a.network.send(large) for _ in range(4)] == [True, True, False, False]
    assert a.network.dropped == 3
    await received(b, large, large)
    await eventually(lambda: a.network.send(large))


async def test_blocked_peers_lose_messages_both_ways_and_nobody_notices(peers: Peers) -> None:
    faults = LinkFaults()
    a = await peers.start("n1", knows="n2 n3", faults=faults)
    b, c = [await peers.start(id, knows="n1") for id in ("n2", "n3")]
    await connected(a, links=2)
    await connected(b, c)
    faults.block(["n2"])
    assert a.network.send(vote("n1", "n2"))
    assert b.network.send(vote("n2", "n1"))
    await eventually(lambda: faults.dropped == 2)
    assert a.events == [(DROP, (vote("n1", "n2"), "blocked")), (DROP, (vote("n2", "n1"), "blocked"))]
    assert a.network.send(vote("n1", "n3"))
    await eventually(lambda: c.node.received)
    faults.block([])
    assert a.network.send(vote("n1", "n2", 2))
    await received(b, vote("n1", "n2", 2))
    assert a.node.lost == b.node.lost == []


async def test_a_port_that_is_taken_is_named(peers: Peers) -> None:
    a = await peers.start("n1")
    other = TcpNetwork(info_of("n9", a.port), "c")
    with pytest.raises(OSError, match=f"cannot listen for peers on 127.0.0.1:{a.port}: Address already in use"):
        await other.start(FakeNode(), ("127.0.0.1", a.port))
    await other.stop()
