"""The judges, which see every event once, and the invariants as they are stated find the same, at the same event."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from raftsim.check.durability import Durability
from raftsim.check.judges import INVARIANTS, Judges
from raftsim.check.violation import InvariantViolated
from raftsim.trace.events import Event
from tests.check.story import BREAKING, KEEPING, Story, Tale
from tests.check.test_judges import TALES
from tests.check.whole import NAMES, Whole
from tests.mutants.planting import plant
from tests.sim.chaos import Chaos

EVERY = 500  # events
SEEDS = 12

PLANTED: list[tuple[str, set[str]]] = [  # mutants, and which invariants are seen broken within the seeds
    ("promise-before-sync", {"commit quorum"}),
    ("vote-forgotten", {"one vote per term"}),
    ("any-log-gets-the-vote", {"leader completeness", "state machine safety", "snapshots are committed"}),
    ("commit-prior-term", {"commit quorum"}),
    ("unsorted-quorum", {"commit quorum"}),
    ("half-of-the-votes", {"voters only"}),
    ("count-own-unsynced", {"committed is durable", "commit quorum"}),
    ("early-change", {"configuration safety"}),
    ("learners-count", {"commit quorum"}),
    ("snapshot-not-frozen", {"equal snapshots"}),
    ("state-restored-in-part", {"equal snapshots"}),
    ("wiped-server-votes", {"voters only"}),
    ("late-stamp", {"log matching"}),
    ("pre-votes-counted", {"election safety"}),
]
UNLIKE = {  # what the whole shows in tales where the two differ, and may
    "two_leaders_in_a_term": {"election safety", "configuration safety"},  # of what nobody wrote, a disk began with it
    "leader_cuts_its_log": set(),  # it writes again what it held: the logs are equal
    "joint_configuration_that_leaves_out_an_old_voter": set(),  # not the form there must be,
    "joint_configuration_left_for_other_voters": set(),  # though majorities happen to meet
}
ALONE = [(mutant, invariant) for mutant, invariants in PLANTED for invariant in sorted(invariants)]


class Compared(Chaos):
    """A storm under both. It ends with the first violation that a judge sees; the judges are told first."""

    def __init__(self, seed: int, watched: Iterable[str] = NAMES) -> None:
        self.watched = set(watched)
        self.whole = Whole({})
        self.events = 0
        super().__init__(seed, self._compare)
        assert self.world.judges is not None
        self.whole.names = self.world.judges.ghost.names

    def _compare(self, event: Event) -> None:
        self.whole.observe(event)
        self.events += 1
        if self.events % EVERY == 0:
            self.agree()

    def agree(self) -> set[str]:
        said = {violation.invariant for violation in self.world.violations} & self.watched
        shown = self.whole.broken() & self.watched
        assert said == shown
        return said


def compare(seed: int, for_s: float, watched: Iterable[str] = NAMES) -> set[str]:
    """What both have found."""
    storm = Compared(seed, watched)
    with suppress(InvariantViolated):
        storm.storm(for_s)
    return storm.agree()


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_where_nothing_is_broken_both_find_nothing(first: int) -> None:
    for seed in range(first, first + 20):
        assert not compare(seed, 2)


@pytest.mark.soak
def test_where_nothing_is_broken_both_find_nothing_for_long() -> None:
    for seed in range(100, 500):
        assert not compare(seed, 10)


@pytest.mark.parametrize(("mutant", "invariant"), ALONE)
def test_a_planted_mistake_is_found_by_both_at_once(
    mutant: str, invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each judge alone, or the first to see a mistake would keep the others from it."""
    plant(mutant, monkeypatch)
    judge: type[Any] = next(each for each in INVARIANTS if each.name == invariant)
    monkeypatch.setattr("raftsim.sim.world.Judges", partial(Judges, invariants=(judge, Durability)))
    assert any(compare(seed, 3, [invariant]) for seed in range(SEEDS))


def test_a_tale_is_told_to_both() -> None:
    """The judges' own tales are more than random worlds bring about."""
    assert TALES
    for tale in [*KEEPING, *(tale for _, tale in BREAKING)]:
        said, shown = told(tale)
        assert shown == UNLIKE.get(tale.__name__, said & NAMES), tale.__name__


def test_every_form_is_broken_by_a_tale() -> None:
    assert {name for name, _ in BREAKING} >= NAMES


def told(tale: Tale) -> tuple[set[str], set[str]]:
    whole = Whole({})

    class Both(Story):
        def tell(self, node: str, kind: str, subject: object) -> None:
            super().tell(node, kind, subject)
            whole.observe(Event(self.time, node, kind, subject))

    story = Both()
    tale(story)
    return set(story.broken), whole.broken()
