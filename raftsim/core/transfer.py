"""Leadership transfer (dissertation 3.10).

Invariants: while a transfer runs, nothing new enters the log, so the target's log can become complete; it ends, one way
or the other, within an election timeout; a non-voter is never asked to lead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core import election, membership
from raftsim.core.errors import NO_TARGET, NOT_A_VOTER, TRANSFER_IN_PROGRESS, NotLeader, Rejected
from raftsim.core.messages import TimeoutNow
from raftsim.core.output import LEADER

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def begin(raft: Raft, target: str | None, now: float) -> str:
    """Hand leadership to `target`, or to the voter that has caught up best. Returns who that is."""
    if raft.role != LEADER:
        raise NotLeader(raft.leader)
    if raft.transfer_target is not None:
        raise Rejected(TRANSFER_IN_PROGRESS, f"to {raft.transfer_target}")
    voters = [id for id in raft.config.voters if id in raft.progress and not raft.progress[id].stranger]
    if target is None:
        if not voters:
            raise Rejected(NO_TARGET, "there is no other voter")
        target = max(voters, key=lambda id: (raft.progress[id].match, raft.progress[id].contact, id))
    elif target not in voters:
        raise Rejected(NOT_A_VOTER, target)
    raft.transfer_target = target
    raft.transfer_deadline = now + raft.settings.election_timeout_max_s
    nudge(raft)
    return target


def nudge(raft: Raft) -> None:
    """If the target holds the whole log, tell it to stand. Repeated with every heartbeat: the word may get lost."""
    target = raft.transfer_target
    if target is None:
        return
    progress = raft.progress[target]
    if progress.match == raft.log.last_index and not progress.stranger:
        raft.told_to_stand = True
        raft.send(TimeoutNow(raft.term, raft.id, target))


def expire(raft: Raft, now: float) -> None:
    """Give up after an election timeout, or proposals would be refused for ever (B21)."""
    if raft.transfer_target is not None and now >= raft.transfer_deadline:
        raft.transfer_target = None
        membership.on_commit(raft, now)  # a joint configuration waited for this to be left


def on_timeout_now(raft: Raft, message: TimeoutNow, now: float) -> None:
    if raft.is_current(message) and raft.role != LEADER and raft.config.has_vote(raft.id, raft.founding.incarnation):
        election.stand(raft, now, force=True)
