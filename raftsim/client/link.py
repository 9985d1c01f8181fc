"""One connection to one server: requests out, answers in, in any order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import cast

from raftsim.client.errors import LinkLost
from raftsim.client.settings import ClientSettings
from raftsim.core.errors import ProtocolViolation
from raftsim.wire.address import endpoint
from raftsim.wire.clients import (
    Answer,
    ClientHello,
    ClientRequest,
    Dismissal,
    Welcome,
    decode_answer,
    decode_hello,
    encode_hello,
    encode_request,
)
from raftsim.wire.frames import FrameDecoder


class Link(asyncio.Protocol):
    """To be had from `Link.open`. What is sent in one round of the loop leaves in one write."""

    def __init__(self, address: str, cluster_id: str, settings: ClientSettings) -> None:
        self.address = address
        self.up = False
        self._loop = asyncio.get_running_loop()
        self._hello = ClientHello(cluster_id)
        self._settings = settings
        self._transport: asyncio.Transport | None = None
        self._frames = FrameDecoder(settings.max_frame_bytes)
        self._welcome: asyncio.Future[Welcome] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._count = 0
        self._waiting: dict[int, tuple[asyncio.Future[Answer], float]] = {}  # number -> who waits, and until when
        self._frames_out: list[bytes] = []
        self._watchdog: asyncio.TimerHandle | None = None
        self._retiring = False

    @classmethod
    async def open(cls, address: str, cluster_id: str, settings: ClientSettings) -> Link:
        """A link that was welcomed. Raises OSError, TimeoutError, ProtocolViolation when there is none to be had."""
        link = cls(address, cluster_id, settings)
        host, port = endpoint(address)
        try:
            async with asyncio.timeout(settings.connect_timeout_s):
                await link._loop.create_connection(lambda: link, host, port)
                await link._welcome
        except BaseException:
            link.abort()
            raise
        return link

    def call(self, request: ClientRequest, answer_within_s: float) -> asyncio.Future[Answer]:
        """Send; the future gets the answer, or LinkLost. Only while `up`."""
        assert self.up
        self._count += 1
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[self._count] = future, self._loop.time() + answer_within_s
        if not self._frames_out:
            self._loop.call_soon(self._flush)
        self._frames_out.append(encode_request(self._count, request))
        return future

    def retire(self) -> None:
        """End once everything that was asked is answered."""
        self.up = False
        self._retiring = True
        self._close_if_done()

    def abort(self) -> None:
        """End now; what was not answered is lost."""
        self.up = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def gone(self) -> bool:
        """Whether the connection is closed for good."""
        return self._ended.done()

    async def wait_closed(self) -> None:
        if self._transport is not None:
            await self._ended

    # what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport.write(encode_hello(self._hello))

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._frames.feed(data):
                if self.up or self._retiring:
                    self._answered(decode_answer(payload))
                else:
                    self._welcomed(payload)
        except ProtocolViolation as violation:
            if not self._welcome.done():
                self._welcome.set_exception(violation)
            self.abort()
        self._close_if_done()

    def connection_lost(self, error: Exception | None) -> None:
        self.up = False
        if not self._welcome.done():
            self._welcome.set_exception(error or ConnectionResetError("closed during the handshake"))
            self._welcome.exception()  # nobody need have waited for it
        if self._watchdog is not None:
            self._watchdog.cancel()
        for future, _ in self._waiting.values():
            if not future.done():
                future.set_exception(LinkLost(f"the connection to {self.address} ended"))
                future.exception()  # who asked may have gone
        self._waiting.clear()
        self._ended.set_result(None)

    # within

    def _welcomed(self, payload: bytes) -> None:
        match decode_hello(payload):
            case Welcome() as welcome:
                self.up = True
                if not self._welcome.done():
                    self._welcome.set_result(welcome)
                self._guard()
            case Dismissal(why):
                raise ProtocolViolation(f"it turned this client away: {why}")
            case _:
                raise ProtocolViolation("a client's hello where a server's answer was expected")

    def _answered(self, answer: Answer) -> None:
        future, _ = self._waiting.pop(answer.number, (None, 0.0))
        if future is None:
            raise ProtocolViolation(f"an answer to {answer.number}, which was not asked")
        if not future.done():
            future.set_result(answer)

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._frames_out))
        self._frames_out.clear()

    def _guard(self) -> None:
        """A server that leaves a request without any answer for too long is frozen, or cut off."""
        now = self._loop.time()
        if any(until < now for _, until in self._waiting.values()):
            self.abort()
        else:
            self._watchdog = self._loop.call_later(self._settings.answer_timeout_s / 8, self._guard)

    def _close_if_done(self) -> None:
        if self._retiring and not self._waiting and self._transport is not None:
            self._transport.close()
