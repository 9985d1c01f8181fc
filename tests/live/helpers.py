"""What the tests of the live wing share."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Vote
from raftsim.node.ports import PeerInfo, PeerMessage
from raftsim.node.requests import OK, Outcome, Request

BOUND_S = 20.0  # longer than anything here takes on a busy machine


async def eventually(condition: Callable[[], object], what: str = "") -> None:
    """Return once `condition` holds; fail when it does not within BOUND_S."""
    try:
        async with asyncio.timeout(BOUND_S):
            while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.002)
    except TimeoutError:
        raise AssertionError(f"never happened: {what or condition}") from None


@contextlib.contextmanager
def reserved_ports(count: int) -> Iterator[list[int]]:
    """Ports nobody else is given: they stay bound here, without listening, while servers listen on them."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 0))
            ports.append(sock.getsockname()[1])
        yield ports


def info_of(id: str, port: int) -> PeerInfo:
    return PeerInfo(id, f"{id}.global", f"127.0.0.1:{port}", 2)


class FakeNode:
    """Remembers what the network tells it."""

    def __init__(self) -> None:
        self.received: list[PeerMessage] = []
        self.seen: list[PeerInfo] = []
        self.lost: list[str] = []
        self.refused: list[str] = []
        self.asked: list[Request] = []
        self.objection = ""

    def receive(self, message: PeerMessage) -> None:
        if self.objection:
            raise ProtocolViolation(self.objection)
        self.received.append(message)

    def peer_seen(self, info: PeerInfo) -> None:
        self.seen.append(info)

    def link_lost(self, peer: str) -> None:
        self.lost.append(peer)

    def link_refused(self, peer: str) -> None:
        self.refused.append(peer)

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        self.asked.append(request)
        done(Outcome(OK))

    def leader_address(self) -> str:
        return ""


def vote(src: str, dst: str, term: int = 1) -> Vote:
    return Vote(term, src, dst, 0, 0)
