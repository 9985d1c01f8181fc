"""Planted bugs of commitment: what a leader counts, and what it makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from raftsim.core import election, membership, quorum, replication
from raftsim.core.entry import NOOP, Entry
from raftsim.core.output import CANDIDATE, Committed
from raftsim.core.progress import Progress
from raftsim.core.quorum import Number, committed_index
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace


@mutant(
    "B24",
    "an entry of an older term committed by counting",
    source="Raft section 5.4.2, Figure 8; nebula#685",
    needs=("crash", "hold"),
    judge="commit quorum",
)
def commit_prior_term() -> None:
    """A leader takes an entry of an earlier term for committed because a majority has it. A server that never had the
    entry can still be elected and overwrite it.
    """

    def advance(raft: Raft, _: float) -> None:
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        index = committed_index(raft.config.voters, (), copies)
        raft.commit_to(max(raft.commit, min(index or 0, raft.durable.index)))

    replace(replication, "advance_commit", advance)


@mutant(
    "B29",
    "the last acknowledgement counts, not the highest",
    source="Raft section 5.3 (matchIndex increases monotonically); CCF#5326, #5991, etcd#1207, raft.tla#18",
    needs=("partition", "duplicate", "hold"),
    judge="ordering",
)
def match_goes_back() -> None:
    """A leader believes whichever acknowledgement came last, and commits what a quorum holds by that. One that was long
    on its way takes the match index back, and the commit index with it.
    """
    matched = Progress.matched

    def believe(progress: Progress, index: int, round: int) -> None:
        matched(progress, index, round)
        progress.match, progress.next = index, index + 1

    def advance(raft: Raft, now: float) -> None:
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        index = min(committed_index(raft.config.voters, raft.config.outgoing, copies) or 0, raft.durable.index)
        if index != raft.commit and raft.log.term_at(index) == raft.term:
            raft.commit = index
            raft.events.append(Committed(index, raft.role, raft.term))
            membership.on_commit(raft, now)

    replace(Progress, "matched", believe)
    replace(replication, "advance_commit", advance)


@mutant(
    "B30",
    "followers taken to hold the log of a new leader",
    source="Raft Figure 2 (matchIndex is 0 at first); Truxify#10682",
    needs=("hold",),
    judge="commit quorum",
)
def match_seeded() -> None:
    """A new leader assumes that every follower has all of its log, until one says otherwise. It commits the entry that
    opens its term as soon as it is on its own disk.
    """
    lead = Raft.lead

    def hopeful(raft: Raft, now: float) -> None:
        lead(raft, now)
        for progress in raft.progress.values():
            progress.match = raft.log.last_index

    replace(Raft, "lead", hopeful)


@mutant(
    "B31",
    "half of the voters taken for a majority",
    source="Raft section 5.2; akka-raft, found by fuzzing as raft-42",
    needs=("partition",),
    judge="commit quorum",
)
def half_is_enough() -> None:
    """What half of the voters have is taken for what a majority has. Odd clusters do not notice, the half is rounded up
    there; in an even one two halves decide without each other.
    """

    def half(voters: Collection[str], acks: Mapping[str, Number]) -> Number:
        return sorted(acks.get(voter, 0) for voter in voters)[len(voters) // 2]

    replace(quorum, "_majority_ack", half)


@mutant(
    "B31",
    "the middle of the acknowledgements without sorting them",
    source="openraft#1802, found by simulation",
    needs=("partition",),
    judge="commit quorum",
)
def unsorted_quorum() -> None:
    """What a majority has is the middle of the sorted match indexes. Without the sorting it is what one server has, who
    happens to be in the middle of the list: alone, it commits as a leader whatever it likes.
    """

    def middle(voters: Collection[str], acks: Mapping[str, Number]) -> Number:
        return [acks.get(voter, 0) for voter in voters][(len(voters) - 1) // 2]

    replace(quorum, "_majority_ack", middle)


@mutant(
    "B36",
    "a write of an earlier term taken for the own vote",
    source="Raft Figure 2 (votedFor is durable before the answer); etcd TestCandidateSelfVoteAfterLostElection",
    needs=("disk",),
    judge="voters only",
)
def stale_self_vote() -> None:
    """A candidate counts its own vote when its disk has finished something, which may be the vote of the term before. A
    single voter leads before its vote is durable; after a crash it could lead in that term once more.
    """
    persisted = Raft.persisted

    def count(raft: Raft, seq: int, now: float) -> None:
        persisted(raft, seq, now)
        if raft.role == CANDIDATE and raft.vote == raft.id:
            election.own_vote_durable(raft, now)

    replace(Raft, "persisted", count)


@mutant(
    "B37",
    "no entry opens a leader's term",
    source="Raft section 8; redisraft#22, adjoint-io/raft#41",
    needs=("crash", "hold"),
    judge="liveness",
)
def no_opening_entry() -> None:
    """A new leader appends nothing of its own. What leaders before left in its log is never committed until somebody
    writes again, and reads, which must wait for it, hang.
    """
    append_own = replication.append_own

    def append(raft: Raft, entry: Entry) -> int:
        return raft.log.last_index if entry.kind == NOOP else append_own(raft, entry)

    replace(replication, "append_own", append)
