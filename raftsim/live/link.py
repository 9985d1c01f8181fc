"""The link to one peer: the connection this server dials, and dials again whenever it breaks."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from random import Random

from raftsim.core.errors import ProtocolViolation
from raftsim.live.complaints import Complaints, logger
from raftsim.live.connection import Outbound
from raftsim.live.limits import RpcLimits
from raftsim.node.ports import PeerInfo
from raftsim.wire.address import endpoint
from raftsim.wire.handshake import Hello


class Link:
    """Begins to dial at once. `up` is told of every connection made, `lost` of every one that broke by itself, and
    `refused` when the next attempt to be answered at all is refused: nobody listens there any more.

    `task` ends when the link was closed and nothing is left of it.
    """

    def __init__(
        self,
        mine: Hello,
        peer_id: str,
        address: str,
        limits: RpcLimits,
        rng: Random,
        complaints: Complaints,
        *,
        up: Callable[[PeerInfo], None],
        lost: Callable[[str], None],
        refused: Callable[[str], None],
    ) -> None:
        self.peer_id = peer_id
        self.address = address
        self.used = False  # set by every attempt to send
        self._mine = mine
        self._limits = limits
        self._rng = rng
        self._complaints = complaints
        self._on_up, self._on_lost, self._on_refused = up, lost, refused
        self._was_up = False  # a connection broke, and it is not known yet whether the peer is gone
        self._loop = asyncio.get_running_loop()
        self._connection: Outbound | None = None  # only while it is up
        self._queue: list[bytes] = []  # the frames of this turn
        self._queued_bytes = 0
        self._redial = asyncio.Event()
        self.task = self._loop.create_task(self._run(), name=f"link to {peer_id}")

    @property
    def up(self) -> bool:
        return self._transport() is not None

    def send(self, frame: bytes) -> bool:
        """Send `frame` together with all others of this turn. False: not sent, the link is down or full."""
        self.used = True
        transport = self._transport()
        if transport is None:
            return False
        if self._queued_bytes + transport.get_write_buffer_size() + len(frame) > self._limits.max_outgoing_bytes:
            return False
        if not self._queue:
            self._loop.call_soon(self._flush)
        self._queue.append(frame)
        self._queued_bytes += len(frame)
        return True

    def redial(self) -> None:
        """The peer is known to be there: do not wait for the next attempt."""
        self._redial.set()

    def close(self) -> None:
        """End, after what is queued has left."""
        self._flush()
        self.task.cancel()

    def abort(self) -> None:
        """End now."""
        if self._connection is not None:
            self._connection.abort()
        self.task.cancel()

    def _transport(self) -> asyncio.Transport | None:
        transport = self._connection.transport if self._connection is not None else None
        return transport if transport is not None and not transport.is_closing() else None

    def _flush(self) -> None:
        frames, self._queue, self._queued_bytes = self._queue, [], 0
        transport = self._transport()
        if frames and transport is not None:
            transport.writelines(frames)

    async def _run(self) -> None:
        wait_s = self._limits.reconnect_min_s
        hurried_s = -math.inf
        while True:
            self._redial.clear()
            try:
                await self._carry(await self._dial())
                wait_s = self._limits.reconnect_min_s
                now_s = self._loop.time()
                if now_s - hurried_s >= wait_s:  # else a peer that hangs up on us at once would keep us busy
                    hurried_s = now_s
                    continue
            except ProtocolViolation as violation:
                self._complaints.tell(f"{self.peer_id!r} at {self.address}", str(violation))
            except (OSError, ValueError) as error:
                logger.debug("cannot reach %r at %s: %s", self.peer_id, self.address, error or type(error).__name__)
                if self._was_up and isinstance(error, ConnectionRefusedError):
                    self._was_up = False
                    self._on_refused(self.peer_id)
            try:
                # Jitter: servers that lost each other at one moment do not all come back at one moment.
                async with asyncio.timeout(wait_s * self._rng.uniform(0.5, 1.0)):
                    await self._redial.wait()
                wait_s = self._limits.reconnect_min_s
            except TimeoutError:
                wait_s = min(2 * wait_s, self._limits.reconnect_max_s)

    async def _dial(self) -> Outbound:
        host, port = endpoint(self.address)
        connection = Outbound(self._mine, self._limits, self.peer_id)
        try:
            async with asyncio.timeout(self._limits.handshake_timeout_s):
                await self._loop.create_connection(lambda: connection, host, port)
                await connection.greeted
        except BaseException:
            connection.greeted.cancel()
            connection.abort()
            raise
        return connection

    async def _carry(self, connection: Outbound) -> None:
        """The life of a connection that is up."""
        logger.info("connected to %r at %s", self.peer_id, self.address)
        self._was_up = False
        self._connection = connection
        try:
            self._on_up(connection.greeted.result())
            await connection.ended.wait()
        finally:
            self._connection = None
            await connection.close()
        logger.info("lost the connection to %r at %s", self.peer_id, self.address)
        self._was_up = True
        self._on_lost(self.peer_id)
        if connection.violation:
            raise ProtocolViolation(connection.violation)
