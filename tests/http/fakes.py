"""An agent whose answers are scripted, and a client that sees every byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from raftsim.node.requests import OK, REFUSED, STOPPED, UNKNOWN, Outcome, Request

NOW_NS = 1_767_323_045_000_000_000
ADDRESSES = ("127.0.0.1:4647", "127.0.0.1:4657")


@dataclass
class FakeFaults:
    blocked: frozenset[str] = frozenset()
    dropped: int = 0

    def block(self, peer_ids: Iterable[str]) -> None:
        self.blocked = frozenset(peer_ids)


def status_of(role: str = "leader", **changes: Any) -> dict[str, Any]:
    return {
        "id": ADDRESSES[0],
        "name": "n1.global",
        "address": ADDRESSES[0],
        "role": role,
        "term": 3,
        "vote": None,
        "leader": ADDRESSES[0] if role == "leader" else None,
        "leader_address": ADDRESSES[0] if role == "leader" else "",
        "ready": role == "leader",
        "commit_index": 17,
        "applied_index": 16,
        "last_log_index": 18,
        "last_log_term": 3,
        "snapshot_index": 0,
        "snapshot_term": 0,
        "raft_protocol": 2,
        "last_contact_s": 0.0 if role == "leader" else None,
        "configuration": {
            "index": 1,
            "committed": True,
            "servers": [
                {"id": ADDRESSES[0], "address": ADDRESSES[0], "voter": True},
                {"id": ADDRESSES[1], "address": ADDRESSES[1], "voter": False},
            ],
        },
        "followers": [],
        **changes,
    }


def member_of(name: str | None = "n1.global", **changes: Any) -> dict[str, Any]:
    """One of `Node.members`."""
    found = {
        "id": ADDRESSES[0],
        "address": ADDRESSES[0],
        "name": name,
        "raft_protocol": 2,
        "datacenter": "dc1",
        "build": "0.1.0",
        "nonvoter": False,
        "status": "alive",
    }
    return {**found, **changes}


@dataclass
class FakeAgent:
    """Answers every request with `outcome`, unless it is `held` until `release`, and remembers what it was asked."""

    outcome: Outcome = field(default_factory=lambda: Outcome(OK))
    raft_protocol: int = 2
    link_faults: FakeFaults | None = None
    state: dict[str, Any] = field(default_factory=status_of)
    others: list[dict[str, Any]] = field(default_factory=list)  # members beside this server
    numbers: dict[str, Any] = field(default_factory=dict)  # what `metrics` says
    asked: list[Request] = field(default_factory=list)
    asking: asyncio.Event = field(default_factory=asyncio.Event)
    held: bool = False
    waiting: list[Callable[[Outcome], None]] = field(default_factory=list)
    name: str = "n1"
    region: str = "global"
    datacenter: str = "dc1"
    config: dict[str, Any] = field(default_factory=lambda: {"Region": "global", "Server": {"BootstrapExpect": 1}})

    def status(self) -> dict[str, Any]:
        return self.state

    def members(self) -> list[dict[str, Any]]:
        own = member_of(id=self.state["id"], address=self.state["address"])
        return [own, *self.others]

    def metrics(self) -> dict[str, Any]:
        return self.numbers

    def term_and_commit(self) -> tuple[int, int]:
        return self.state["term"], self.state["commit_index"]

    def wall_ns(self) -> int:
        return NOW_NS

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        self.asked.append(request)
        self.asking.set()
        self.waiting.append(done)
        if not self.held:
            self.release()

    def release(self) -> None:
        """Answer all that waits, and a second time, as a node does that goes down: that one must not count."""
        self.held = False
        waiting, self.waiting = self.waiting, []
        for done in waiting:
            done(self.outcome)
            done(Outcome(UNKNOWN, reason=STOPPED))

    async def was_asked(self) -> None:
        """Wait for the first request."""
        async with asyncio.timeout(10):
            await self.asking.wait()


def refused(reason: str, detail: Any = None, *, forwarded: bool = False) -> Outcome:
    return Outcome(REFUSED, reason=reason, detail=detail, forwarded=forwarded)


def unknown(reason: str, *, forwarded: bool = False) -> Outcome:
    return Outcome(UNKNOWN, reason=reason, forwarded=forwarded)


def ok(value: Any = None) -> Outcome:
    return Outcome(OK, value)


def membership(leader: str = ADDRESSES[0], protocol: int = 2, **changes: Any) -> dict[str, Any]:
    """Two members as ReadMembership tells of them; `changes` are made to the second."""
    first = {
        "id": ADDRESSES[0],
        "address": ADDRESSES[0],
        "name": "n1.global",
        "raft_protocol": protocol,
        "leader": leader == ADDRESSES[0],
        "voter": True,
    }
    second = {**first, "id": ADDRESSES[1], "address": ADDRESSES[1], "leader": False, "voter": False, **changes}
    return {"index": 7, "committed": True, "leader": leader, "servers": [first, second]}


@dataclass
class Reply:
    status: str
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection; sends bytes as they are and takes answers apart."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self, *, head: bool = False) -> Reply:
        """The next answer. `head`: it is one to HEAD, whose body stays away."""
        async with asyncio.timeout(10):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs: list[tuple[str, str]] = [
                (name, value) for name, _, value in (line.partition(": ") for line in lines[1:-2])
            ]
            assert len({name for name, _ in pairs}) == len(pairs), f"a header came twice: {lines}"
            headers = dict(pairs)
            length = 0 if head else int(headers.get("Content-Length", "0"))
            return Reply(lines[0], headers, await self.reader.readexactly(length))

    async def closed(self) -> bytes:
        """Wait until the server closes, and do so too; what came before."""
        try:
            async with asyncio.timeout(10):
                return await self.reader.read()
        finally:
            await self.close()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


async def exchange(port: int, request: str, body: bytes = b"", headers: Iterable[str] = ()) -> Reply:
    """One request ("GET /path") on a connection of its own."""
    client = await Client.connect(port)
    lines = [f"{request} HTTP/1.1", "Host: x", *headers]
    if body or request.startswith("P"):
        lines.append(f"Content-Length: {len(body)}")
    client.send("\r\n".join([*lines, "", ""]).encode() + body)
    reply = await client.reply(head=request.startswith("HEAD "))
    await client.close()
    return reply
