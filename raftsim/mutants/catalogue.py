"""All mutants, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim.mutants import durability, elections, recovery, replication
from raftsim.mutants.mutant import Mutant

PARTS: Final = (durability, elections, recovery, replication)

CATALOGUE: Final[Mapping[str, Mutant]] = {
    found.id: found for part in PARTS for found in vars(part).values() if isinstance(found, Mutant)
}
