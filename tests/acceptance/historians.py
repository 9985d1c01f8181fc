"""Clients that write down what they asked and what they were told, by one clock, for the judges in raftsim/check."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from raftsim.check import SOME, Operation
from raftsim.client import Client, Refused, Unknown
from raftsim.client.settings import ClientSettings
from raftsim.machine.variables import delete_command, put_command

NAMESPACE = "default"
# A server that is silent for longer is asked no more, and what it was asked is asked elsewhere, again.
PATIENT = ClientSettings(timeout_s=30.0, answer_timeout_s=1.5)
IMPATIENT = ClientSettings(timeout_s=1.0, answer_timeout_s=0.5)  # hears of refused and unknown outcomes, too


class Historian:
    """One client with a session. `cas_keys` see put, get, cas, delete; `listed_keys`, of one prefix, lists, no cas."""

    def __init__(
        self, name: str, client: Client, rng: Random, cas_keys: Sequence[str], listed_keys: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.history: list[Operation] = []
        self.outcomes: Counter[str] = Counter()
        self._client = client
        self._rng = rng
        self._cas_keys = cas_keys
        self._listed_keys = listed_keys
        self._seen: dict[str, tuple[str | None, int]] = {}  # by key: the value last seen, and its modify index
        self._count = 0

    async def step(self) -> None:
        """One operation at random. Nothing that goes wrong in it escapes: it is an outcome."""
        luck, tied = self._rng.random(), self._rng.random() < 0.3 and len(self._listed_keys) > 0
        key = self._rng.choice(self._listed_keys if tied else self._cas_keys)
        if luck < 0.45:
            await self.get(key)
        elif luck < 0.5:
            await self._do("delete", key, None, delete_command(NAMESPACE, key, None))
        elif luck < 0.75 or (not tied and key not in self._seen):
            await self.put(key)
        elif tied:
            await self.list(key.rpartition("/")[0] + "/")
        else:
            value, index = self._seen[key]
            new = self._new()
            await self._do("cas", key, (value, new), _put(key, new, index))

    async def put(self, key: str) -> bool:
        """Write a new value. Whether it is known to have happened."""
        value = self._new()
        return await self._do("put", key, value, _put(key, value, None))

    async def get(self, key: str) -> bool:
        operation = self._called("get", key, None)
        answer = await self._answer(operation, self._client.query(("get", NAMESPACE, key)))
        if answer is None:
            return False
        operation.output = answer["variable"] and answer["variable"]["Items"]["value"]
        operation.index = answer["index"]
        self._seen[key] = operation.output, operation.index if operation.output else 0
        return True

    async def list(self, prefix: str) -> None:
        operation = self._called("list", prefix, None)
        answer = await self._answer(operation, self._client.query(("list", NAMESPACE, prefix)))
        if answer is not None:
            operation.output = {plain["Path"]: plain["ModifyIndex"] for plain in answer["variables"]}
            operation.index = answer["index"]

    async def _do(self, function: str, key: str, argument: Any, command: bytes) -> bool:
        operation = self._called(function, key, argument)
        answer = await self._answer(operation, self._client.command(command))
        if answer is None:
            return False
        operation.index = answer["index"]
        if function == "cas":
            operation.output = answer["result"] == "ok"
        if answer["result"] == "ok":
            variable = answer["variable"]
            self._seen[key] = (variable["Items"]["value"], variable["ModifyIndex"]) if variable else (None, 0)
        else:
            self._seen.pop(key)
        return True

    def _called(self, function: str, key: str, argument: Any) -> Operation:
        return Operation(self.name, function, key, argument, None, time.monotonic())

    async def _answer(self, operation: Operation, asked: Any) -> Any:
        """The answer; None if there is none. What was refused did not happen and is no part of the history."""
        try:
            answer = await asked
        except Refused:
            self.outcomes["refused"] += 1
            return None
        except Unknown:
            self.outcomes["unknown"] += 1
            self.history.append(operation)
            return None
        operation.returned = time.monotonic()
        self.outcomes["ok"] += 1
        self.history.append(operation)
        return answer

    def _new(self) -> str:
        self._count += 1
        return f"{self.name}-{self._count}"


async def historian(
    stack: AsyncExitStack,
    addresses: Sequence[str],
    name: str,
    seed: int,
    settings: ClientSettings,
    *keys: Sequence[str],
) -> Historian:
    """With a client of its own that is closed with the stack."""
    client = await stack.enter_async_context(Client(addresses, settings=settings))
    return Historian(name, client, Random(f"{seed}/{name}"), *keys)


def with_values(history: Sequence[Operation]) -> list[Operation]:
    """The history by time of call; lists with values instead of modify indexes, where somebody was told both."""
    values: dict[tuple[str, int], Any] = {}
    for operation in history:
        if operation.returned is not None and operation.function != "list":
            match operation.function:
                case "put":
                    values[operation.key, operation.index] = operation.argument
                case "get" if operation.output is not None:
                    values[operation.key, operation.index] = operation.output
                case "cas" if operation.output:
                    values[operation.key, operation.index] = operation.argument[1]
    for operation in history:
        if operation.function == "list" and operation.output is not None:
            operation.output = {key: values.get((key, index), SOME) for key, index in operation.output.items()}
    return sorted(history, key=lambda operation: operation.called)


async def until_all_succeed(clients: Sequence[Historian], key: str, within_s: float) -> None:
    """Every client writes and reads once more, trying again until it works. Raises TimeoutError."""

    async def once(historian: Historian) -> None:
        while True:
            if await historian.put(key) and await historian.get(key):
                return

    async with asyncio.timeout(within_s):
        await asyncio.gather(*map(once, clients))


def _put(key: str, value: str, cas: int | None) -> bytes:
    return put_command(NAMESPACE, key, {"value": value}, cas, time.time_ns())
