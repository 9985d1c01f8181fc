"""Log replication and commitment (paper 5.3 and 5.4.2; pipelining: dissertation 10.2.1).

Invariants: a leader never changes its log but at the end; an acknowledgement names what was verified to match, not
what happens to be there (B27); nothing at or below the commit index is ever cut; a leader counts only entries of its
own term (Figure 8), only durable copies, and commits only what its own disk holds too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core import election, membership, reads, snapshots, transfer
from raftsim.core.entry import Entry
from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import LEADER
from raftsim.core.progress import SNAPSHOT, Progress, counted
from raftsim.core.quorum import committed_index

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def append_own(raft: Raft, entry: Entry) -> int:
    """A leader's new entry; it travels at the end of the turn, with all others of the turn. Returns its index."""
    index = raft.log.last_index + 1
    raft.append(index, [entry])
    raft.hungry = True
    raft.uncommitted_bytes += entry.size
    return index


def broadcast(raft: Raft, now: float, *, heartbeat: bool) -> None:
    """Send every follower what it may have now; with `heartbeat`, something in any case."""
    last_index = raft.log.last_index
    raft.hungry = False
    for follower, progress in raft.progress.items():
        if heartbeat or progress.next <= last_index or progress.state == SNAPSHOT:
            _feed(raft, follower, progress, now, heartbeat=heartbeat)
            if progress.next <= last_index or progress.state == SNAPSHOT:
                raft.hungry = True


def _feed(raft: Raft, follower: str, progress: Progress, now: float, *, heartbeat: bool) -> None:
    if progress.next <= raft.log.base_index:
        snapshots.feed(raft, follower, progress, now)
        if heartbeat:
            # At the beginning of the log, where all agree: it only says who leads.
            raft.send(Append(raft.term, raft.id, follower, 0, 0, [], 0, raft.round))
        return
    if progress.state == SNAPSHOT:
        progress.replicate()  # a late answer told that it needs no snapshot any more
    settings = raft.settings
    window = settings.max_inflight_appends, settings.max_inflight_bytes
    while progress.next <= raft.log.last_index and progress.may_send(*window):
        prev = progress.next - 1
        entries, size = raft.log.batch(prev, settings.max_append_entries, settings.max_append_bytes)
        _send(raft, follower, prev, entries)
        progress.sent(prev + len(entries), size)
        heartbeat = False
    if heartbeat:
        _send(raft, follower, progress.next - 1, [])


def _send(raft: Raft, follower: str, prev: int, entries: list[Entry]) -> None:
    prev_term = raft.log.term_at(prev)
    assert prev_term is not None, (prev, raft.log.last_index)
    raft.send(Append(raft.term, raft.id, follower, prev, prev_term, entries, raft.commit, raft.round))


def on_append(raft: Raft, message: Append, now: float) -> None:
    if message.term < raft.term:
        # Answered, not dropped: a deposed leader, or a server with a lower term, learns where we are (B12). But nothing
        # of its question is echoed: elected again in our term, it would take this for an answer to a later one.
        raft.promise(
            AppendReply(raft.term, raft.id, message.src, ok=False, index=0, incarnation=raft.founding.incarnation)
        )
        return
    hear_leader(raft, message.term, message.src, now)
    raft.promise(_take(raft, message))


def hear_leader(raft: Raft, term: int, leader: str, now: float) -> None:
    """An Append or Install of this term, taken or refused: its sender leads all the same (B10)."""
    if term == raft.term and raft.role == LEADER:
        raise ProtocolViolation(f"{leader} leads in term {term} as well")
    raft.follow(term, leader)
    raft.leader_contact = now
    election.rest(raft, now)


def _take(raft: Raft, message: Append) -> AppendReply:
    prev, entries = message.prev_index, message.entries
    if prev < raft.commit:
        # What is committed matches by Leader Completeness: only what lies beyond needs a look.
        entries = entries[raft.commit - prev :]
        prev = min(raft.commit, prev + len(message.entries))
    elif raft.log.term_at(prev) != message.prev_term:
        return _reply(raft, message, ok=False, index=prev, hint=raft.log.agreement_hint(prev, message.prev_term))
    conflict = raft.log.first_conflict(prev + 1, entries)
    if conflict is not None:
        # Only from the first difference on: a delayed Append must not cut what a later one brought (B25).
        _check_new(raft, message, conflict, entries[conflict - prev - 1 :])
        raft.append(conflict, entries[conflict - prev - 1 :])
    verified = prev + len(entries)
    raft.commit_to(max(raft.commit, min(message.commit, verified)))  # never beyond what was verified (B26)
    return _reply(raft, message, ok=True, index=verified)


def _reply(raft: Raft, message: Append, *, ok: bool, index: int, hint: tuple[int, int] = (0, 0)) -> AppendReply:
    hint_index, hint_term = hint
    return AppendReply(
        raft.term, raft.id, message.src, ok, index, hint_index, hint_term, message.round, raft.founding.incarnation
    )


def _check_new(raft: Raft, message: Append, first: int, entries: list[Entry]) -> None:
    term = raft.log.term_at(first - 1) or 0
    for entry in entries:
        if not term <= entry.term <= message.term:
            raise ProtocolViolation(f"{message.src} sent an entry of term {entry.term} after one of term {term}")
        term = entry.term


def on_append_reply(raft: Raft, message: AppendReply, now: float) -> None:
    progress = raft.progress.get(message.src)
    if not raft.is_current(message) or raft.role != LEADER or progress is None:
        return
    if message.round > raft.round or (message.ok and message.index > raft.log.last_index):
        raise ProtocolViolation(f"{message.src} answers what was never asked")
    progress = membership.recognise(raft, message.src, message.incarnation, now)
    reads.answered(raft, progress, message.round)
    if message.ok:
        progress.matched(message.index, message.round)
        raft.hungry |= progress.next <= raft.log.last_index
        progress.catch_up(raft.log.last_index, now, raft.settings.election_timeout_min_s)
        if progress.match > raft.commit:
            advance_commit(raft, now)
        if message.src == raft.transfer_target:
            transfer.nudge(raft)
    else:
        # The hint is the follower's view; ours may exclude more places below it at once.
        hint, _ = raft.log.agreement_hint(message.hint_index, message.hint_term)
        if progress.refused(message.index, hint, message.round):
            progress.since = reads.number_round(raft, now)
        raft.hungry = True


def advance_commit(raft: Raft, now: float) -> None:
    """Commit what a quorum holds durably, if the last of it is of this term (paper 5.4.2)."""
    copies = {id: progress.match for id, progress in counted(raft.progress)}
    copies[raft.id] = raft.durable.index
    quorum = committed_index(raft.config.voters, raft.config.outgoing, copies)
    assert quorum is not None, "a leader has voters"
    index = min(quorum, raft.durable.index)
    if index > raft.commit and raft.log.term_at(index) == raft.term:
        raft.uncommitted_bytes -= sum([entry.size for entry in raft.log.slice(raft.commit, index)])
        raft.commit_to(index)
        raft.heartbeat_deadline = min(raft.heartbeat_deadline, now + raft.settings.commit_delay_s)
        membership.on_commit(raft, now)
