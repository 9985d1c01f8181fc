"""Clients that write down what they asked and what they were told, by one clock, for the judges in raftsim/check."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random

from raftsim.check import Operation
from raftsim.client import Client, Refused, Unknown
from raftsim.client.settings import ClientSettings
from raftsim.node.requests import Command, Query
from raftsim.sim.workload import Mix, Script

# A server that is silent for longer is asked no more, and what it was asked is asked elsewhere, again.
PATIENT = ClientSettings(timeout_s=30.0, answer_timeout_s=1.5)
IMPATIENT = ClientSettings(timeout_s=1.0, answer_timeout_s=0.5)  # hears of refused and unknown outcomes, too


class Historian:
    """One client with a session, and what it saw. It draws from one of its mixes at a time, with equal luck."""

    def __init__(self, name: str, client: Client, mixes: Sequence[Mix], seed: int) -> None:
        self.history: list[Operation] = []
        self.outcomes: Counter[str] = Counter()
        self._client = client
        self._rng = Random(f"{seed}/{name}")
        self._scripts = [Script(f"{name}/{n}", mix, self._rng) for n, mix in enumerate(mixes)]

    async def step(self) -> None:
        """One operation at random. Nothing that goes wrong in it escapes: it is an outcome."""
        script = self._rng.choice(self._scripts)
        await self._ask(script, *script.next(time.monotonic()))

    async def put(self, key: str) -> bool:
        """Write a new value. Here and below: whether there was an answer."""
        return await self._ask(self._scripts[0], *self._scripts[0].put(key, time.monotonic()))

    async def get(self, key: str) -> bool:
        return await self._ask(self._scripts[0], *self._scripts[0].get(key, time.monotonic()))

    async def _ask(self, script: Script, operation: Operation, request: Command | Query) -> bool:
        """What was refused did not happen and is no part of the history."""
        client = self._client
        try:
            answer = await (
                client.command(request.data) if isinstance(request, Command) else client.query(request.query)
            )
        except Refused:
            self.outcomes["refused"] += 1
            return False
        except Unknown:
            self.outcomes["unknown"] += 1
            self.history.append(operation)
            return False
        script.answered(operation, answer, time.monotonic())
        self.outcomes["ok"] += 1
        self.history.append(operation)
        return True


async def historian(
    stack: AsyncExitStack,
    addresses: Sequence[str],
    name: str,
    settings: ClientSettings,
    mixes: Sequence[Mix],
    seed: int,
) -> Historian:
    """With a client of its own that is closed with the stack."""
    client = await stack.enter_async_context(Client(addresses, settings=settings))
    return Historian(name, client, mixes, seed)


async def until_all_succeed(clients: Sequence[Historian], key: str, within_s: float) -> None:
    """Every client writes and reads once more, trying again until it works. Raises TimeoutError."""

    async def once(historian: Historian) -> None:
        while True:
            if await historian.put(key) and await historian.get(key):
                return

    async with asyncio.timeout(within_s):
        await asyncio.gather(*map(once, clients))
