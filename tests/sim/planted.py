"""Looking for a mistake that was planted into the core: the first seed whose storm brings it to light."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from raftsim.check.violation import InvariantViolated
from tests.sim.chaos import Chaos

SEEDS = 200

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]
Scenario = Callable[[int], object]  # of a seed
DISK = "the disk refuses"  # what found it, if no judge did: no disk could store what it was given


def storm(seed: int) -> None:
    Chaos(seed).storm(10)


def first_found(scenario: Scenario = storm) -> str | None:
    """What finds the mistake, and how it says so; None if nothing does."""
    for seed in range(SEEDS):
        try:
            scenario(seed)
        except InvariantViolated as violated:
            return str(violated.violation)
        except AssertionError as error:
            return f"{DISK}: {error}"
    return None
