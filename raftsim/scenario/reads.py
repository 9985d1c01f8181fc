"""The reads of `get`: one after the other at their times, whatever became of those before."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from raftsim.node.requests import OK
from raftsim.scenario.model import Get
from raftsim.scenario.target import ReadVariable, Ticket

PATH = "scenario/put-1/key-0"  # what the first `put` writes
ROUNDING_S = 1e-9

Send = Callable[[ReadVariable], Ticket | None]  # None: there is no server to ask now


class Reads:
    """The reads of one `get`. `next_at`: when the next one is due."""

    def __init__(self, get: Get, now: float, send: Send) -> None:
        self.next_at = now
        self._get = get
        self._send = send
        self._asked = 0
        self._tickets: list[Ticket] = []

    def pump(self, now: float) -> None:
        """Ask what is due."""
        while self.next_at <= now + ROUNDING_S:
            ticket = self._send(ReadVariable(PATH))
            if ticket is not None:
                self._tickets.append(ticket)
            self._asked += 1
            self.next_at = self.next_at + self._get.every_s if self._asked < self._get.count else inf

    @property
    def done(self) -> bool:
        return self.next_at == inf and all(ticket.outcome is not None for ticket in self._tickets)

    @property
    def acked(self) -> int:
        """How many were answered."""
        return sum(ticket.outcome is not None and ticket.outcome.kind == OK for ticket in self._tickets)
