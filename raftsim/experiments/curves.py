"""Distributions: what was simulated beside what was published."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean
from typing import Any

from raftsim.experiments.report import Point


@dataclass(frozen=True, slots=True)
class Curve:
    """A distribution of times. `points`: (share, ms), ascending: this share of the trials took at most that long."""

    mean_ms: float
    points: tuple[Point, ...]

    def at(self, share: float) -> float:
        """The time at that share, between the points along a line."""
        before = self.points[0]
        for point in self.points:
            if point[0] >= share:
                part = (share - before[0]) / (point[0] - before[0]) if point[0] > before[0] else 1.0
                return before[1] + part * (point[1] - before[1])
            before = point
        return before[1]

    def drawn(self, steps: int) -> list[Point]:
        """As a line: (time, share) at as many shares."""
        return [(self.at(step / (steps - 1)), step / (steps - 1)) for step in range(steps)]


def curve(times_ms: Sequence[float]) -> Curve:
    """Of the trials themselves."""
    ordered = sorted(times_ms)
    last = len(ordered) - 1
    points = [(place / last if last else 1.0, time) for place, time in enumerate(ordered)]
    return Curve(fmean(ordered), tuple(points))


@cache
def published(experiment: str) -> dict[str, Curve]:
    """The curves of an experiment as they were published, by the name of the series."""
    return {
        name: Curve(data["mean_ms"], tuple((share, time) for share, time in data["points"]))
        for name, data in published_data(experiment).items()
    }


def published_data(experiment: str) -> dict[str, Any]:
    """What was published, in the form that this experiment has in the file."""
    text = files("raftsim.experiments").joinpath("published.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)[experiment]
    return found
