"""Every run within bounds: the correct core violates nothing, and each planted bug has the shortest story there is."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.explore.bounds import Bounds
from raftsim.explore.properties import COMMITTED, OLD_COMMITTED, SOMETIMES, TWO_LEADERS
from raftsim.explore.search import Explorer, Result
from raftsim.explore.story import sentence
from tests.explore.planted import PLANTED, Plant


def explore(**bounds: Any) -> Result:
    return Explorer(Bounds(**bounds)).run()


@pytest.mark.parametrize(
    "bounds",
    [
        {"terms": 1, "entries": 1, "crashes": 0},
        {"terms": 1, "entries": 0, "crashes": 1},
        {"terms": 1, "entries": 0, "crashes": 0, "drop": True},
        {"terms": 1, "entries": 0, "crashes": 0, "duplicate": True},
        {"terms": 1, "entries": 0, "crashes": 0, "inflight": 2},
        {"nodes": 1, "terms": 2, "entries": 2, "crashes": 2},
        {"nodes": 2, "terms": 2, "entries": 1, "crashes": 1},
    ],
)
def test_the_core_violates_nothing(bounds: dict[str, Any]) -> None:
    result = explore(**bounds)
    assert result.violation is None
    assert result.complete


def test_two_terms_show_all_that_should_happen_sometimes() -> None:
    result = explore(terms=2, entries=0, crashes=0)
    assert (result.violation, result.complete) == (None, True)
    assert result.seen.first.keys() == set(SOMETIMES)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_three_servers_two_terms_two_entries_one_crash() -> None:
    result = explore(terms=2, entries=2, crashes=1, max_states=100_000_000)
    assert (result.violation, result.complete) == (None, True)


def test_the_same_exploration_again_is_the_same() -> None:
    one, other = (explore(terms=1, entries=1, crashes=0) for _ in range(2))
    assert (one.states, one.steps, one.depth, one.seen) == (other.states, other.steps, other.depth, other.seen)


def test_states_that_differ_by_names_alone_are_one() -> None:
    """One timer fires: three ways to get there, one state."""
    explorer = Explorer(Bounds(terms=1, entries=0, crashes=0))
    first = explorer.worlds.first()
    after = [explorer.worlds.after(first, action) for action in explorer.worlds.actions(first)]
    prints = {explorer.worlds.prints.least(world.print) for world in after if world is not None}  # type: ignore[union-attr]
    assert (len(after), len(prints)) == (3, 1)


def test_beyond_the_limit_it_gives_up() -> None:
    result = explore(terms=2, max_states=100)
    assert not result.complete
    assert result.states > 100


@pytest.mark.parametrize(
    ("bounds", "complaint"),
    [({"nodes": 0}, "nodes must be at least 1"), ({"nodes": 6}, "at most 5"), ({"crashes": -1}, "crashes")],
)
def test_bounds_that_make_no_sense_are_refused(bounds: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Bounds(**bounds)


@pytest.mark.parametrize(("plant", "bounds", "invariant"), PLANTED)
def test_a_planted_bug_is_found(
    plant: Plant, bounds: dict[str, Any], invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    explorer = Explorer(Bounds(**bounds))
    result = explorer.run()
    assert result.violation is not None
    assert result.violation.invariant == invariant
    told = [sentence(explorer.worlds, before, action) for before, action in result.story]
    assert len(told) == result.depth
    assert all(told)


def test_without_the_planted_bugs_the_same_bounds_hold() -> None:
    assert explore(terms=1, entries=0, crashes=1).violation is None
    assert explore(terms=1, entries=0, crashes=0, nodes=4, duplicate=True, max_states=20_000).violation is None


def test_what_was_seen_has_the_least_depth() -> None:
    seen = explore(terms=2, entries=0, crashes=0).seen.first
    assert seen[COMMITTED] < seen[OLD_COMMITTED]
    assert seen[TWO_LEADERS] == 6  # two timers, two requests, two votes
