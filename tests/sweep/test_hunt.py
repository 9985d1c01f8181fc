"""How soon a bug is found: what is said of the chance must be true of it."""

from __future__ import annotations

from itertools import accumulate, count
from math import comb, inf
from random import Random

import pytest

from raftsim.sweep.hunt import Hunt, at_most, hunt

ID = "any-log-gets-the-vote"


def found(chance: float, wanted: int, most: int, rng: Random) -> Hunt:
    """A hunt in which every seed finds with this chance."""
    finds = seeds = 0
    while finds < wanted and seeds < most:
        seeds += 1
        finds += rng.random() < chance
    return Hunt("m", seeds, finds, wanted, None)


@pytest.mark.parametrize("chance", [0.003, 0.1, 0.7, 1.0])
@pytest.mark.parametrize("most", [50, 100_000])
def test_the_true_mean_is_in_the_interval_nineteen_times_of_twenty(chance: float, most: int) -> None:
    rng = Random(7)
    inside = 0
    for _ in range(400):
        low, high = found(chance, 10, most, rng).interval
        inside += low <= 1 / chance <= high
    assert inside >= 370


def test_probabilities_are_those_of_the_binomial_distribution() -> None:
    for seeds, chance in ((1, 0.5), (7, 0.2), (40, 0.9)):
        exact = accumulate(comb(seeds, k) * chance**k * (1 - chance) ** (seeds - k) for k in range(seeds + 1))
        for finds, probability in zip(count(), exact, strict=False):
            assert at_most(finds, seeds, chance) == pytest.approx(probability)


def test_without_a_find_the_mean_has_no_upper_bound() -> None:
    nothing = Hunt("m", 100, 0, 30, None)
    low, high = nothing.interval
    assert (nothing.mean_seeds, nothing.mean_cpu_s, high) == (inf, inf, inf)
    assert at_most(0, 100, 1 / low) == pytest.approx(0.025)


def test_a_hunt_ends_with_its_last_find() -> None:
    one = hunt(ID, range(100), 2, 5.0)
    assert (one.finds, one.wanted) == (2, 2)
    assert one.first is not None
    assert hunt(ID, range(one.first + 1), 9, 5.0).finds == 1
    assert one.seeds > one.first + 1


def test_nothing_is_found_in_the_package_as_it_is() -> None:
    none = hunt("", range(4), 1, 5.0)
    assert (none.seeds, none.finds, none.judges) == (4, 0, {})
