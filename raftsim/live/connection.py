"""One TCP connection between two servers, seen from either end.

The dialler sends a Hello, the acceptor answers with its own, and from then on messages flow from the dialler to the
acceptor only. A connection knows nothing of Raft; whatever it does not understand ends it, and it alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import cast

from raftsim.core.errors import ProtocolViolation
from raftsim.live.limits import RpcLimits
from raftsim.node.ports import PeerInfo
from raftsim.wire.frames import FrameDecoder
from raftsim.wire.handshake import MAX_HELLO_BYTES, Hello, accept_hello, encode_hello


class Connection(asyncio.Protocol):
    """What both ends share: the socket's options, the frames, and the end. `ended` is set once it is closed."""

    def __init__(self, mine: Hello, limits: RpcLimits) -> None:
        self.mine = mine
        self.limits = limits
        self.ended = asyncio.Event()
        self.transport: asyncio.Transport | None = None
        self.frames = FrameDecoder(MAX_HELLO_BYTES)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):  # the peer may be gone already
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: else a healed partition waits for the kernel's back-off
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.limits.unacknowledged_s * 1000))

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended.set()

    def abort(self) -> None:
        """End now; what was not sent is lost."""
        if self.transport is not None:
            self.transport.abort()


class Outbound(Connection):
    """The dialler's end. `greeted` becomes the peer, or the reason why there will be none."""

    def __init__(self, mine: Hello, limits: RpcLimits, peer_id: str) -> None:
        super().__init__(mine, limits)
        self.peer_id = peer_id
        self.greeted: asyncio.Future[PeerInfo] = asyncio.get_running_loop().create_future()
        self.violation = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.transport.write(encode_hello(self.mine))

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self.frames.feed(data):
                if self.greeted.done():
                    raise ProtocolViolation("it sent something after its hello, against the direction of the link")
                self.greeted.set_result(accept_hello(payload, self.mine, expected=self.peer_id))
        except ProtocolViolation as violation:
            self.violation = str(violation)
            if not self.greeted.done():
                self.greeted.set_exception(violation)
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.greeted.done():
            self.greeted.set_exception(error or ConnectionResetError("closed during the handshake"))
        super().connection_lost(error)

    async def close(self) -> None:
        """End once everything is sent, or after `linger_s`."""
        assert self.transport is not None
        self.transport.close()
        try:
            async with asyncio.timeout(self.limits.linger_s):
                await self.ended.wait()
        except TimeoutError:
            self.abort()
            await self.ended.wait()
