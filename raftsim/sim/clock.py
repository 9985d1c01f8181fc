"""The clock port of a simulated server: one timer, and virtual time as this server sees it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from raftsim.sim.timeline import Timeline

EPOCH_NS = 1_700_000_000 * 10**9  # the wall time at which every run begins


class SimClock:
    """`turn` is called when the timer rings or a turn was asked for. `set` makes it a bad clock.

    A server moves its deadline with almost every message, nearly always further away. So a queue entry stays where it
    is and is renewed when it rings too early, instead of filling the queue with dead ones.
    """

    __slots__ = ("_armed", "_deadline", "_rate", "_set_at", "_shown", "_timeline", "_true", "_turn", "_turn_due")

    def __init__(self, timeline: Timeline, turn: Callable[[], None]) -> None:
        self._timeline = timeline
        self._turn = turn
        self._turn_due = False
        self._deadline = inf
        self._armed = inf  # the true time of the entry in the queue
        self._true = True  # it was never anything but right, as nearly all clocks are
        self._set_at, self._shown, self._rate = 0.0, 0.0, 1.0  # what it showed then, and how fast it runs since

    def now(self) -> float:
        if self._true:
            return self._timeline.now
        return self._shown + (self._timeline.now - self._set_at) * self._rate

    def wall_ns(self) -> int:
        return EPOCH_NS + round(self.now() * 1e9)

    def set(self, rate: float, jump_s: float) -> None:
        """Jump forward, and run `rate` times as fast as true time from now on. Raises ValueError: it never goes back.

        What was armed rings when the new clock says so.
        """
        if not (0 < rate < inf and 0 <= jump_s < inf):
            raise ValueError(f"a clock runs forward: its rate is more than 0, a jump not less, got {rate} and {jump_s}")
        self._shown, self._set_at, self._rate = self.now() + jump_s, self._timeline.now, rate
        self._true = False
        self._armed = inf
        self.wake_at(self._deadline)

    def wake_at(self, deadline: float) -> None:
        self._deadline = deadline
        due = deadline if self._true else self._true_time(deadline)
        if due < self._armed:
            self._armed = due
            self._timeline.at(due, self._ring, due)

    def turn_soon(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._timeline.due.append(self._take_turn)

    def cancel(self) -> None:
        """Forget the deadline: the server is gone."""
        self._deadline = self._armed = inf

    def _true_time(self, deadline: float) -> float:
        """When this clock will show `deadline`."""
        if self._rate == 1.0 and self._shown == self._set_at:
            return deadline
        return self._set_at + (deadline - self._shown) / self._rate

    def _ring(self, armed: float) -> None:
        if armed != self._armed:
            return  # an earlier deadline took its place
        self._armed = inf
        if self._true_time(self._deadline) > self._timeline.now:
            self.wake_at(self._deadline)
            return
        if self.now() < self._deadline:  # by a rounding: the server would go back to sleep until now, for ever
            self._shown, self._set_at, self._true = self._deadline, self._timeline.now, False
        self._deadline = inf
        self.turn_soon()

    def _take_turn(self) -> None:
        self._turn_due = False
        self._turn()
