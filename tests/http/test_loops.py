"""The server on every event loop it may run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http.client import HTTPConnection

import pytest
import uvloop

from raftsim.http.server import HttpServer
from tests.http.fakes import FakeAgent

PER_CLIENT = 20


def visit(port: int, times: int) -> None:
    """One connection per request, closed by the client as soon as it has its answer."""
    for _ in range(times):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/v1/raftsim/status")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        connection.close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_clients_that_hang_up_at_once_leave_no_connection_behind(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """The end of a connection may arrive in the very moment between two requests: once that was never noticed."""

    async def serve() -> None:
        server = HttpServer(FakeAgent(), "127.0.0.1", 0, max_connections_per_client=PER_CLIENT)
        await server.start()
        try:
            await asyncio.gather(*(asyncio.to_thread(visit, server.port, 300) for _ in range(4)))
        finally:
            await server.stop()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve())
