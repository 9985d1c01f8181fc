"""One connection of a client, as the transport tells of it.

Requests are answered one after the other, one per round of the loop, so a client that sends many at once takes turns
with all others. What it sent too early waits as bytes; beyond MAX_WAITING_BYTES it is not read on. Whoever is slow is
given up: the server calls `tick` once a second, and every phase has its limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final, cast

from raftsim.http.answer import CONTINUE, Answers
from raftsim.http.head import Head
from raftsim.http.incoming import BODY, HEAD, IDLE, Incoming
from raftsim.http.message import Ask, HttpError, HttpResponse, bad_request, make_request, text_response
from raftsim.http.routes import handle
from raftsim.http.view import AgentView
from raftsim.node.requests import Outcome

LOGGER: Final = logging.getLogger("raftsim.http")
MAX_WAITING_BYTES: Final = 64 << 10
TOO_MANY_CONNECTIONS: Final = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 81\r\nConnection: close\r\n\r\n"
    b"Your IP is issuing too many concurrent connections, please rate limit your calls\n"
)

# The phases of a connection besides those of what comes in.
ANSWERING: Final = "answering"  # one request; the node answers in bounded time
STUCK: Final = "stuck"  # the client does not read its answers
LINGERING: Final = "lingering"  # a refusal was sent; the rest is read and dropped, so that its sender gets to see it
CLOSING: Final = "closing"  # once everything is sent

IDLE_S: Final = 3600
HEAD_S: Final = 10
BODY_S: Final = 60
UNREAD_S: Final = 60  # without a single byte taken
LINGER_S: Final = 1
_LIMITS_S: Final = {
    IDLE: IDLE_S,
    HEAD: HEAD_S,
    BODY: BODY_S,
    ANSWERING: float("inf"),
    STUCK: UNREAD_S,
    LINGERING: LINGER_S,
    CLOSING: UNREAD_S,
}


class Admission:
    """The connections that are open, and how many every client address has. `maximum` 0: any number."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.closed = False  # nobody is let in any more
        self.open: set[Connection] = set()
        self._left = asyncio.Event()
        self._counts: Counter[str] = Counter()

    def enter(self, connection: Connection, remote: str) -> bool:
        if self.maximum and self._counts[remote] >= self.maximum:
            return False
        self._counts[remote] += 1
        self.open.add(connection)
        return True

    def leave(self, connection: Connection, remote: str) -> None:
        self.open.remove(connection)
        self._left.set()
        self._counts[remote] -= 1
        if self._counts[remote] == 0:
            del self._counts[remote]

    async def all_gone(self) -> None:
        while self.open:
            self._left.clear()
            await self._left.wait()


