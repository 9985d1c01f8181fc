"""Same seed, same run: in one process, and in two with different hash seeds."""

from __future__ import annotations

import pytest

from raftsim.trace.digest import Digest
from tests import hashseeds
from tests.sim.chaos import Chaos


def digest(seed: int) -> str:
    found = Digest()
    Chaos(seed, found).run(8)
    return found.hexdigest()


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_a_seed_repeats_in_two_processes_with_different_hash_seeds(seed: int) -> None:
    program = f"from tests.sim.test_determinism import digest; print(digest({seed}))"
    one, other = hashseeds.outputs(program)
    assert one == other == [digest(seed)]


def test_different_seeds_are_different_runs() -> None:
    assert len({digest(seed) for seed in range(5)}) == 5
