"""The clock port on the event loop."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable


class LoopClock:
    """Implements `node.ports.Clock`. To be made inside a running loop; nothing happens before `start`.

    Time is read from the system and not from the loop: loops may hold theirs still for a whole round.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._turn: Callable[[], None] | None = None
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf
        self._soon: asyncio.Handle | None = None

    def start(self, turn: Callable[[], None]) -> None:
        """From now on `turn` is called when it is due."""
        self._turn = turn

    def stop(self) -> None:
        """Call nothing any more."""
        self._turn = None
        self._cancel_timer()

    def now(self) -> float:
        return time.monotonic()

    def wall_ns(self) -> int:
        return time.time_ns()

    def wake_at(self, deadline: float) -> None:
        self._deadline = deadline
        # Deadlines move on with almost every turn: a timer that rings too early looks again, and costs less than a
        # new one for each of them.
        if deadline < self._timer_due:
            self._cancel_timer()
            self._set_timer()

    def turn_soon(self) -> None:
        if self._soon is None:
            self._soon = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._soon = None
        if self._turn is not None:
            self._turn()

    def _ring(self) -> None:
        self._timer, self._timer_due = None, math.inf
        if self._deadline <= self.now():
            self._take_turn()
        else:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._turn is not None and self._deadline < math.inf:
            self._timer_due = self._deadline
            self._timer = self._loop.call_later(max(0.0, self._deadline - self.now()), self._ring)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_due = None, math.inf