class Connection(asyncio.Protocol):
    def __init__(self, agent: AgentView, answers: Answers, admission: Admission) -> None:
        self._agent = agent
        self._answers = answers
        self._admission = admission
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._remote: str | None = None  # None: not admitted, or gone
        self._incoming = Incoming(invite=lambda: self._transport.write(CONTINUE))
        self._phase = IDLE
        self._seconds = 0  # in this phase
        self._unread = 0  # bytes, when last looked at
        self._head: Head | None = None  # ANSWERING: of the request
        self._question: Ask | None = None  # ANSWERING: it needs the node
        self._congested = False
        self._paused = False
        self._half_closed = False  # by the client, which still reads
        self._stopping = False

    # what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        remote = str((transport.get_extra_info("peername") or ("",))[0])
        if self._admission.closed:
            self.abort()
        elif self._admission.enter(self, remote):
            self._remote = remote
        else:
            self._transport.write(TOO_MANY_CONNECTIONS)
            self._close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._phase = CLOSING
        self._question = None
        if self._remote is not None:
            self._admission.leave(self, self._remote)
            self._remote = None

    def data_received(self, data: bytes) -> None:
        if self._phase in (LINGERING, CLOSING):
            return
        self._incoming.data += data
        if self._phase not in (ANSWERING, STUCK):
            self._go_on()
        elif len(self._incoming.data) > MAX_WAITING_BYTES:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that has said all it had to say still gets its answers, if it said any request to its end."""
        self._half_closed = True
        if self._phase == LINGERING:
            self._close()
        elif self._phase not in (ANSWERING, STUCK):
            self._go_on()
        return True  # the end comes with the last answer

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False
        if self._phase == STUCK:
            self._go_on()

    # what the server tells

    def tick(self) -> None:
        """A second has passed."""
        self._seconds += 1
        if self._phase in (STUCK, CLOSING):
            unread = self._transport.get_write_buffer_size()
            if unread < self._unread:
                self._seconds = 0
            self._unread = unread
        if self._seconds <= _LIMITS_S[self._phase]:
            return
        if self._phase in (HEAD, BODY):
            self._refuse(HttpError(408, "the request did not come to its end in time"))
        elif self._phase == IDLE:
            self._close()
        else:
            self.abort()

    def stop(self) -> None:
        """Close, once what is being answered is answered."""
        self._stopping = True
        if self._phase != ANSWERING:
            self._close()

    def abort(self) -> None:
        """Close, whatever is not sent."""
        self._transport.abort()

    # one request after the other

    def _go_on(self) -> None:
        """Answer the next request, if it is there."""
        if self._phase == CLOSING:
            return
        if self._stopping:
            self._close()
            return
        try:
            received = self._incoming.next()
        except HttpError as error:
            self._refuse(error)
            return
        if self._paused and len(self._incoming.data) <= MAX_WAITING_BYTES:
            self._paused = False
            self._transport.resume_reading()
        if received is not None:
            self._answer(*received)
        elif not self._half_closed:
            self._enter(self._incoming.awaits)
        elif self._incoming.awaits == BODY:
            self._refuse(bad_request())
        else:
            self._close()

    def _answer(self, head: Head, body: bytes) -> None:
        self._enter(ANSWERING)
        self._head = head
        self._reply(partial(self._handle, head, body))

    def _handle(self, head: Head, body: bytes) -> HttpResponse | Ask:
        request = make_request(head.method, head.target, headers=head.headers, body=body, remote=self._remote or "")
        return handle(request, self._agent)

    def _reply(self, make: Callable[[], HttpResponse | Ask]) -> None:
        """Send what `make` returns, or ask the node; what goes wrong in there is not the client's mistake."""
        try:
            try:
                answer = make()
            except HttpError as error:
                answer = text_response(error.status, error.text)
            if isinstance(answer, Ask):
                self._ask(answer)
            else:
                self._send(answer)
        except Exception:
            LOGGER.exception("cannot answer a request from %s", self._remote)
            self._question = None
            self._send(text_response(500, "internal error: see the log of this server"), last=True)

    def _ask(self, question: Ask) -> None:
        def done(outcome: Outcome) -> None:
            self._loop.call_soon(self._tell, question, outcome)

        self._question = question
        self._agent.client_request(question.request, done)

    def _tell(self, question: Ask, outcome: Outcome) -> None:
        if question is self._question:  # else this was told before, or the client is gone
            self._question = None
            self._reply(partial(question.render, outcome))

    def _send(self, response: HttpResponse, *, last: bool = False) -> None:
        """Answer the request, and go on. `last`: nothing can follow, whatever the client wishes."""
        head, incoming = self._head, self._incoming
        assert head is not None
        last = last or self._stopping or not head.keep_alive or (self._half_closed and not incoming.data)
        self._transport.write(self._answers.encode(response, head, last=last))
        if last:
            self._close()
        elif self._congested:
            self._enter(STUCK)
        elif incoming.data or self._half_closed:
            self._loop.call_soon(self._go_on)
        else:
            self._enter(IDLE)

    # the end

    def _refuse(self, error: HttpError) -> None:
        """Nothing can be made of what comes in, now or later."""
        LOGGER.debug("malformed request from %s: %s", self._remote, error)
        answer = text_response(error.status, error.text)
        self._transport.write(self._answers.encode(answer, self._incoming.head, last=True))
        if self._incoming.awaits == IDLE or self._half_closed:
            self._close()
            return
        self._enter(LINGERING)
        self._incoming.data = b""
        self._transport.resume_reading()  # which does no harm if it goes on anyway
        with contextlib.suppress(OSError):  # the client may be gone already
            self._transport.write_eof()

    def _close(self) -> None:
        self._enter(CLOSING)
        self._transport.close()

    def _enter(self, phase: str) -> None:
        if phase != self._phase:
            self._phase = phase
            self._seconds = 0
