"""The catalogue has every bug that a Raft must be known not to have, and says of each what a reader wants to know."""

from __future__ import annotations

import pytest

from raftsim.mutants.catalogue import CATALOGUE, PARTS
from raftsim.mutants.mutant import Mutant
from raftsim.mutants.planted import trap_file

KNOWN = {
    "B01", "B02", "B03", "B04", "B05", "B07", "B09", "B12", "B13", "B15", "B16", "B21", "B24", "B25",
    "B26", "B27", "B28", "B29", "B31", "B35", "B38", "B39", "B40", "B42", "B44", "B46", "B47", "B49",
    "B50", "B51", "B54", "B55", "B56", "B58", "B60", "B61", "B66", "B67", "B68", "B69", "B70", "B72",
}  # fmt: skip


def test_no_known_bug_is_missing() -> None:
    assert {mutant.number for mutant in CATALOGUE.values()} >= KNOWN


def test_no_id_is_given_twice() -> None:
    assert len(CATALOGUE) == sum(isinstance(found, Mutant) for part in PARTS for found in vars(part).values())


def test_no_trap_is_left_without_its_mutant() -> None:
    traps = {trap_file(mutant) for mutant in CATALOGUE.values() if mutant.trap is None}
    assert traps == set(next(iter(traps)).parent.iterdir())


@pytest.mark.parametrize("id", CATALOGUE)
def test_an_entry_tells_its_story(id: str) -> None:
    mutant = CATALOGUE[id]
    assert mutant.title
    assert mutant.source
    assert len(mutant.story) > 40
