"""The server's side of the client protocol: a connection whose first frame was a client's hello.

Requests go to the node as they come, many to a turn; answers leave together, once per round of the loop. What a client
may have on its way is limited by not reading on, so that TCP holds it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Protocol

from raftsim.core.errors import ProtocolViolation
from raftsim.live.limits import RpcLimits
from raftsim.node.requests import REFUSED, UNKNOWN, Command, Outcome, Request
from raftsim.wire.clients import (
    TOO_LARGE,
    Answer,
    ClientHello,
    Dismissal,
    Welcome,
    decode_hello,
    decode_request,
    encode_answer,
)
from raftsim.wire.clients import encode_hello as encode_client_hello


class Service(Protocol):
    """The part of a server that clients talk to."""

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None: ...
    def leader_address(self) -> str: ...


class ClientLink:
    """One client. To be told of every payload after the hello, of pauses of the transport, and of the end."""

    def __init__(self, transport: asyncio.Transport, service: Service, limits: RpcLimits) -> None:
        self._transport = transport
        self._service = service
        self._limits = limits
        self._waiting: set[int] = set()  # numbers of requests without an answer
        self._answers: list[bytes] = []  # to leave at the end of this round of the loop
        self._congested = False
        self._closed = False

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._answers

    def greet(self, payload: bytes, cluster_id: str, server_id: str) -> None:
        """Answer the hello. Raises ProtocolViolation for a client that is not for here; it has been told then."""
        try:
            hello = decode_hello(payload)
            if not isinstance(hello, ClientHello):
                raise ProtocolViolation("a server's answer where a client's hello was expected")
            if hello.cluster_id not in {"", cluster_id}:
                raise ProtocolViolation(f"it looks for cluster {hello.cluster_id!r}, this is {cluster_id!r}")
        except ProtocolViolation as violation:
            self._transport.write(encode_client_hello(Dismissal(str(violation))))
            raise
        self._transport.write(encode_client_hello(Welcome(cluster_id, server_id, self._service.leader_address())))

    def take(self, payload: bytes) -> None:
        """A request. Raises ProtocolViolation."""
        number, request = decode_request(payload)
        if number in self._waiting:
            raise ProtocolViolation(f"request {number} is on its way already")
        self._waiting.add(number)
        if len(self._waiting) == self._limits.max_client_requests:
            self._transport.pause_reading()
        self._service.client_request(request, partial(self._answer, number, isinstance(request, Command)))

    def congested(self, *, yes: bool) -> None:
        """The client does not read its answers, or does again: until it does, it may not ask more."""
        self._congested = yes
        self._read_on()

    def closed(self) -> None:
        """Nobody is there any more; what was asked for may happen all the same."""
        self._closed = True
        self._answers.clear()

    def _answer(self, number: int, changes: bool, outcome: Outcome) -> None:
        if self._closed or number not in self._waiting:
            return
        self._waiting.discard(number)
        leader = self._service.leader_address() if outcome.forwarded else ""
        frame = encode_answer(Answer(number, outcome, leader))
        if len(frame) > self._limits.max_frame_bytes:
            instead = Outcome(UNKNOWN if changes else REFUSED, reason=TOO_LARGE, detail=len(frame))
            frame = encode_answer(Answer(number, instead, leader))
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._flush)
        self._answers.append(frame)

    def _flush(self) -> None:
        if self._closed or not self._answers:
            return
        self._transport.write(b"".join(self._answers))
        self._answers.clear()
        self._read_on()

    def _read_on(self) -> None:
        if self._closed or self._transport.is_closing():
            return
        if self._congested or len(self._waiting) >= self._limits.max_client_requests:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
