"""All mutants, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim.mutants import (
    autopilot,
    clients,
    durability,
    elections,
    liveness,
    machines,
    reads,
    recovery,
    replication,
    snapshots,
    transfer,
)
from raftsim.mutants.mutant import Mutant

PARTS: Final = (
    elections,
    liveness,
    transfer,
    replication,
    durability,
    recovery,
    snapshots,
    machines,
    reads,
    clients,
    autopilot,
)

CATALOGUE: Final[Mapping[str, Mutant]] = {
    found.id: found for part in PARTS for found in vars(part).values() if isinstance(found, Mutant)
}
