"""Every mutant falls into its trap, by the judge that its entry names, and nothing else does."""

from __future__ import annotations

import pytest

from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.planted import NOTHING, spring, sprung, trap_file

SEEDS = range(3)


@pytest.mark.parametrize("id", CATALOGUE)
def test_the_trap_calls_its_judge(id: str) -> None:
    for seed in SEEDS:
        judge, text = sprung(id, seed)
        assert judge == CATALOGUE[id].judge, (seed, judge, text)


@pytest.mark.parametrize("id", CATALOGUE)
def test_nothing_is_in_the_trap_without_the_mutant(id: str) -> None:
    for seed in SEEDS:
        assert spring(id, seed) == NOTHING, seed


@pytest.mark.parametrize("id", CATALOGUE)
def test_an_entry_says_what_a_reader_wants_to_know(id: str) -> None:
    mutant = CATALOGUE[id]
    assert mutant.title
    assert mutant.source
    assert len(mutant.story) > 40
    assert (mutant.trap is None) == trap_file(mutant).exists()
