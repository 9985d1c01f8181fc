"""Short runs for many processes to compare. It imports no test tool, which other Pythons may lack."""

from __future__ import annotations

from raftsim.trace.digest import Digest
from tests.sim.chaos import Chaos

SEEDS = range(200)


def short(seed: int) -> str:
    """The fingerprint of a storm of less than a second: an election or two, some writes, a few faults."""
    found = Digest()
    Chaos(seed, found).storm(0.7)
    return found.hexdigest()
