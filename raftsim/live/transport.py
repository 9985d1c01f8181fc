"""The network port over TCP: a link dialled to every peer, and a listener for the links peers dial here.

Servers outside the configuration may dial in: this server may not know the newest configuration yet. They are guests:
their address is remembered from their Hello, so that they can be answered, and the link to them ends when idle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Protocol

from raftsim.core.errors import ProtocolViolation
from raftsim.live.clients import Service
from raftsim.live.complaints import Complaints
from raftsim.live.faults import LinkFaults
from raftsim.live.limits import RpcLimits
from raftsim.live.link import Link
from raftsim.live.listener import Listener
from raftsim.node.ports import Observer, PeerInfo, PeerMessage
from raftsim.trace.events import DELIVER, DROP
from raftsim.wire.codec import decode, encode
from raftsim.wire.handshake import Hello


class Receiver(Service, Protocol):
    """The part of a server that hears of the network."""

    def receive(self, message: PeerMessage) -> None: ...
    def peer_seen(self, info: PeerInfo) -> None: ...
    def link_lost(self, peer: str) -> None: ...
    def link_refused(self, peer: str) -> None: ...


class TcpNetwork:
    """Implements `node.ports.Network`. `dropped` counts messages kept back by a full link or by their own size."""

    def __init__(
        self,
        info: PeerInfo,
        cluster_id: str,
        *,
        limits: RpcLimits | None = None,
        rng: Random | None = None,
        faults: LinkFaults | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.dropped = 0
        self._mine = Hello(cluster_id, info)
        self._limits = limits or RpcLimits()
        self._rng = rng or Random()
        self._faults = faults
        self._observer = observer
        self._complaints = Complaints()
        self._listener = Listener(
            self._mine, self._limits, self._complaints, greeted=self._greeted, deliver=self._deliver
        )
        self._node: Receiver | None = None
        self._peers: dict[str, str] = {}
        self._guests: dict[str, str] = {}  # id -> address, the oldest first
        self._links: dict[str, Link] = {}  # one for each peer, and for guests that are written to
        self._tasks: set[asyncio.Task[None]] = set()  # of these links, and of those that are being closed
        self._expiries: dict[str, asyncio.TimerHandle] = {}

    async def start(self, node: Receiver, listen: tuple[str, int]) -> None:
        """Listen for peers. Raises OSError, with a clear text, when the address cannot be had."""
        self._node = self._listener.service = node
        await self._listener.start(*listen)

    async def stop(self) -> None:
        """Let what was sent leave, then close everything."""
        self._guests.clear()
        for peer_id in list(self._links):
            self._close(peer_id)
        await self._listener.stop()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def abort(self) -> None:
        """Fall silent at once; `stop` is still to be called."""
        for link in self._links.values():
            link.abort()
        self._listener.abort()

    # the port

    def send(self, message: PeerMessage) -> bool:
        peer_id = message.dst
        if self._is_cut_off(peer_id, message):
            return True  # a partition does not tell the sender
        link = self._links.get(peer_id) or self._guest_link(peer_id)
        if link is None or not link.up:
            return False
        frame = encode(message)
        if len(frame) <= self._limits.max_frame_bytes and link.send(frame):
            return True
        self.dropped += 1
        return False

    def set_peers(self, addresses: Mapping[str, str]) -> None:
        for peer_id in sorted(self._peers.keys() - addresses.keys()):
            self._close_when_idle(peer_id, self._limits.linger_s)
        self._peers = dict(addresses)
        for peer_id, address in sorted(addresses.items()):
            self._keep(peer_id)
            self._dial(peer_id, address)

    # links

    def _dial(self, peer_id: str, address: str) -> Link:
        """The link to this peer at this address, begun if there is none."""
        link = self._links.get(peer_id)
        if link is not None and link.address == address:
            return link
        if link is not None:
            self._close(peer_id)
        assert self._node is not None, "the network was not started"
        link = Link(
            self._mine,
            peer_id,
            address,
            self._limits,
            self._rng,
            self._complaints,
            up=self._node.peer_seen,
            lost=self._node.link_lost,
            refused=self._node.link_refused,
        )
        self._links[peer_id] = link
        self._tasks.add(link.task)
        link.task.add_done_callback(self._tasks.discard)
        return link

    def _guest_link(self, peer_id: str) -> Link | None:
        address = self._guests.get(peer_id)
        if address is None:
            return None
        link = self._dial(peer_id, address)
        self._close_when_idle(peer_id, self._limits.guest_idle_s)
        return link

    def _close(self, peer_id: str) -> None:
        self._keep(peer_id)
        self._links.pop(peer_id).close()

    def _keep(self, peer_id: str) -> None:
        expiry = self._expiries.pop(peer_id, None)
        if expiry is not None:
            expiry.cancel()

    def _close_when_idle(self, peer_id: str, idle_s: float) -> None:
        """Close the link once it was not used for `idle_s`, or up to twice as long."""
        self._keep(peer_id)
        self._links[peer_id].used = False
        loop = asyncio.get_running_loop()
        self._expiries[peer_id] = loop.call_later(idle_s, self._expire, peer_id, idle_s)

    def _expire(self, peer_id: str, idle_s: float) -> None:
        if self._links[peer_id].used:
            self._close_when_idle(peer_id, idle_s)
        else:
            self._close(peer_id)

    # what comes in

    def _greeted(self, peer: PeerInfo) -> None:
        """A peer dialled in: it is there, so dial back at once."""
        if peer.id in self._peers:
            self._links[peer.id].redial()
            return
        self._guests.pop(peer.id, None)
        self._guests[peer.id] = peer.address
        if len(self._guests) > self._limits.max_guests:
            oldest = next(iter(self._guests))
            del self._guests[oldest]
            if oldest in self._links and oldest not in self._peers:
                self._close(oldest)
        link = self._guest_link(peer.id)
        assert link is not None
        link.redial()

    def _deliver(self, peer: PeerInfo, payload: bytes) -> None:
        message = decode(payload)
        if message.src != peer.id or message.dst != self._mine.info.id:
            raise ProtocolViolation(f"it sent a message from {message.src!r} to {message.dst!r}")
        if self._is_cut_off(peer.id, message):
            return
        if self._observer is not None:
            self._observer(DELIVER, message)
        assert self._node is not None
        self._node.receive(message)

    def _is_cut_off(self, peer_id: str, message: PeerMessage) -> bool:
        if self._faults is None or not self._faults.drops(peer_id):
            return False
        if self._observer is not None:
            self._observer(DROP, (message, "blocked"))
        return True
