"""Planted bugs of linearizable reads: by read index, and by lease."""

from __future__ import annotations

from raftsim.core import lease, reads, replication
from raftsim.core.messages import AppendReply
from raftsim.core.output import LEADER
from raftsim.core.progress import Progress
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_transfer import reads_after_handing_over


@mutant(
    "B22",
    "lease kept while leadership is handed over",
    source="Raft dissertation sections 6.4.1 and 3.10; etcd-io/raft#99",
    needs=("transfer", "hold"),
    judge="read index",
    trap=reads_after_handing_over,
)
def lease_kept_in_transfer() -> None:
    """A leader that has told another server to stand goes on reading by its lease. The votes for that one are given by
    force, before the lease is over, and what is written then is missed.
    """
    held = lease.held

    def careless(raft: Raft, now: float) -> bool:
        raft.told_to_stand = False
        return held(raft, now)

    replace(lease, "held", careless)


@mutant(
    "B66",
    "read before anything of the term is committed",
    source="Raft dissertation section 6.4 (step 1); etcd#7331; tikv#1634, #6340 and #9239; redisraft#22",
    needs=("crash", "hold"),
    judge="read index",
)
def read_before_own_commit() -> None:
    """A new leader reads at its commit index of the moment. It holds all that is committed, but does not know yet how
    far that goes: it misses what the leader before it had answered for.
    """
    begin_round = reads.begin_round

    def early(raft: Raft, now: float) -> None:
        start, raft.term_start_index = raft.term_start_index, 0
        begin_round(raft, now)
        raft.term_start_index = start

    replace(reads, "begin_round", early)


@mutant(
    "B67",
    "any answer confirms any read",
    source="Raft dissertation section 6.4 (a round of heartbeats after the read came in); etcd#20418; etcd-io/raft#397",
    needs=("partition", "hold"),
    judge="read index",
)
def any_answer_confirms() -> None:
    """A leader takes every answer of a follower for one to its latest heartbeat. One that was long on its way confirms
    reads that came in later, when a new leader may have been elected.
    """
    answered = reads.answered

    def generous(raft: Raft, progress: Progress, _round: int) -> None:
        answered(raft, progress, raft.round)

    replace(reads, "answered", generous)


@mutant(
    "B67",
    "reads confirmed by nobody",
    source="Raft section 8 (a leader must check whether it has been deposed before it reads)",
    needs=("partition",),
    judge="read index",
)
def reads_unconfirmed() -> None:
    """A server that holds itself for the leader answers reads from its own state. If it was deposed and does not know
    it, it misses whatever was written since.
    """

    def confirm(raft: Raft) -> None:
        raft.ready_reads.extend((id, index) for _, id, index in raft.waiting_reads)
        raft.waiting_reads.clear()

    replace(reads, "confirm", confirm)


@mutant(
    "B68",
    "lease counted from the answer on, without a bound for clocks",
    source="Raft dissertation section 6.4.1; tikv#964; sofa-jraft#34; consul#54; yugabyte#16",
    needs=("partition", "clock"),
    judge="read index",
)
def lease_from_the_answer() -> None:
    """A leader counts its lease from when a heartbeat was answered, not from when it was sent, and takes all clocks for
    equal. Those who answered are free before its lease is over, and elect another leader.
    """
    on_append_reply = replication.on_append_reply

    def take(raft: Raft, message: AppendReply, now: float) -> None:
        on_append_reply(raft, message, now)
        if raft.role == LEADER and message.src in raft.progress:
            raft.progress[message.src].proven = now

    replace(replication, "on_append_reply", take)
    replace(Settings, "lease_s", property(lambda settings: settings.election_timeout_min_s))


@mutant(
    "B68",
    "a restart frees a voter from its lease",
    source="Raft dissertation section 6.4.1 (followers that heard a leader elect nobody for an election timeout)",
    needs=("crash", "partition", "clock"),
    judge="read index",
)
def lease_forgotten_at_restart() -> None:
    """A server that restarts does not remember that it has just heard a leader, and votes at once. The leader's lease,
    which counts on its loyalty, is not over.
    """

    def promised(raft: Raft, now: float) -> bool:
        return now < raft.leader_contact + raft.settings.election_timeout_min_s

    replace(lease, "promised", promised)
