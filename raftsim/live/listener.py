"""The listening side: connections other servers dial to this one, and the limits that keep strangers from harm.

A connection is a stranger until its first frame was accepted: a peer's Hello or a client's. When too many are open,
the oldest stranger makes room, so that whoever only holds connections open cannot keep a server out. Clients are
counted apart from peers.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from raftsim.core.errors import ProtocolViolation
from raftsim.live.clients import ClientLink, Service
from raftsim.live.complaints import Complaints
from raftsim.live.connection import Connection
from raftsim.live.limits import RpcLimits
from raftsim.node.ports import PeerInfo
from raftsim.wire.clients import Dismissal, is_client
from raftsim.wire.clients import encode_hello as encode_client_hello
from raftsim.wire.handshake import Hello, accept_hello, encode_hello

BACKLOG = 512  # connections the kernel holds until they are accepted


class Listener:
    """`greeted` is told of every peer that dialled in, `deliver` gets every payload it sends.

    `deliver` may raise ProtocolViolation, which closes that connection. `service` is what clients are given.
    """

    def __init__(
        self,
        mine: Hello,
        limits: RpcLimits,
        complaints: Complaints,
        *,
        greeted: Callable[[PeerInfo], None],
        deliver: Callable[[PeerInfo, bytes], None],
    ) -> None:
        self.mine = mine
        self.limits = limits
        self.complaints = complaints
        self.deliver = deliver
        self._greeted = greeted
        self._server: asyncio.Server | None = None
        self._stopping = False
        self._strangers: dict[Inbound, None] = {}  # no Hello yet; the oldest first
        self._peers: dict[str, Inbound] = {}
        self._clients: dict[Inbound, None] = {}  # the one that asked last is the last
        self.service: Service | None = None
        self._open: set[Inbound] = set()  # these, and those that are being closed

    async def start(self, host: str, port: int) -> None:
        """Raises OSError, with a clear text, when the address cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: Inbound(self), host, port, backlog=BACKLOG)
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise OSError(error.errno, f"cannot listen for peers on {host}:{port}: {why}") from error

    async def stop(self) -> None:
        self.abort()
        if self._server is not None:
            await self._server.wait_closed()
        while self._open:
            await next(iter(self._open)).ended.wait()

    def abort(self) -> None:
        """End every connection and admit no other: the port is closed, so peers are refused, and know."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for connection in self._open:
            connection.drop()

    def made(self, connection: Inbound) -> None:
        self._open.add(connection)
        self._strangers[connection] = None
        if self._stopping:
            connection.drop()
        elif len(self._strangers) + len(self._peers) > self.limits.max_inbound:
            next(iter(self._strangers)).refuse(f"more than {self.limits.max_inbound} connections are open")

    def greeted(self, connection: Inbound, peer: PeerInfo) -> None:
        former = self._peers.get(peer.id)
        if former is not None:
            former.drop()  # the peer dialled anew; it cannot use two
        del self._strangers[connection]
        self._peers[peer.id] = connection
        self._greeted(peer)

    def admit(self, connection: Inbound, payload: bytes) -> ClientLink:
        """A client's hello came in. Raises ProtocolViolation for one that is not for here, or one too many."""
        assert connection.transport is not None
        assert self.service is not None, "the network was not started"
        if len(self._clients) >= self.limits.max_clients:
            idle = next((other for other in self._clients if other.client and other.client.idle), None)
            if idle is None:
                why = f"more than {self.limits.max_clients} clients are connected"
                connection.transport.write(encode_client_hello(Dismissal(why)))
                raise ProtocolViolation(why)
            idle.drop()
        link = ClientLink(connection.transport, self.service, self.limits)
        link.greet(payload, self.mine.cluster_id, self.mine.info.id)
        del self._strangers[connection]
        self._clients[connection] = None
        return link

    def asked(self, connection: Inbound) -> None:
        """A client asked something: it is the last that would have to make room."""
        if connection in self._clients:
            del self._clients[connection]
            self._clients[connection] = None

    def leaving(self, connection: Inbound) -> None:
        """It counts no more, though it may take a moment to close."""
        self._strangers.pop(connection, None)
        self._clients.pop(connection, None)
        if connection.peer is not None and self._peers.get(connection.peer.id) is connection:
            del self._peers[connection.peer.id]

    def lost(self, connection: Inbound) -> None:
        self.leaving(connection)
        self._open.discard(connection)


class Inbound(Connection):
    """The acceptor's end of a connection. `peer` and `client` are None until it is known which of them is there."""

    def __init__(self, listener: Listener) -> None:
        super().__init__(listener.mine, listener.limits)
        self.peer: PeerInfo | None = None
        self.client: ClientLink | None = None
        self._listener = listener
        self._closing = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        timeout_s = self.limits.handshake_timeout_s
        self._deadline = asyncio.get_running_loop().call_later(timeout_s, self.refuse, f"no hello in {timeout_s:g} s")
        self._listener.made(self)

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self.frames.feed(data):
                if self.client is not None:
                    self.client.take(payload)
                elif self.peer is not None:
                    self._listener.deliver(self.peer, payload)
                else:
                    self._greet(payload)
            if self.client is not None:
                self._listener.asked(self)
        except ProtocolViolation as violation:
            self.refuse(str(violation))

    def _greet(self, payload: bytes) -> None:
        assert self.transport is not None
        if is_client(payload):
            self.client = self._listener.admit(self, payload)
        else:
            self.transport.write(encode_hello(self.mine))  # before judging: the peer shall know why it is refused
            self.peer = accept_hello(payload, self.mine)
        self._cancel_deadline()
        self.frames.max_frame_bytes = self.limits.max_frame_bytes
        if self.peer is not None:
            self._listener.greeted(self, self.peer)

    def pause_writing(self) -> None:
        if self.client is not None:
            self.client.congested(yes=True)

    def resume_writing(self) -> None:
        if self.client is not None:
            self.client.congested(yes=False)

    def connection_lost(self, error: Exception | None) -> None:
        self._cancel_deadline()
        if self.client is not None:
            self.client.closed()
        if self.frames.in_frame and not self._closing and self.client is None:
            self._complain("it ended in the middle of a frame")
        self._listener.lost(self)
        super().connection_lost(error)

    def refuse(self, why: str) -> None:
        """End the connection, with a warning."""
        assert self.transport is not None
        if not self._closing:
            self._closing = True
            self._complain(why)
            self._listener.leaving(self)
            self.transport.close()  # not abort: the Hello that tells the peer why may still leave

    def drop(self) -> None:
        """End the connection without a word."""
        self._closing = True
        self._listener.leaving(self)
        self.abort()

    def _complain(self, why: str) -> None:
        assert self.transport is not None
        address = self.transport.get_extra_info("peername")
        where = f"{address[0]}:{address[1]}" if address else "a stranger"
        self._listener.complaints.tell(where if self.peer is None else f"{self.peer.id!r} at {where}", why)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
