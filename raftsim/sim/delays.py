"""How long messages are on their way: the distributions a link may have."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from random import Random
from typing import Final, Protocol

Z99: Final = 2.3263478740408408  # 99 of 100 draws of a standard normal distribution are below it


class Delay(Protocol):
    def draw(self, rng: Random) -> float:
        """Seconds from sending to delivery."""


@dataclass(frozen=True, slots=True)
class Uniform:
    min_s: float
    max_s: float

    def draw(self, rng: Random) -> float:
        return self.min_s + (self.max_s - self.min_s) * rng.random()


@dataclass(frozen=True, slots=True)
class Normal:
    mean_s: float
    stddev_s: float
    min_s: float = 0.0

    def draw(self, rng: Random) -> float:
        return max(self.min_s, rng.gauss(self.mean_s, self.stddev_s))


@dataclass(frozen=True, slots=True)
class Exponential:
    mean_s: float
    min_s: float = 0.0

    def draw(self, rng: Random) -> float:
        return self.min_s - log(1.0 - rng.random()) * (self.mean_s - self.min_s)


@dataclass(frozen=True, slots=True)
class LongTail:
    """Log-normal, told by what people measure: the median, and the time that one message in a hundred exceeds."""

    median_s: float
    p99_s: float

    def __post_init__(self) -> None:
        if not 0 < self.median_s <= self.p99_s:
            raise ValueError(f"a long tail needs 0 < median <= p99, got {self.median_s} and {self.p99_s}")

    def draw(self, rng: Random) -> float:
        return self.median_s * exp(rng.gauss(0, 1) * log(self.p99_s / self.median_s) / Z99)
