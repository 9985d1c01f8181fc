"""How soon the swarm finds a planted bug: seeds and CPU time to detection.

Every seed finds the bug with the same chance, so the number of seeds from one find to the next is geometric. A hunt
ends with a given number of finds or with the last of its seeds. What can be said of the chance is exact either way
(Clopper and Pearson 1934, who count finds in a given number of seeds; with a given number of finds it is the other way
round).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import exp, inf, lgamma, log, log1p
from time import process_time
from typing import Any, Final

from raftsim.mutants.planted import Package, Real, planted

TAIL: Final = 0.025  # on either side of a 95 % interval
_HALVINGS: Final = 60  # of an interval: more than a float can tell apart


@dataclass(frozen=True, slots=True)
class Hunt:
    """`seeds` were played, `finds` of them found the mutant, `first` was the first of these.

    `wanted`: the number of finds with which it would have ended. `judges`: who found it how often. `cpu_s`: of all
    runs together.
    """

    mutant: str
    seeds: int
    finds: int
    wanted: int
    first: int | None
    judges: dict[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0

    @property
    def mean_seeds(self) -> float:
        """Seeds to a find in the mean, infinite without any."""
        return self.seeds / self.finds if self.finds else inf

    @property
    def mean_cpu_s(self) -> float:
        return self.cpu_s / self.finds if self.finds else inf

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true mean is, with a confidence of 95 %."""
        counted = self.finds == self.wanted  # the last seed was a find, because nothing else ends a hunt
        finds, seeds = (self.finds - 1, self.seeds - 1) if counted else (self.finds, self.seeds)
        most = _falls(lambda chance: at_most(finds, seeds, chance), TAIL)
        if not self.finds:
            return 1 / most, inf
        return 1 / most, 1 / _falls(lambda chance: at_most(self.finds - 1, self.seeds, chance), 1 - TAIL)


def hunt(mutant: str, seeds: Iterable[int], wanted: int, storm_s: float) -> Hunt:
    """Play `seeds` of the swarm with this mutant until it was found `wanted` times. Each storm lasts `storm_s`.

    An empty `mutant` is none: every find is a false alarm.
    """
    package: Package = planted(mutant) if mutant else Real()
    play = package.module("swarm.run").play
    judges: Counter[str] = Counter()
    played, first, began = 0, None, process_time()
    for seed in seeds:
        played += 1
        if judge := _judge(play, seed, storm_s):
            first = seed if first is None else first
            judges[judge] += 1
        if judges.total() == wanted:
            break
    spent_s = process_time() - began
    package.close()
    return Hunt(mutant, played, judges.total(), wanted, first, dict(judges.most_common()), spent_s)


def _judge(play: Callable[[int, float], Any], seed: int, storm_s: float) -> str:
    """Who found something in the run of that seed; empty if nobody did."""
    try:
        ending = play(seed, storm_s)
    except Exception as error:  # noqa: BLE001 - whatever escapes a run is a finding
        return f"exception {type(error).__name__}"
    return str(ending.judge) if ending.verdict == "violated" else ""


def at_most(finds: int, seeds: int, chance: float) -> float:
    """The probability of that many finds or fewer."""
    if not 0 < chance < 1:
        return float(chance == 0 or finds >= seeds)
    whole = lgamma(seeds + 1)
    logs = (
        whole - lgamma(k + 1) - lgamma(seeds - k + 1) + k * log(chance) + (seeds - k) * log1p(-chance)
        for k in range(min(finds, seeds) + 1)
    )
    return min(1.0, sum(map(exp, logs)))


def _falls(falling: Callable[[float], float], level: float) -> float:
    """Where a function of [0, 1] that falls goes below `level`; 1 if it never does."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > level else (low, middle)
    return high
