"""aiohttp's connections and answers, bent to this API where they differ.

What begins with an underscore and is not defined here is aiohttp's own; the transport tests fail should it change.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, cast

from aiohttp import hdrs, web

from raftsim.http.message import HttpResponse, text_response

LOGGER: Final = logging.getLogger("raftsim.http")
TOO_MANY_CONNECTIONS: Final = (
    b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nContent-Length: 81\r\nConnection: close\r\n\r\n"
    b"Your IP is issuing too many concurrent connections, please rate limit your calls\n"
)


class Answer(web.Response):
    """Says nothing about the software that sends it."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        self.headers.popall(hdrs.SERVER, None)


class Admission:
    """How many connections every client address has. `maximum` 0: any number."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self._open: Counter[str] = Counter()

    def enter(self, remote: str) -> bool:
        if self.maximum and self._open[remote] >= self.maximum:
            return False
        self._open[remote] += 1
        return True

    def leave(self, remote: str) -> None:
        self._open[remote] -= 1
        if self._open[remote] == 0:
            del self._open[remote]


class Connection(web.RequestHandler):
    """One client connection. `finish` makes aiohttp's answer of ours."""

    def __init__(
        self, server: web.Server, admission: Admission, finish: Callable[[HttpResponse], Answer], **settings: Any
    ) -> None:
        super().__init__(server, **settings)
        self._admission = admission
        self._finish = finish
        self._remote: str | None = None
        self._half_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        remote = str((transport.get_extra_info("peername") or ("",))[0])
        if self._admission.enter(remote):
            self._remote = remote
            super().connection_made(transport)
        else:
            transport.write(TOO_MANY_CONNECTIONS)
            transport.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._remote is not None:
            self._admission.leave(self._remote)
            self._remote = None
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio lets it say whether to stay open
        """A client that has said all it had to say still gets its answers, if it said any request to its end."""
        self._half_closed = True
        request = self._current_request
        if request is not None and not request.content.is_eof():
            return False
        if self._messages:
            return True
        if self._waiter is not None:
            return False  # nothing was being answered
        self.close()  # once the last answer is out, which may have been a moment ago
        return True

    def is_last(self) -> bool:
        """Whether nothing can follow the request that is being answered."""
        return self._half_closed and not self._messages

    def is_cut(self, request: web.BaseRequest) -> bool:
        """Whether the body of `request` can never come to its end."""
        return self._half_closed and not request.content.is_eof()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP is the client's mistake and told to it alone; what a handler raised is ours, and logged."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        if status == 400:
            LOGGER.debug("malformed request from %s: %s", request.remote, message)
            answer = self._finish(text_response(400, "400 Bad Request"))
        else:
            LOGGER.error("cannot answer a request from %s", request.remote, exc_info=exc)
            answer = self._finish(text_response(status, "internal error: see the log of this server"))
        answer.force_close()
        return answer
