"""All mutants, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim.mutants import elections, liveness, reads, replication, transfer
from raftsim.mutants.mutant import Mutant

PARTS: Final = (elections, liveness, reads, replication, transfer)

CATALOGUE: Final[Mapping[str, Mutant]] = {
    found.id: found for part in PARTS for found in vars(part).values() if isinstance(found, Mutant)
}
