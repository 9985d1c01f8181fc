"""Every mutant falls into its trap, by the judge that its entry names, and nothing else does."""

from __future__ import annotations

import pytest

from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.planted import trap_fault

SEEDS = range(3)


@pytest.mark.parametrize("id", CATALOGUE)
def test_the_trap_calls_its_judge_and_only_when_the_mutant_is_there(id: str) -> None:
    assert trap_fault(id, SEEDS) == ""
