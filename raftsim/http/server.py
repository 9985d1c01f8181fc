"""The operator API on a TCP port."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import http_exceptions, web

from raftsim.http.connection import LOGGER, Admission, Answer, Connection
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse, make_request, text_response
from raftsim.http.routes import common_headers, handle
from raftsim.http.view import AgentView

MAX_BODY_BYTES: Final = 1 << 20
STOP_TIMEOUT_S: Final = 1.0
LINGER_S: Final = 1.0  # how long the rest of a refused body is read, so that its sender gets to see the answer
BACKLOG: Final = 1024


class HttpServer:
    """Serves `agent` until stopped. A client that goes away while it waits costs nothing but the wait."""

    def __init__(self, agent: AgentView, host: str, port: int, *, max_connections_per_client: int = 100) -> None:
        self._agent = agent
        self._host = host
        self._port = port
        self._admission = Admission(max_connections_per_client)
        self._server: web.Server | None = None
        self._listener: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError when that is not possible, as when the port is taken."""
        loop = asyncio.get_running_loop()
        server = web.Server(self._respond)

        def connect() -> Connection:
            return Connection(
                server,
                self._admission,
                self._finish,
                loop=loop,
                logger=LOGGER,
                access_log=None,
                lingering_time=LINGER_S,
                auto_decompress=False,
            )

        self._listener = await loop.create_server(connect, self._host, self._port, backlog=BACKLOG)
        self._server = server

    @property
    def port(self) -> int:
        """The port listened on, also when 0 was asked for. Only between start and stop."""
        assert self._listener is not None
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Refuse what is new, let what is being answered end within STOP_TIMEOUT_S, close everything."""
        if self._listener is None or self._server is None:
            return
        self._listener.close()
        self._server.pre_shutdown()
        # aiohttp waits twice: for the handlers, then for the connections.
        await self._server.shutdown(STOP_TIMEOUT_S / 2)
        self._listener = self._server = None

    async def _respond(self, raw: web.BaseRequest) -> web.StreamResponse:
        connection = raw.protocol
        assert isinstance(connection, Connection)
        try:
            if connection.is_cut(raw):
                raise HttpError(400, "400 Bad Request")
            response = await self._answer(await _read(raw))
        except HttpError as error:
            response = text_response(error.status, error.text)
        answer = self._finish(response)
        if connection.is_last():
            answer.force_close()
        return answer

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        answer = handle(request, self._agent)
        if isinstance(answer, Ask):
            answer = answer.render(await self._agent.call(answer.request))
        return answer

    def _finish(self, response: HttpResponse) -> Answer:
        headers = {**common_headers(self._agent.status()), **response.headers}
        if response.status != 204:  # RFC 9110 section 8.6
            headers["Content-Length"] = str(len(response.body))
        return Answer(status=response.status, headers=headers, body=response.body)


async def _read(raw: web.BaseRequest) -> HttpRequest:
    body = await _read_body(raw) if raw.can_read_body else b""
    return make_request(raw.method, raw.raw_path, headers=raw.headers, body=body, remote=raw.remote or "")


async def _read_body(raw: web.BaseRequest) -> bytes:
    """The whole body. Raises HttpError 413 when it is too long, without having read it all, and 400 when it is cut."""
    too_long = HttpError(413, f"the request body is larger than {MAX_BODY_BYTES} bytes")
    if (raw.content_length or 0) > MAX_BODY_BYTES:
        raise too_long
    if raw.headers.get("Expect", "").lower() == "100-continue":
        await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        raw.writer.output_size = 0
    body = bytearray()
    try:
        async for chunk in raw.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise too_long
    except (web.RequestPayloadError, http_exceptions.HttpProcessingError, ConnectionError):
        raise HttpError(400, "400 Bad Request") from None
    return bytes(body)
