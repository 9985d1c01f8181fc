"""Mistakes to be planted in the core, with bounds within which each shows, and what it violates first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from raftsim.core import election, quorum, replication
from raftsim.core import raft as raft_module
from raftsim.core.entry import HardState
from raftsim.core.messages import Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER
from raftsim.core.progress import Progress
from raftsim.core.raft import Raft

Plant = Callable[[pytest.MonkeyPatch], None]


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


PLANTED: list[tuple[Plant, dict[str, Any], str]] = [
    (figure_8, {"terms": 2, "entries": 0, "crashes": 0}, "commit of the own term"),
    (vote_not_durable, {"terms": 1, "entries": 0, "crashes": 1}, "election safety"),
    (vote_forgotten, {"terms": 1, "entries": 0, "crashes": 0}, "election safety"),
    (any_log_will_do, {"terms": 2, "entries": 0, "crashes": 0}, "leader completeness"),
    (
        votes_counted_not_voters,
        {"terms": 1, "entries": 0, "crashes": 0, "nodes": 4, "duplicate": True},
        "election safety",
    ),
]


def vote_kept_into_later_terms(patch: pytest.MonkeyPatch) -> None:
    """Whoever hears of a later term still holds what it voted before to be its vote: after a split vote, for ever."""

    def following(raft: Raft, term: int, leader: str | None) -> None:
        raft.term = term
        raft.hard = HardState(term, raft.vote, raft.founding.founder)
        raft.become(FOLLOWER, leader=leader)

    patch.setattr(Raft, "follow", following)


def refusals_ignored(patch: pytest.MonkeyPatch) -> None:
    """A leader never goes back to where the logs agree."""
    patch.setattr(Progress, "refused", lambda *_: False)
