"""Virtual time: one queue of what will happen, and the servers whose turn is due.

Entries are tuples `(time, order, act, arg)`: `order` makes ties first come, first served, and keeps the comparison
from ever reaching `act`. Nothing here is random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

Entry = tuple[float, int, Callable[[Any], None], Any]


class Timeline:
    __slots__ = ("due", "events", "now", "order", "queue")

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0  # entries of the queue that have happened
        self.order = 0
        self.queue: list[Entry] = []
        self.due: list[Callable[[], None]] = []  # turns to take before the next entry, in the order they were asked for

    def at(self, time: float, act: Callable[[Any], None], arg: Any) -> None:
        """Call `act(arg)` at `time`, or now if that has passed."""
        if time < self.now:
            time = self.now
        self.order = order = self.order + 1
        heappush(self.queue, (time, order, act, arg))

    def take_turns(self) -> None:
        """Take every turn that is due, also those that become due meanwhile."""
        for turn in self.due:  # grows while it is walked
            turn()
        self.due.clear()

    def advance(self, end: float, until: Callable[[], bool] | None, alarms: Sequence[object]) -> bool:
        """Let all happen up to `end`. True, and the rest waits, once `until()` holds; False also at the first alarm."""
        queue, due = self.queue, self.due
        self.take_turns()
        while not alarms and queue and queue[0][0] <= end:
            self.now, _, act, arg = heappop(queue)
            self.events += 1
            act(arg)
            if due:
                self.take_turns()
            if until is not None and until():
                return True
        self.now = self.now if alarms else end
        return False
