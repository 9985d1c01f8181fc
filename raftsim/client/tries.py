"""Asking until there is an answer, as long as asking again is safe.

Refused is always safe to try again. Unknown is only for what changes nothing, and for a command of a session, which is
applied once however often it is sent.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any, Final

from raftsim.client.connections import Connections
from raftsim.client.errors import LinkLost, NoServer, Refused, Unknown
from raftsim.client.settings import ClientSettings
from raftsim.node.requests import INVALID, LINK_LOST, OK, REFUSED, UNKNOWN, UNREACHABLE, Command, Outcome
from raftsim.wire.clients import TOO_LARGE, ClientRequest

_FINAL: Final = (INVALID, TOO_LARGE)  # the same however often it is asked


class Tries:
    def __init__(self, connections: Connections, settings: ClientSettings, rng: Random) -> None:
        self._connections = connections
        self._settings = settings
        self._rng = rng

    async def ask(self, request: ClientRequest, *, repeatable: bool, wait_s: float = 0.0) -> tuple[Any, bool]:
        """The ok value, and whether an earlier copy of the request may have happened too. Raises Refused, Unknown.

        `wait_s`: how long the server may hold the answer back on purpose.
        """
        doubt = ""  # why an earlier copy may have happened
        pause_s = self._settings.retry_min_s
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.timeout_s
        while True:
            outcome = await self._once(request, wait_s)
            if outcome.kind == OK:
                return outcome.value, bool(doubt)
            if outcome.kind == UNKNOWN:
                doubt = outcome.reason
            if (doubt and not repeatable) or outcome.reason in _FINAL or loop.time() + pause_s >= deadline:
                raise Unknown(doubt) if doubt else Refused(outcome.reason, outcome.detail)
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    async def _once(self, request: ClientRequest, wait_s: float) -> Outcome:
        try:
            link = self._connections.current or await self._connections.link()
        except NoServer as error:
            return Outcome(REFUSED, reason=UNREACHABLE, detail=str(error))
        if not link.up:
            return Outcome(REFUSED, reason=UNREACHABLE, detail=link.address)
        try:
            answer = await link.call(request, self._settings.answer_timeout_s + wait_s)
        except LinkLost:
            return Outcome(UNKNOWN if isinstance(request, Command) else REFUSED, reason=LINK_LOST)
        if answer.leader_address:
            self._connections.follow(answer.leader_address)
        return answer.outcome
