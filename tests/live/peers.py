"""Ends of the network, without servers behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from raftsim.live.faults import LinkFaults
from raftsim.live.limits import RpcLimits
from raftsim.live.transport import TcpNetwork
from raftsim.node.ports import PeerMessage
from tests.live.helpers import FakeNode, eventually, info_of

LIMITS = RpcLimits(linger_s=0.1, max_frame_bytes=1 << 20)


@dataclass
class Member:
    network: TcpNetwork
    node: FakeNode
    port: int
    events: list[tuple[str, object]] = field(default_factory=list)


class Peers:
    """Servers n1, n2, ... on ports of their own, of one cluster."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.members: dict[str, Member] = {}

    @property
    def addresses(self) -> dict[str, str]:
        return {f"n{i}": f"127.0.0.1:{port}" for i, port in enumerate(self.ports, 1)}

    async def start(
        self,
        id: str,
        *,
        knows: str = "",
        limits: RpcLimits = LIMITS,
        faults: LinkFaults | None = None,
    ) -> Member:
        port = self.ports[int(id[1:]) - 1]
        events: list[tuple[str, object]] = []
        network = TcpNetwork(
            info_of(id, port),
            "c",
            limits=limits,
            rng=Random(1),
            faults=faults,
            observer=lambda kind, subject: events.append((kind, subject)),
        )
        member = self.members[id] = Member(network, FakeNode(), port, events)
        await network.start(member.node, ("127.0.0.1", port))
        network.set_peers({peer: self.addresses[peer] for peer in knows.split()})
        return member

    async def stop(self, id: str) -> None:
        await self.members.pop(id).network.stop()


async def connected(*members: Member, links: int = 1) -> None:
    await eventually(lambda: all(len(member.node.seen) >= links for member in members), "all links are up")


async def received(member: Member, *messages: PeerMessage) -> None:
    await eventually(lambda: len(member.node.received) >= len(messages), "everything arrived")
    assert member.node.received == list(messages)
