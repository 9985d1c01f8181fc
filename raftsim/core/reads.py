"""Linearizable reads without a log entry: read index (dissertation 6.4), batched by turn, or a lease (lease.py).

Invariant: a read is answered at the commit index of a moment at which this server was leader, proven by a quorum that
answered a round begun after the read came in, or by a lease. Before the first commit of the term, the index is the one
of the term's opening entry, so the read waits until that is applied (B66).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core import lease
from raftsim.core.errors import NotLeader, ProtocolViolation
from raftsim.core.output import LEADER
from raftsim.core.progress import Progress, counted
from raftsim.core.quorum import committed_index

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def read(raft: Raft, id: int) -> None:
    if raft.role != LEADER:
        raise NotLeader(raft.leader)
    raft.new_reads.append(id)


def by_lease(raft: Raft, now: float) -> bool:
    """Release the reads that came in, if this leader holds a lease `now`; they came before."""
    if not lease.held(raft, now):
        return False
    raft.ready_reads.extend((id, raft.commit) for id in raft.new_reads)
    raft.new_reads.clear()
    return True


def number_round(raft: Raft, now: float) -> int:
    """All Appends from here on carry a new round, whose number is returned."""
    raft.round += 1
    raft.round_began.append(now)
    while raft.round_began[0] < now - raft.settings.election_timeout_max_s:
        raft.round_began.popleft()  # too old to prove anything
    return raft.round


def begin_round(raft: Raft, now: float) -> None:
    """Begin a new round, sent to all, which answers the reads that are waiting for one."""
    number_round(raft, now)
    index = max(raft.commit, raft.term_start_index)
    raft.waiting_reads.extend((raft.round, id, index) for id in raft.new_reads)
    raft.new_reads.clear()
    confirm(raft)  # a single voter needs nobody's answer


def answered(raft: Raft, progress: Progress, round: int) -> None:
    """A follower answered `round`, so it followed us after that round began."""
    if round < 0:
        raise ProtocolViolation("a negative round")
    if round > progress.round:
        progress.round = round
        age = raft.round - round
        if age < len(raft.round_began):
            progress.contact = progress.proven = raft.round_began[-1 - age]
        confirm(raft)


def confirm(raft: Raft) -> None:
    """Release the reads whose round a quorum has answered."""
    if not raft.waiting_reads:
        return
    rounds = {id: progress.round for id, progress in counted(raft.progress)}
    rounds[raft.id] = raft.round
    proven = committed_index(raft.config.voters, raft.config.outgoing, rounds)
    assert proven is not None, "a leader has voters"
    while raft.waiting_reads and raft.waiting_reads[0][0] <= proven:
        _, id, index = raft.waiting_reads.popleft()
        raft.ready_reads.append((id, index))
