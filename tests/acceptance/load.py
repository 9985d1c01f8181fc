"""Clients of the operator API that remember what they were promised."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

ANSWER_TIMEOUT_S = 15.0


@dataclass
class Load:
    """`acked`: path -> value of every write that was answered with 200. `failed` counts all other ends."""

    session: aiohttp.ClientSession
    addresses: Sequence[str]
    acked: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    stopping: bool = False
    progress: asyncio.Event = field(default_factory=asyncio.Event)

    async def write_until_stopped(self, writer: int) -> None:
        """One write after the other, each to a path of its own, each through the next server."""
        count = 0
        while not self.stopping:
            count += 1
            path, value = f"load/{writer}/{count}", f"{writer}-{count}"
            server = self.addresses[(writer + count) % len(self.addresses)]
            if await self.put(server, path, value):
                self.acked[path] = value
                self.progress.set()
            else:
                self.failed += 1
                await asyncio.sleep(0)

    async def put(self, server: str, path: str, value: str) -> bool:
        body = json.dumps({"Items": {"value": value}})
        try:
            async with self.session.put(f"http://{server}/v1/var/{path}", data=body) as answer:
                await answer.read()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def get(self, server: str, path: str) -> str | None:
        """The value as `server` reads it, linearizably; None if there is none. Raises when it cannot be read."""
        async with self.session.get(f"http://{server}/v1/var/{path}") as answer:
            if answer.status == 404:
                return None
            answer.raise_for_status()
            value: str = (await answer.json())["Items"]["value"]
            return value

    async def lost(self) -> list[str]:
        """Every acknowledged write that cannot be read back, read through all servers in turn."""
        lost = []
        for number, (path, value) in enumerate(sorted(self.acked.items())):
            found = await self.get(self.addresses[number % len(self.addresses)], path)
            if found != value:
                lost.append(f"{path}: wrote {value!r}, read {found!r}")
        return lost


@asynccontextmanager
async def writers(addresses: Sequence[str], count: int) -> AsyncIterator[Load]:
    """`count` concurrent writers while the block runs; leaving it waits for their last answers."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        load = Load(session, addresses)
        tasks = [asyncio.create_task(load.write_until_stopped(writer)) for writer in range(count)]
        try:
            yield load
        finally:
            load.stopping = True
            await asyncio.gather(*tasks)


async def until_acked(load: Load, more: int, within_s: float = 30.0) -> None:
    """Wait until `more` further writes were acknowledged. Raises TimeoutError."""
    goal = len(load.acked) + more
    async with asyncio.timeout(within_s):
        while len(load.acked) < goal:
            await load.progress.wait()
            load.progress.clear()
