from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from raftsim.http.server import HttpServer
from tests.http.fakes import FakeAgent


@pytest.fixture
def agent() -> FakeAgent:
    return FakeAgent()


@pytest.fixture
async def server(agent: FakeAgent) -> AsyncIterator[HttpServer]:
    server = HttpServer(agent, "127.0.0.1", 0)
    await server.start()
    yield server
    await server.stop()
