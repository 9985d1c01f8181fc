"""Every invariant: tales that break it, and nothing else; and tales of correct servers, which break nothing."""

from __future__ import annotations

import pytest

from raftsim.check.judges import INVARIANTS
from tests.check import (
    tales_of_elections,
    tales_of_logs,
    tales_of_membership,
    tales_of_promises,
    tales_of_snapshots,
    tales_of_transfers,
)
from tests.check.story import BREAKING, KEEPING, Story, Tale

TALES = (  # importing them tells them
    tales_of_elections,
    tales_of_logs,
    tales_of_membership,
    tales_of_promises,
    tales_of_snapshots,
    tales_of_transfers,
)


@pytest.mark.parametrize(("invariant", "tale"), BREAKING, ids=[tale.__name__ for _, tale in BREAKING])
def test_the_tale_breaks_this_invariant_and_no_other(invariant: str, tale: Tale) -> None:
    story = Story()
    tale(story)
    assert story.broken == [invariant], [str(violation) for violation in story.judges.violations]


@pytest.mark.parametrize("tale", KEEPING, ids=[tale.__name__ for tale in KEEPING])
def test_the_tale_breaks_nothing(tale: Tale) -> None:
    story = Story()
    tale(story)
    assert story.broken == [], [str(violation) for violation in story.judges.violations]


def test_there_is_a_tale_for_every_invariant() -> None:
    assert {name for name, _ in BREAKING} == {invariant.name for invariant in INVARIANTS}
