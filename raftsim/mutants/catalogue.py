"""All mutants, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim.mutants import commitment, elections, membership, replication, wiped
from raftsim.mutants.mutant import Mutant

PARTS: Final = (commitment, elections, membership, replication, wiped)

CATALOGUE: Final[Mapping[str, Mutant]] = {
    found.id: found for part in PARTS for found in vars(part).values() if isinstance(found, Mutant)
}
