"""Which server to talk to: any that takes the client in, and then the leader, once somebody names it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random

from raftsim.client.errors import NoServer
from raftsim.client.link import Link
from raftsim.client.settings import ClientSettings
from raftsim.core.errors import ProtocolViolation
from raftsim.wire.address import endpoint


class Connections:
    """`addresses`: host:port of the servers' RPC ports. Raises ValueError for what is none."""

    def __init__(self, addresses: Iterable[str], cluster_id: str, settings: ClientSettings, rng: Random) -> None:
        self._addresses = list(dict.fromkeys(addresses))
        if not 0 < len(self._addresses) <= settings.max_addresses:
            raise ValueError(f"a client needs 1 to {settings.max_addresses} addresses, got {len(self._addresses)}")
        for address in self._addresses:
            endpoint(address)
        rng.shuffle(self._addresses)  # or all clients of a cluster would be on its first server
        self._cluster_id = cluster_id
        self._settings = settings
        self._link: Link | None = None
        self._links: set[Link] = set()  # open ones: this one, and those that still wait for answers
        self._dialling = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    @property
    def current(self) -> Link | None:
        """The link in use, if it is up."""
        return self._link if self._link is not None and self._link.up else None

    async def link(self) -> Link:
        """The link in use, or a new one to the first server that takes us. Raises NoServer."""
        async with self._dialling:
            if self.current is not None:
                return self.current
            reasons = []
            for address in list(self._addresses):
                try:
                    return await self._open(address)
                except (OSError, ProtocolViolation) as error:  # a TimeoutError is an OSError
                    reasons.append(f"{address}: {error or 'no answer'}")
                    self._addresses.remove(address)  # the others come first next time
                    self._addresses.append(address)
            raise NoServer("; ".join(reasons))

    def follow(self, leader_address: str) -> None:
        """Somebody else's answer came through the server in use: talk to that one from now on, if it can be reached."""
        busy = self._following is not None and not self._following.done()
        if not busy and (self._link is None or self._link.address != leader_address):
            self._following = asyncio.get_running_loop().create_task(self._go_to(leader_address))

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait([self._following])
        for link in list(self._links):
            link.abort()
            await link.wait_closed()

    async def _go_to(self, address: str) -> None:
        try:
            before = self._link
            await self._open(address)
            if before is not None:
                before.retire()
            if address not in self._addresses and len(self._addresses) < self._settings.max_addresses:
                self._addresses.append(address)
        except (OSError, ValueError, ProtocolViolation):
            await asyncio.sleep(self._settings.follow_pause_s)  # requests go on reaching it through the other server

    async def _open(self, address: str) -> Link:
        link = await Link.open(address, self._cluster_id, self._settings)
        self._links = {other for other in self._links if not other.gone} | {link}
        self._link = link
        return link
