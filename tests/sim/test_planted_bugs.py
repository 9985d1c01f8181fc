"""The judges find known mistakes: each is planted into the core, and random schedules must bring it to light.

A judge that never convicts is a bug in the judge. Each mistake was made by a shipped implementation of Raft.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from raftsim.core import election, reads, replication
from raftsim.core.entry import Entry, HardState
from raftsim.core.log import Log
from raftsim.core.quorum import committed_index
from raftsim.core.raft import Raft
from tests.sim.planted import SEEDS, Patch, Plant, first_found


def b01_promises_leave_before_they_are_durable(patch: Patch) -> None:
    patch.setattr(Raft, "promise", Raft.send)


def b07_votes_granted_whatever_the_log(patch: Patch) -> None:
    patch.setattr(Log, "is_up_to_date", lambda *_: True)


def b05_vote_forgotten_when_stepping_down(patch: Patch) -> None:
    become = Raft.become

    def forgetful(raft: Raft, role: str, *, leader: str | None) -> None:
        become(raft, role, leader=leader)
        if role == "follower":
            raft.vote, raft.hard = None, HardState(raft.term)

    patch.setattr(Raft, "become", forgetful)


def b31_half_of_the_votes_is_enough(patch: Patch) -> None:
    def generous(voters: Sequence[str], _: object, votes: dict[str, bool]) -> str:
        return "won" if sum(votes.values()) >= len(voters) // 2 else "pending"

    patch.setattr(election, "vote_result", generous)


def b24_entries_of_older_terms_committed_by_counting(patch: Patch) -> None:
    def advance(raft: Raft, _: float) -> None:
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        index = committed_index(raft.config.voters, (), copies)
        raft.commit_to(max(raft.commit, min(index or 0, raft.durable.index)))

    patch.setattr(replication, "advance_commit", advance)


def b31_half_of_the_copies_is_enough(patch: Patch) -> None:
    def highest(voters: Sequence[str], _: object, copies: dict[str, Any]) -> Any:
        return sorted((copies.get(voter, 0) for voter in voters), reverse=True)[(len(voters) - 1) // 2 - 1]

    patch.setattr(replication, "committed_index", highest)


def b38_leader_counts_what_is_not_on_its_disk(patch: Patch) -> None:
    append = replication.append_own

    def hasty(raft: Raft, entry: Entry) -> int:
        raft.durable.index = append(raft, entry)
        return raft.durable.index

    patch.setattr(replication, "append_own", hasty)


def b26_follower_takes_the_commit_index_beyond_what_was_verified(patch: Patch) -> None:
    take = replication._take

    def trusting(raft: Raft, message: Any) -> Any:
        reply = take(raft, message)
        raft.commit_to(max(raft.commit, min(message.commit, raft.log.last_index)))
        return reply

    patch.setattr(replication, "_take", trusting)


def b27_acknowledgement_names_the_last_index(patch: Patch) -> None:
    reply = replication._reply

    def boasting(raft: Raft, message: Any, *, ok: bool, index: int, hint: tuple[int, int] = (0, 0)) -> Any:
        return reply(raft, message, ok=ok, index=raft.log.last_index if ok else index, hint=hint)

    patch.setattr(replication, "_reply", boasting)


def reads_not_confirmed_by_a_quorum(patch: Patch) -> None:
    def confirm(raft: Raft) -> None:
        raft.ready_reads.extend((id, index) for _, id, index in raft.waiting_reads)
        raft.waiting_reads.clear()

    patch.setattr(reads, "confirm", confirm)


BUGS: list[tuple[Plant, set[str]]] = [
    (b01_promises_leave_before_they_are_durable, {"durable before send"}),
    (b07_votes_granted_whatever_the_log, {"up-to-date votes"}),
    (b05_vote_forgotten_when_stepping_down, {"one vote per term"}),
    (b31_half_of_the_votes_is_enough, {"voters only"}),
    (b24_entries_of_older_terms_committed_by_counting, {"commit quorum"}),
    (b31_half_of_the_copies_is_enough, {"commit quorum"}),
    (b38_leader_counts_what_is_not_on_its_disk, {"committed is durable", "commit quorum"}),
    (b26_follower_takes_the_commit_index_beyond_what_was_verified, {"state machine safety"}),
    (b27_acknowledgement_names_the_last_index, {"commit quorum", "durable before send", "no exception"}),
    (reads_not_confirmed_by_a_quorum, {"read index"}),
]


@pytest.mark.parametrize(("plant", "caught_by"), BUGS, ids=[plant.__name__ for plant, _ in BUGS])
def test_a_planted_bug_is_found(plant: Plant, caught_by: set[str], monkeypatch: Patch) -> None:
    plant(monkeypatch)
    found = first_found()
    assert found is not None, f"not found with {SEEDS} seeds"
    assert found.startswith(tuple(caught_by)), found
