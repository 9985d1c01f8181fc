"""Experiments that measure several things at once in each trial, and compare their means with what is expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import Final

from raftsim.experiments.report import Figure, Line, Point, Report

SIGMAS: Final = 3.5  # how many standard deviations chance may take


@dataclass(frozen=True, slots=True)
class Measured:
    """One trial: a value for each figure of its part, and the points of its line if it has one."""

    values: tuple[float, ...]
    line: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """One figure: what it should be, and how far the mean of the trials may be off; None: it is only shown.

    `deviation`: the standard deviation of one trial, where that depends on chance: it widens the bound.
    """

    name: str
    value: float
    within: float | None
    unit: str = "ms"
    deviation: float = 0.0

    def bound(self, trials: int) -> float | None:
        return None if self.within is None else self.within + SIGMAS * self.deviation / sqrt(trials)


@dataclass(frozen=True, slots=True)
class Part:
    """One series. `trial(seed)` gives a value for each of `figures`; `line` is drawn beside its lines."""

    trial: Callable[[int], Measured]
    figures: tuple[Expected, ...]
    line: tuple[Point, ...] = ()


def judge(report: Report, series: str, part: Part, outcomes: Sequence[Measured]) -> None:
    """Add the figures of a series, the means of its trials, and its line."""
    columns = zip(*(outcome.values for outcome in outcomes), strict=True)
    for expected, column in zip(part.figures, columns, strict=True):
        bound = expected.bound(len(outcomes))
        report.figures.append(Figure(series, expected.name, fmean(column), expected.value, bound, expected.unit))
    if part.line:
        steps = zip(*(outcome.line for outcome in outcomes), strict=False)  # as far as all trials went
        report.simulated[series] = Line(tuple((step[0][0], fmean(y for _, y in step)) for step in steps))
        report.published = {**report.published, series: Line(part.line)}
