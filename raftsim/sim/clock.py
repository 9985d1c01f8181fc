"""The clock port of a simulated server: virtual time and one timer."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from raftsim.sim.timeline import Timeline

EPOCH_NS = 1_700_000_000 * 10**9  # the wall time at which every run begins


class SimClock:
    """`turn` is called when the timer rings or a turn was asked for.

    A server moves its deadline with almost every message, nearly always further away. So a queue entry stays where it
    is and is renewed when it rings too early, instead of filling the queue with dead ones.
    """

    __slots__ = ("_armed", "_deadline", "_timeline", "_turn", "_turn_due")

    def __init__(self, timeline: Timeline, turn: Callable[[], None]) -> None:
        self._timeline = timeline
        self._turn = turn
        self._turn_due = False
        self._deadline = inf
        self._armed = inf  # the time of the entry in the queue

    def now(self) -> float:
        return self._timeline.now

    def wall_ns(self) -> int:
        return EPOCH_NS + round(self._timeline.now * 1e9)

    def wake_at(self, deadline: float) -> None:
        self._deadline = deadline
        if deadline < self._armed:
            self._armed = deadline
            self._timeline.at(deadline, self._ring, deadline)

    def turn_soon(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._timeline.due.append(self._take_turn)

    def cancel(self) -> None:
        """Forget the deadline: the server is gone."""
        self._deadline = self._armed = inf

    def _ring(self, armed: float) -> None:
        if armed != self._armed:
            return  # an earlier deadline took its place
        self._armed = inf
        if self._deadline <= self._timeline.now:
            self._deadline = inf
            self.turn_soon()
        else:
            self.wake_at(self._deadline)

    def _take_turn(self) -> None:
        self._turn_due = False
        self._turn()
