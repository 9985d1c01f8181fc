"""Numbers collected in intervals of ten seconds, as Nomad's metrics are, beside their totals."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, sqrt
from typing import Any, Final

INTERVAL_S: Final = 10


class Aggregate:
    """What is kept of many values."""

    __slots__ = ("count", "max", "min", "squares", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.squares = 0.0
        self.min = inf
        self.max = -inf

    def add(self, value: float) -> None:
        self.count += 1
        self.sum += value
        self.squares += value * value
        self.min = min(self.min, value)
        self.max = max(self.max, value)

    def view(self) -> dict[str, Any]:
        """Of at least one value: "Rate" is the sum per second of the interval."""
        variance = 0.0
        if self.count > 1:
            variance = (self.count * self.squares - self.sum * self.sum) / (self.count * (self.count - 1))
        return {
            "Count": self.count,
            "Max": self.max,
            "Mean": self.sum / self.count,
            "Min": self.min,
            "Rate": self.sum / INTERVAL_S,
            "Stddev": sqrt(max(0.0, variance)),  # rounding may leave a little less than nothing
            "Sum": self.sum,
        }


class Intervals:
    """The current interval, the one before it, and the totals of all. Times are seconds since 1970.

    Bounded by the names there are: callers use a fixed set.
    """

    def __init__(self, now: float) -> None:
        self._slot = int(now // INTERVAL_S)
        self._first = self._slot
        self._current: dict[str, Aggregate] = {}
        self._finished: dict[str, Aggregate] = {}
        self._totals: dict[str, tuple[int, float]] = {}  # count and sum, up to the current interval

    def add(self, name: str, value: float, now: float) -> None:
        self._roll(now)
        found = self._current.get(name)
        if found is None:
            found = self._current[name] = Aggregate()
        found.add(value)

    def latest(self, now: float) -> tuple[int, Mapping[str, Aggregate]]:
        """When the last finished interval began and what it holds; before there is one, the current."""
        self._roll(now)
        if self._slot == self._first:
            return self._slot * INTERVAL_S, self._current
        return (self._slot - 1) * INTERVAL_S, self._finished

    def totals(self) -> dict[str, tuple[int, float]]:
        """Count and sum of all that was ever added, by name."""
        found = dict(self._totals)
        for name, values in self._current.items():
            count, total = found.get(name, (0, 0.0))
            found[name] = (count + values.count, total + values.sum)
        return found

    def _roll(self, now: float) -> None:
        slot = int(now // INTERVAL_S)
        if slot == self._slot:
            return
        self._totals = self.totals()
        self._finished = self._current if slot == self._slot + 1 else {}
        self._current = {}
        self._slot = slot
