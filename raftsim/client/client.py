"""The client: Nomad's variables, or any machine's commands and queries, exactly once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from random import Random
from typing import Any, Self

from raftsim.client.connections import Connections
from raftsim.client.errors import ClientError, Conflict, Unknown
from raftsim.client.sessions import ClientSession
from raftsim.client.settings import ClientSettings
from raftsim.client.tries import Tries
from raftsim.client.variables import Deleted, Put, Variable, from_plain
from raftsim.machine import sessions
from raftsim.machine.sessions import close_command, register_command, session_command
from raftsim.machine.variables import delete_command, put_command
from raftsim.node.requests import Command, Query

DEFAULT_NAMESPACE = "default"


class Client:
    """A client of the cluster whose servers answer at `addresses` (host:port of their RPC ports; one is enough).

    ::

        async with Client(["127.0.0.1:4647"]) as client:
            variable = await client.put("app/config", {"size": "3"})
            await client.cas("app/config", {"size": "4"}, variable.modify_index)

    It talks to any server until one names the leader, and follows the leader from then on. A call may be made while
    others are on their way. What is refused is tried again for `timeout_s`, and so is, inside a session, what is
    unknown: a change is applied once, however often it was sent. With `session=False` it raises Unknown instead.

    `cluster_id`: refuse servers of any other cluster. All methods raise Refused (it did not happen) and, if they change
    something, Unknown (it may have happened). The constructor raises ValueError for what is no address.
    """

    def __init__(
        self,
        addresses: Iterable[str],
        *,
        cluster_id: str = "",
        session: bool = True,
        timeout_s: float = 30.0,
        settings: ClientSettings | None = None,
    ) -> None:
        rng = Random()
        settings = settings or ClientSettings(timeout_s=timeout_s)
        self._connections = Connections(addresses, cluster_id, settings, rng)
        self._tries = Tries(self._connections, settings, rng)
        self._settings = settings
        self._wants_session = session
        self._session: ClientSession | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session, if that is to be had at once, and all connections."""
        link = self._connections.current
        if self._session is not None and link is not None:
            closing = link.call(Command(close_command(self._session.id)), self._settings.answer_timeout_s)
            await asyncio.wait([closing], timeout=self._settings.connect_timeout_s)
        await self._connections.close()

    # variables

    async def put(self, path: str, items: Mapping[str, str], *, namespace: str = DEFAULT_NAMESPACE) -> Variable:
        """Set all items of a variable, whatever was there. Returns it as it is now."""
        return await self._put(path, items, None, namespace)

    async def cas(
        self, path: str, items: Mapping[str, str], index: int, *, namespace: str = DEFAULT_NAMESPACE
    ) -> Variable:
        """Set a variable if its modify index is still `index` (0: if there is none). Raises Conflict otherwise."""
        return await self._put(path, items, index, namespace)

    async def delete(self, path: str, index: int | None = None, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Remove a variable, with `index` only if that is still its modify index, else Conflict. Absent is no error."""
        answer = await self.command(delete_command(namespace, path, index))
        if answer["result"] != "ok":
            raise Conflict(path, answer["index"])

    async def get(self, path: str, *, namespace: str = DEFAULT_NAMESPACE, stale: bool = False) -> Variable | None:
        """The variable, None if there is none; linearizable, or with `stale` as the server asked knows it."""
        answer = await self.query(("get", namespace, path), stale=stale)
        return from_plain(answer["variable"]) if answer["variable"] else None

    async def list(
        self, prefix: str = "", *, namespace: str = DEFAULT_NAMESPACE, stale: bool = False
    ) -> list[Variable]:
        """What is known about the variables whose path begins so, without their items, by path; "*": all namespaces."""
        answer = await self.query(("list", namespace, prefix), stale=stale)
        return [from_plain(plain) for plain in answer["variables"]]

    async def watch(self, prefix: str = "", *, namespace: str = DEFAULT_NAMESPACE) -> AsyncIterator[Put | Deleted]:
        """All variables whose path begins so, and then every change of them, for ever.

        What changes faster than it is read is seen as it is at last; nothing is seen that is older than what was seen
        before, whichever server answers. Raises Refused when no server answers for `timeout_s`.
        """
        seen: dict[tuple[str, str], int] = {}  # what was told: (namespace, path) -> modify index
        index = 0
        while True:
            answer = await self.query(("list", namespace, prefix), stale=index > 0, after=index)
            if answer["index"] <= index:
                continue  # nothing happened for a while
            index = answer["index"]
            listed = {(plain["Namespace"], plain["Path"]): plain["ModifyIndex"] for plain in answer["variables"]}
            for key, modify_index in listed.items():
                if modify_index > seen.get(key, 0):
                    async for change in self._latest(*key, modify_index, seen):
                        yield change
            for key in [key for key in seen if key not in listed]:
                del seen[key]
                yield Deleted(*key)

    # any machine

    async def command(self, data: bytes) -> Any:
        """Have `data` applied by the machine; returns what its `apply` returned."""
        if not self._wants_session:
            value, _ = await self._tries.ask(Command(data), repeatable=False)
            return value
        while True:
            session = self._session or await self._open_session()
            number = await session.number()
            try:
                request = Command(session_command(session.id, number, data))
                answer, doubt = await self._tries.ask(request, repeatable=True)
            finally:
                session.done(number)
            if answer["outcome"] == sessions.OK:
                return answer["value"]
            if self._session is session:
                self._session = None  # the cluster knows it no more, or not this number
            if doubt:
                raise Unknown(answer["reason"])

    async def query(self, query: tuple[Any, ...], *, stale: bool = False, after: int | None = None) -> Any:
        """Ask the machine; linearizable, or with `stale` as the server asked knows it.

        With `after`, wait until the answer's "index" is greater, for `watch_wait_s` at most.
        """
        wait_s = 0.0 if after is None else self._settings.watch_wait_s
        value, _ = await self._tries.ask(Query(query, stale, after, wait_s), repeatable=True, wait_s=wait_s)
        return value

    # within

    async def _put(self, path: str, items: Mapping[str, str], cas: int | None, namespace: str) -> Variable:
        answer = await self.command(put_command(namespace, path, items, cas, time.time_ns()))
        if answer["result"] != "ok":
            raise Conflict(path, answer["index"])
        return from_plain(answer["variable"])

    async def _latest(
        self, namespace: str, path: str, listed: int, seen: dict[tuple[str, str], int]
    ) -> AsyncIterator[Put | Deleted]:
        """The variable as it is now, as a change; `listed`: it was so new when it was listed."""
        answer = await self.query(("get", namespace, path), stale=True, after=listed - 1)
        key = (namespace, path)
        if answer["index"] < listed:
            return  # this server has not come so far yet; the next list shows it again
        if answer["variable"]:
            seen[key] = answer["index"]
            yield Put(from_plain(answer["variable"]))
        elif seen.pop(key, None):
            yield Deleted(namespace, path)

    async def _open_session(self) -> ClientSession:
        async with self._opening:
            if self._session is None:
                answer, _ = await self._tries.ask(Command(register_command(time.time_ns())), repeatable=True)
                if not isinstance(answer, dict) or answer.get("outcome") != sessions.OK:
                    raise ClientError("the cluster's machine has no sessions")
                self._session = ClientSession(answer["value"])
            return self._session
