"""No dead ends: from every state a leader, and one committed log everywhere, can still come about."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.explore.bounds import Bounds
from raftsim.explore.reach import GOALS, Mapper
from raftsim.explore.search import Explorer
from raftsim.explore.story import sentence
from tests.explore.planted import Plant, figure_8, refusals_ignored, vote_kept_into_later_terms

LEADER, COMMITTED = (goal.name for goal in GOALS)


@pytest.mark.parametrize(
    "bounds",
    [
        {"terms": 2, "entries": 0, "crashes": 0},
        {"terms": 2, "entries": 1, "crashes": 1, "nodes": 2},
        {"terms": 2, "entries": 0, "crashes": 1, "drop": True, "nodes": 2},
    ],
)
def test_the_core_has_no_dead_end(bounds: dict[str, Any]) -> None:
    result = Mapper(Bounds(**bounds)).run()
    assert (result.violation, result.complete) == (None, True)


@pytest.mark.parametrize(
    ("plant", "bounds", "goal", "steps"),
    [
        (
            vote_kept_into_later_terms,
            {"terms": 2, "entries": 0, "crashes": 0},
            LEADER,
            3,
        ),  # three timers, and all is lost
        (refusals_ignored, {"terms": 2, "entries": 0, "crashes": 1, "nodes": 2}, COMMITTED, 4),
    ],
)
def test_a_dead_end_is_found_with_the_shortest_way_there(
    plant: Plant, bounds: dict[str, Any], goal: str, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert Explorer(Bounds(**bounds)).run().violation is None  # it breaks no invariant
    mapper = Mapper(Bounds(**bounds))
    result = mapper.run()
    assert result.violation is not None
    assert result.violation.invariant == goal
    assert not result.complete
    assert len(result.story) == steps
    assert all(sentence(mapper.worlds, before, action) for before, action in result.story)


def test_what_was_not_explored_is_no_dead_end() -> None:
    result = Mapper(Bounds(terms=2, entries=0, crashes=0, max_states=3_000)).run()
    assert (result.violation, result.complete) == (None, False)


def test_an_invariant_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    figure_8(monkeypatch)
    result = Mapper(Bounds(terms=2, entries=0, crashes=0)).run()
    assert result.violation is not None
    assert result.violation.invariant == "commit of the own term"
