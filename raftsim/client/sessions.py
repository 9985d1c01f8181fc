"""The client's side of a session (dissertation 6.3): commands are numbered, so that the cluster knows a copy as one."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from raftsim.machine.sessiontable import Limits

# A full session forgets the result of its lowest number: no number so far from the lowest unanswered one is used.
WINDOW: Final = Limits().results


class ClientSession:
    """`id` as the cluster gave it. A number is in use until `done`."""

    def __init__(self, id: int) -> None:
        self.id = id
        self._last = 0
        self._in_use: dict[int, None] = {}  # in ascending order
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def number(self) -> int:
        """The next sequence number, once there is room for it."""
        while self._full or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(turn)
                raise
            if not self._full:
                break
        self._last += 1
        self._in_use[self._last] = None
        return self._last

    def done(self, number: int) -> None:
        del self._in_use[number]
        self._wake()

    @property
    def _full(self) -> bool:
        return bool(self._in_use) and self._last + 1 - next(iter(self._in_use)) >= WINDOW

    def _wake(self) -> None:
        room = WINDOW if not self._in_use else WINDOW - (self._last + 1 - next(iter(self._in_use)))
        for _ in range(min(room, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    def _give_up(self, turn: asyncio.Future[None]) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled():
            self._wake()  # whose turn was passed on to it
