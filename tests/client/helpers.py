"""What the tests of the client share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from raftsim.client.settings import ClientSettings
from raftsim.node.requests import Outcome
from raftsim.wire.clients import (
    Answer,
    ClientHello,
    ClientRequest,
    Welcome,
    decode_request,
    encode_answer,
    encode_hello,
)
from raftsim.wire.frames import FrameDecoder, frame
from tests.live.cluster import Cluster

QUICK = ClientSettings(timeout_s=15.0, answer_timeout_s=2.0, retry_max_s=0.1)
IMPATIENT = ClientSettings(timeout_s=0.3, answer_timeout_s=0.2, retry_max_s=0.05)


def address(cluster: Cluster, id: str) -> str:
    return f"127.0.0.1:{cluster.ports[id]}"


def addresses(cluster: Cluster) -> list[str]:
    return [address(cluster, id) for id in cluster.ports]


class Scripted:
    """A server of the test: `reply` makes the outcome of every request, None to end the connection instead."""

    def __init__(self, reply: Callable[[ClientRequest], Outcome | None]) -> None:
        self.reply = reply
        self.asked: list[ClientRequest] = []
        self.hello: bytes = encode_hello(Welcome("c", "n1", ""))
        self.leader_address = ""
        self.address = ""
        self.open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames, greeted = FrameDecoder(), False
        self.open.add(writer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                for payload in frames.feed(data):
                    if not greeted:
                        greeted = True
                        writer.write(self.hello)
                    elif not self._answer(payload, writer):
                        writer.close()
                        break
                if writer.is_closing():
                    break
        writer.close()

    def _answer(self, payload: bytes, writer: asyncio.StreamWriter) -> bool:
        number, request = decode_request(payload)
        self.asked.append(request)
        outcome = self.reply(request)
        if outcome is not None:
            writer.write(encode_answer(Answer(number, outcome, self.leader_address)))
        return outcome is not None


@contextlib.asynccontextmanager
async def scripted(reply: Callable[[ClientRequest], Outcome | None]) -> AsyncIterator[Scripted]:
    script = Scripted(reply)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield script
        for writer in script.open:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class Raw:
    """A client without manners."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = FrameDecoder()
        self._payloads: list[bytes] = []

    @classmethod
    async def connect(cls, where: str, hello: bytes | None = None) -> Raw:
        host, port = where.split(":")
        raw = cls(*await asyncio.open_connection(host, int(port)))
        raw.writer.write(encode_hello(ClientHello("")) if hello is None else hello)
        return raw

    def send(self, payload: bytes) -> None:
        self.writer.write(frame(payload))

    async def payload(self) -> bytes | None:
        """The next frame's, None at the end."""
        while not self._payloads:
            data = await self.reader.read(1 << 16)
            if not data:
                return None
            self._payloads = self._frames.feed(data)
        return self._payloads.pop(0)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
