"""Random schedules, each drawn from its seed, which is all that is needed to see a failure again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from raftsim.check.violation import InvariantViolated
from raftsim.swarm.sightings import RARE
from tests.sim.chaos import Chaos


@pytest.mark.parametrize("seed", range(100))
def test_a_seed_is_safe_and_lives(seed: int) -> None:
    Chaos(seed).run(15)


@pytest.mark.parametrize("first", range(10_000, 12_000, 100))
def test_short_lives(first: int) -> None:
    sweep(range(first, first + 100), for_s=2)


@pytest.mark.soak
@pytest.mark.timeout(14_400)
def test_many_short_lives() -> None:
    """The nightly form of the above."""
    sweep(range(100_000, 200_000), for_s=2)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_many_seeds_are_safe_and_live() -> None:
    sweep(range(1_000, 4_000), for_s=30)


def sweep(seeds: Iterable[int], for_s: float) -> None:
    for seed in seeds:
        try:
            Chaos(seed).run(for_s)
        except (AssertionError, InvariantViolated) as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def test_the_sweep_is_not_vacuous() -> None:
    """The seeds above bring about what they are meant to: every kind of outcome, loss, and change."""
    outcomes: set[str] = set()
    seen: Counter[str] = Counter()
    dropped: set[str] = set()
    terms = 0
    for seed in range(20):
        chaos = Chaos(seed)
        chaos.run(10)
        outcomes.update(chaos.outcomes)
        seen.update(chaos.seen)
        dropped.update(chaos.world.network.dropped)
        terms += len(chaos.naive.leaders)
    assert outcomes == {"ok", "refused", "unknown"}
    assert dropped == {"cut", "loss", "down"}
    assert terms > 24
    assert all(seen[rare] > 3 for rare in RARE), seen
