"""Membership changes (paper section 6; dissertation chapter 4, with the gate of 2015).

A configuration is in force from the moment it is in the log, and no longer once it is cut off again. Invariants: one
uncommitted configuration at most; none before an entry of this leader's term is committed; a vote is given to one
incarnation of a server, and while it has it, no other gets it (founding.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from raftsim.core import election, replication
from raftsim.core.config import LEARNER, VOTER, Change, Config, ConfigError, enter_joint, leave_joint, simple
from raftsim.core.entry import CONFIG, Entry
from raftsim.core.errors import (
    CHANGE_IN_FLIGHT,
    INVALID_CHANGE,
    LAGGING,
    NO_OWN_COMMIT,
    TRANSFER_IN_PROGRESS,
    NotLeader,
    Rejected,
)
from raftsim.core.output import FOLLOWER, LEADER, ConfigChanged
from raftsim.core.progress import Progress

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def change(raft: Raft, changes: Sequence[Change], now: float) -> tuple[int, int]:
    """Append the configuration that follows from `changes`: at once if one vote moves, else by joint consensus.

    Returns its (index, term). A joint configuration is left by itself once it is committed.
    """
    _gate(raft)
    for change in changes:
        if change.op == VOTER:
            _check_caught_up(raft, change.id, now)
    changes = [replace(change, incarnation=_incarnation(raft, change.id)) for change in changes]
    try:
        config = _next(raft.config, changes)
    except ConfigError as error:
        raise Rejected(INVALID_CHANGE, str(error)) from None
    _check_quorum(raft, config)
    return _append(raft, config, now), raft.term


def _gate(raft: Raft) -> None:
    if raft.role != LEADER:
        raise NotLeader(raft.leader)
    if raft.transfer_target is not None:
        raise Rejected(TRANSFER_IN_PROGRESS, f"to {raft.transfer_target}")
    if raft.config_index > raft.commit or raft.config.joint:
        raise Rejected(CHANGE_IN_FLIGHT, f"configuration {raft.config_index} is not settled")
    if not raft.ready:
        raise Rejected(NO_OWN_COMMIT, f"term {raft.term}")


def _check_caught_up(raft: Raft, id: str, now: float) -> None:
    """A vote for a server that lags could leave the cluster unable to commit (dissertation 4.2.1)."""
    progress = raft.progress.get(id)
    if raft.config.is_voter(id):
        return
    if progress is None:
        raise Rejected(LAGGING, f"{id} is not a non-voter yet")
    silent_s = now - progress.contact
    if not _keeps_up(raft, progress, now):
        behind = raft.log.last_index - progress.match
        raise Rejected(LAGGING, f"{id} is {behind} entries behind and was last heard {silent_s:.3f} s ago")


def _check_quorum(raft: Raft, config: Config) -> None:
    """Whoever lost its memory can agree to nothing: a change that needs its vote could never be committed."""
    lost = {id for id, progress in raft.progress.items() if progress.stranger}
    for half in (config.voters, config.outgoing):
        if lost and half and len(lost.intersection(half)) * 2 >= len(half):
            raise Rejected(LAGGING, f"{', '.join(sorted(lost))} lost its data and cannot agree until it has caught up")


def _keeps_up(raft: Raft, progress: Progress, now: float) -> bool:
    silent_s = now - progress.contact
    keeps_up = progress.keeps_up(now, raft.settings.election_timeout_min_s)
    return keeps_up and silent_s <= raft.settings.election_timeout_max_s


def _incarnation(raft: Raft, id: str) -> int:
    if id == raft.id:
        return raft.founding.incarnation
    return (raft.progress[id].incarnation or 0) if id in raft.progress else 0


def recognise(raft: Raft, id: str, incarnation: int, now: float) -> Progress:
    """Follower `id` answers as this incarnation. What an earlier one held, it does not hold any more."""
    progress = raft.progress[id]
    if progress.incarnation != incarnation:
        if progress.incarnation is not None:
            progress = raft.progress[id] = Progress(raft.log.last_index + 1, now)
        progress.incarnation = incarnation
        _judge(raft, id, now)
    return progress


def _judge(raft: Raft, id: str, now: float) -> None:
    progress = raft.progress[id]
    stranger = progress.incarnation is not None and progress.incarnation != raft.config.incarnation(id)
    if stranger and not progress.stranger:
        progress.strange_since = now
    progress.stranger = stranger and raft.config.is_voter(id)


def tend(raft: Raft, now: float) -> None:
    """A voter that came back without its memory becomes a non-voter, and a voter again once it has caught up (B44).

    Two steps, as with any other server that takes the place of one that is gone: only so do majorities overlap. The
    first waits for an election timeout: a founder may only be late in finding out that it is one.
    """
    if not raft.open_to_change:
        return
    patience = raft.settings.election_timeout_max_s
    for id, progress in raft.progress.items():
        if progress.stranger and now - progress.strange_since > patience:
            change(raft, [Change(LEARNER, id, returning=True)], now)
            return
        if id in raft.config.returning and _keeps_up(raft, progress, now):
            change(raft, [Change(VOTER, id)], now)
            return


def _next(config: Config, changes: Sequence[Change]) -> Config:
    joint = enter_joint(config, changes)
    one_vote = len(set(config.voters) ^ set(joint.voters)) <= 1
    after = simple(config, changes) if one_vote else joint
    if after == config:
        raise ConfigError("it changes nothing")
    return after


def _append(raft: Raft, config: Config, now: float) -> int:
    index = replication.append_own(raft, Entry(raft.term, CONFIG, config))
    for id in config.members():
        if id != raft.id and id not in raft.progress:
            # A new server starts with the benefit of the doubt, or check-quorum would depose us (B64).
            raft.progress[id] = Progress(index, now)
    for id in raft.progress:
        _judge(raft, id, now)
    return index


def on_append(raft: Raft, first_index: int, entries: Sequence[Entry]) -> None:
    """The log was cut before `first_index` and `entries` were appended there."""
    configs = raft.configs
    before = configs[-1]
    while configs[-1][0] >= first_index:
        configs.pop()  # rolled back (B60)
    for index, entry in enumerate(entries, first_index):
        if isinstance(entry.data, Config):
            configs.append((index, entry.data))
    if configs[-1] is not before:
        raft.events.append(ConfigChanged(raft.config_index, raft.config))


def on_commit(raft: Raft, now: float) -> None:
    """The leader's commit index moved: whoever has left is told of it and let go, the leader itself included."""
    if raft.config_index > raft.commit:
        return
    if raft.config.joint and raft.config.auto_leave:
        if raft.transfer_target is None:  # else the next leader leaves it, or this one after all
            _append(raft, leave_joint(raft.config), now)
        return
    members = set(raft.config.members())
    gone = [id for id in raft.progress if id not in members]
    if gone or not raft.config.is_voter(raft.id):
        replication.broadcast(raft, now, heartbeat=True)
    for id in gone:
        del raft.progress[id]
    if not raft.config.is_voter(raft.id):
        # It led until now without counting itself (dissertation 4.2.2).
        election.rest(raft, now)
        raft.become(FOLLOWER, leader=None)
