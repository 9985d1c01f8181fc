"""What an experiment has found: numbers beside those that were expected, and the lines they are drawn as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a series. `within`: how far the simulated one may be from the expected; None: it is only shown.

    `unit` is "" for a share or a ratio.
    """

    series: str
    name: str
    simulated: float
    expected: float
    within: float | None
    unit: str = "ms"

    @property
    def holds(self) -> bool:
        return self.within is None or abs(self.simulated - self.expected) <= self.within


class Drawn(Protocol):
    def drawn(self, steps: int) -> list[Point]:
        """The points of its line; about `steps` of them, if it has any number of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points that were measured, from left to right."""

    points: tuple[Point, ...]

    def drawn(self, steps: int) -> list[Point]:
        return list(self.points[:steps])


@dataclass(frozen=True, slots=True)
class Axis:
    """`unit` is written behind numbers, and `one` behind a single one; `log`: the scale is logarithmic."""

    unit: str
    log: bool = False
    one: str = ""

    def label(self, value: float) -> str:
        if self.unit == "%":
            return f"{value:.0%}".replace("%", " %")
        return f"{value:,.0f} {self.one if self.one and value == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Chart:
    """What the lines of an experiment show; `other` is the name of what is drawn beside the simulated lines."""

    title: str
    x: Axis
    y: Axis
    other: str = "published"


DISTRIBUTION: Final = Chart("share of the trials over time", Axis("ms", log=True), Axis("%"))


@dataclass(slots=True)
class Report:
    """`simulated` and `published`: the lines by the name of their series; none where there is nothing to draw."""

    experiment: str
    trials: int
    figures: list[Figure] = field(default_factory=list)
    simulated: dict[str, Drawn] = field(default_factory=dict)
    published: Mapping[str, Drawn] = field(default_factory=dict)
    chart: Chart = DISTRIBUTION

    @property
    def holds(self) -> bool:
        return all(figure.holds for figure in self.figures)
