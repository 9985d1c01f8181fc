"""The operator API on a TCP port."""

from __future__ import annotations

import asyncio
from typing import Final

from raftsim.http.answer import Answers
from raftsim.http.connection import Admission, Connection
from raftsim.http.view import AgentView

STOP_TIMEOUT_S: Final = 1.0
BACKLOG: Final = 1024
_TICK_S: Final = 1.0


class HttpServer:
    """Serves `agent` until stopped. A client that goes away while it waits costs nothing but the wait."""

    def __init__(self, agent: AgentView, host: str, port: int, *, max_connections_per_client: int = 100) -> None:
        self._agent = agent
        self._host = host
        self._port = port
        self._answers = Answers(agent)
        self._admission = Admission(max_connections_per_client)
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError when that is not possible, as when the port is taken."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._connect, self._host, self._port, backlog=BACKLOG)
        self._timer = loop.call_later(_TICK_S, self._again)

    @property
    def port(self) -> int:
        """The port listened on, also when 0 was asked for. Only between start and stop."""
        assert self._listener is not None
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._admission.open)

    def tick(self) -> None:
        """A second has passed: give up connections on which it was one too many."""
        for connection in list(self._admission.open):
            connection.tick()

    async def stop(self) -> None:
        """Refuse what is new, let what is being answered end within STOP_TIMEOUT_S, close everything."""
        if self._listener is None or self._timer is None:
            return
        self._listener.close()
        self._timer.cancel()
        self._listener = self._timer = None
        self._admission.closed = True
        for connection in list(self._admission.open):
            connection.stop()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._admission.all_gone()
        except TimeoutError:
            for connection in list(self._admission.open):
                connection.abort()
            await self._admission.all_gone()

    def _connect(self) -> Connection:
        return Connection(self._agent, self._answers, self._admission)

    def _again(self) -> None:
        self.tick()
        self._timer = asyncio.get_running_loop().call_later(_TICK_S, self._again)
