"""Every run within bounds: the correct core violates nothing, and each planted bug has the shortest story there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from raftsim.core import election, quorum, replication
from raftsim.core import raft as raft_module
from raftsim.core.messages import Vote, VoteReply
from raftsim.core.output import CANDIDATE
from raftsim.core.raft import Raft
from raftsim.explore.bounds import Bounds
from raftsim.explore.properties import COMMITTED, OLD_COMMITTED, SOMETIMES, TWO_LEADERS
from raftsim.explore.search import Explorer, Result
from raftsim.explore.story import sentence


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


# planted bugs


def figure_8(patch: pytest.MonkeyPatch) -> None:
    """B24: a leader counts copies of entries of older terms."""

    def counting(raft: Raft, now: float) -> None:  # noqa: ARG001
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        index = quorum.committed_index(raft.config.voters, raft.config.outgoing, copies)
        assert index is not None
        if index > raft.commit:
            raft.commit_to(min(index, raft.durable.index))

    patch.setattr(replication, "advance_commit", counting)


def vote_not_durable(patch: pytest.MonkeyPatch) -> None:
    """B01: the vote is told before it is durable."""

    def hasty(raft: Raft, message: Vote, now: float) -> None:
        election.on_vote(raft, message, now)
        raft.outbox += raft.promises
        raft.promises = []

    patch.setitem(raft_module.HANDLERS, Vote, hasty)


def vote_forgotten(patch: pytest.MonkeyPatch) -> None:
    """B05: whoever steps down in the same term may vote again."""

    def refusal(raft: Raft, message: Vote, now: float) -> str:  # noqa: ARG001
        if message.term > raft.term:
            raft.follow(message.term, None)
        if raft.role != CANDIDATE and message.term == raft.term:
            raft.vote = None
        if message.term < raft.term or raft.vote not in (None, message.src):
            return election.HAS_VOTED
        return "" if raft.log.is_up_to_date(message.last_index, message.last_term) else election.HAS_NEWER_LOG

    patch.setattr(election, "_refusal", refusal)


def any_log_will_do(patch: pytest.MonkeyPatch) -> None:
    """B07: the candidate's log is not looked at."""
    patch.setattr("raftsim.core.log.Log.is_up_to_date", lambda *_: True)


def votes_counted_not_voters(patch: pytest.MonkeyPatch) -> None:
    """B03: of one voter two replies count as two votes."""

    def counting(raft: Raft, message: VoteReply, now: float) -> None:
        if raft.is_current(message) and raft.role == CANDIDATE and message.granted:
            raft.votes[f"vote {len(raft.votes)}"] = True
            if 2 * len(raft.votes) > len(raft.config.voters):
                raft.lead(now)

    patch.setitem(raft_module.HANDLERS, VoteReply, counting)


@pytest.mark.parametrize(
    ("plant", "bounds", "invariant"),
    [
        (figure_8, {"terms": 2, "entries": 0, "crashes": 0}, "commit of the own term"),
        (vote_not_durable, {"terms": 1, "entries": 0, "crashes": 1}, "election safety"),
        (vote_forgotten, {"terms": 1, "entries": 0, "crashes": 0}, "election safety"),
        (any_log_will_do, {"terms": 2, "entries": 0, "crashes": 0}, "leader completeness"),
        (
            votes_counted_not_voters,
            {"terms": 1, "entries": 0, "crashes": 0, "nodes": 4, "duplicate": True},
            "election safety",
        ),
    ],
)
def test_a_planted_bug_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], bounds: dict[str, Any], invariant: str, monkeypatch: pytest.MonkeyPatch
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
