"""What a server learns from a link that breaks: the peer may be back, silent, or gone."""

from __future__ import annotations

import asyncio

import pytest

from raftsim.live.limits import RpcLimits
from raftsim.wire.handshake import Hello, encode_hello
from tests.live.helpers import eventually, info_of
from tests.live.peers import Peers, connected


async def test_a_peer_whose_process_is_gone_is_known_at_once_and_told_once(
    peers: Peers, caplog: pytest.LogCaptureFixture
) -> None:
    a = await peers.start("n1", knows="n2", limits=RpcLimits(reconnect_min_s=1000, reconnect_max_s=1000))
    await peers.start("n2", knows="n1")  # it is dialled back, if it was too late for the first attempt
    await connected(a)
    await peers.stop("n2")
    await eventually(lambda: a.node.refused == ["n2"])
    caplog.set_level("DEBUG", "raftsim.rpc")
    a.network._links["n2"].redial()
    await eventually(lambda: caplog.messages, "a second attempt was refused")
    await peers.start("n2", knows="n1")
    await connected(a, links=2)
    assert a.node.refused == a.node.lost == ["n2"]


async def test_a_peer_that_was_never_up_is_not_gone(peers: Peers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "raftsim.rpc")
    a = await peers.start("n1", knows="n2")
    await eventually(lambda: len(caplog.messages) >= 3, "some attempts were refused")
    assert a.node.refused == []


class Fickle:
    """A peer n2 that greets its first `polite` callers and hangs up on all; if `silent`, the later ones wait."""

    def __init__(self, port: int, polite: int, *, silent: bool = False) -> None:
        self.port = port
        self.polite = polite
        self.silent = silent
        self.callers = 0
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    def stop_listening(self) -> None:
        assert self.server is not None
        self.server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        if self.callers <= self.polite:
            writer.write(encode_hello(Hello("c", info_of("n2", self.port))))
        elif self.silent:
            await reader.read()
        writer.close()


async def test_a_peer_that_hangs_up_at_once_keeps_nobody_busy(peers: Peers) -> None:
    fickle = Fickle(peers.ports[1], polite=1000)
    await fickle.start()
    began = asyncio.get_running_loop().time()
    a = await peers.start("n1", knows="n2", limits=RpcLimits(reconnect_min_s=0.05, reconnect_max_s=0.05))
    await connected(a, links=12)
    # Of the 11 times it dialled again, one in 0.05 s may have been at once; the others waited for 0.025 s or longer.
    assert asyncio.get_running_loop().time() - began >= 0.15
    assert a.node.refused == []
    fickle.stop_listening()


async def test_a_peer_that_was_still_dying_is_known_later(peers: Peers) -> None:
    fickle = Fickle(peers.ports[1], polite=1)
    await fickle.start()
    a = await peers.start("n1", knows="n2")
    await eventually(lambda: fickle.callers >= 2, "it was dialled again, and hung up without a word")
    assert a.node.refused == []
    fickle.stop_listening()
    await eventually(lambda: a.node.refused == ["n2"])


async def test_a_peer_that_is_only_silent_is_not_gone(peers: Peers) -> None:
    fickle = Fickle(peers.ports[1], polite=1, silent=True)
    await fickle.start()
    limits = RpcLimits(reconnect_min_s=0.01, reconnect_max_s=0.01, handshake_timeout_s=0.02)
    a = await peers.start("n1", knows="n2", limits=limits)
    await eventually(lambda: fickle.callers >= 4)
    assert a.node.lost == ["n2"]
    assert a.node.refused == []
    fickle.stop_listening()
