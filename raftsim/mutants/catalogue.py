"""All mutants, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim.mutants import (
    autopilot,
    clients,
    commitment,
    durability,
    elections,
    liveness,
    machines,
    membership,
    reads,
    recovery,
    replication,
    snapshots,
    transfer,
    wiped,
)
from raftsim.mutants.mutant import Mutant

PARTS: Final = (
    elections,
    liveness,
    transfer,
    replication,
    commitment,
    membership,
    wiped,
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
