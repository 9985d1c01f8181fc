"""Same seed, same run: in one process, and in two with different hash seeds."""

from __future__ import annotations

import sys
from functools import cache

import pytest

from raftsim.trace.digest import Digest
from tests import hashseeds, interpreters
from tests.sim.chaos import Chaos
from tests.sim.shorts import SEEDS, short


def digest(seed: int) -> str:
    found = Digest()
    Chaos(seed, found).run(8)
    return found.hexdigest()


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_a_seed_repeats_in_two_processes_with_different_hash_seeds(seed: int) -> None:
    program = f"from tests.sim.test_determinism import digest; print(digest({seed}))"
    one, other = hashseeds.outputs(program)
    assert one == other == [digest(seed)]


@pytest.mark.parametrize("version", interpreters.SUPPORTED)
def test_two_hundred_seeds_repeat_under_every_python(version: str) -> None:
    """Under this one in another process, too: each hashes differently. What has to be compiled is not shared."""
    here = ".".join(map(str, sys.version_info[:2]))
    path = sys.executable if version == here else interpreters.others().get(version)
    if path is None:
        pytest.skip(f"no Python {version} is installed here")
    program = "from tests.sim.shorts import SEEDS, short\nfor seed in SEEDS: print(short(seed))"
    if version != here:
        _, missing = interpreters.lines(path, "import tests.sim.shorts", "0")
        if missing.startswith("ModuleNotFoundError"):
            pytest.skip(f"Python {version} is here, and not what the simulator needs: {missing}")
    found, complaint = interpreters.lines(path, program, version.replace(".", ""))
    assert found == expected(), complaint


@cache
def expected() -> list[str]:
    return [short(seed) for seed in SEEDS]


def test_different_seeds_are_different_runs() -> None:
    assert len({digest(seed) for seed in range(5)}) == 5
