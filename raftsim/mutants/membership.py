"""Planted bugs of membership changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf

from raftsim.core import election, membership, quorum, replication, snapshots
from raftsim.core.config import Config
from raftsim.core.entry import Entry, SnapshotMeta
from raftsim.core.errors import CHANGE_IN_FLIGHT, NO_OWN_COMMIT, Rejected
from raftsim.core.output import FOLLOWER, ConfigChanged
from raftsim.core.progress import Progress
from raftsim.core.quorum import Number, Vote
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_membership import (
    a_change_is_cut_off_again,
    a_change_is_replaced_by_a_snapshot,
    a_snapshot_before_a_change,
    learners_alone_follow,
    one_of_two_removes_itself,
    the_new_half_alone_elects,
    the_new_half_alone_follows,
    two_at_once,
)
from raftsim.node.compaction import Compaction

SINGLE = "Ongaro, raft-dev 2015 (bug in single-server membership changes)"


@mutant(
    "B31",
    "the copies of non-voters count",
    source="Dissertation section 4.2.1 (non-voting members); camunda#57387",
    needs=("membership", "hold"),
    judge="commit quorum",
    trap=learners_alone_follow,
)
def learners_count() -> None:
    """A leader counts all who receive the log instead of those who vote. What two non-voters have is taken for
    committed, and the voters elect somebody who never heard of it.
    """
    committed_index = quorum.committed_index

    def generous(
        voters: Collection[str], outgoing: Collection[str] | None, acks: Mapping[str, Number]
    ) -> Number | None:
        return committed_index({*voters, *acks}, outgoing, acks)

    replace(quorum, "committed_index", generous)


@mutant(
    "B54",
    "a membership change before the first commit of the term",
    source=f"{SINGLE}; copycat#23, braft#182, AxonIQ#120, openraft#2051",
    needs=("membership",),
    judge="configuration safety",
)
def early_change() -> None:
    """A new leader begins a change at once. An unfinished one of a leader before may still be about that it knows
    nothing of; under the two, two majorities need not have anybody in common.
    """
    gate = membership._gate

    def open_gate(raft: Raft) -> None:
        try:
            gate(raft)
        except Rejected as rejected:
            if rejected.reason != NO_OWN_COMMIT:
                raise

    replace(membership, "_gate", open_gate)


@mutant(
    "B55",
    "two membership changes in flight",
    source="Dissertation section 4.1; hashicorp/raft#84, etcd pendingConfIndex",
    needs=("membership",),
    judge="configuration safety",
    trap=two_at_once,
)
def two_changes() -> None:
    """A change begins before the one before it is committed. Each alone moves one vote; both together move two, and the
    old majority and the new one may not meet.
    """
    gate = membership._gate

    def open_gate(raft: Raft) -> None:
        try:
            gate(raft)
        except Rejected as rejected:
            if rejected.reason != CHANGE_IN_FLIGHT:
                raise

    replace(membership, "_gate", open_gate)


@mutant(
    "B56",
    "a joint configuration commits by its new half alone",
    source="Raft section 6; openraft 6c0ccaf3",
    needs=("membership", "hold"),
    judge="commit quorum",
    trap=the_new_half_alone_follows,
)
def joint_commit_by_one_half() -> None:
    """In a joint configuration a leader asks the new voters only. The old ones, who may not have heard of the change,
    can still elect another leader, without what was committed.
    """
    committed_index = quorum.committed_index

    def new_half(voters: Collection[str], _: Collection[str] | None, acks: Mapping[str, Number]) -> Number | None:
        return committed_index(voters, None, acks)

    replace(quorum, "committed_index", new_half)


@mutant(
    "B56",
    "a joint configuration elects by its new half alone",
    source="Raft section 6; openraft 6c0ccaf3",
    needs=("membership", "partition", "crash"),
    judge="voters only",
    trap=the_new_half_alone_elects,
)
def joint_election_by_one_half() -> None:
    """In a joint configuration the votes of the new half are enough. The old half may elect another leader at the same
    time.
    """
    vote_result = quorum.vote_result

    def new_half(voters: Collection[str], _: Collection[str] | None, votes: Mapping[str, bool]) -> Vote:
        return vote_result(voters, None, votes)

    replace(quorum, "vote_result", new_half)


@mutant(
    "B58",
    "a leader that is removed counts itself",
    source="Dissertation section 4.2.2; hashicorp/raft#79, #81, camunda#15232, RedisLabs/raft#13, NuRaft#92",
    needs=("membership", "clog"),
    judge="commit quorum",
)
def removed_leader_counts_itself() -> None:
    """A leader adds its own copy to those of the voters, though it is none in the configuration that removes it. Its
    removal counts as committed when less than a majority of those who stay has it.
    """

    def advance(raft: Raft, now: float) -> None:
        copies = {id: progress.match for id, progress in raft.progress.items()} | {raft.id: raft.durable.index}
        voters = {*raft.config.voters, raft.id}
        index = min(quorum.committed_index(voters, raft.config.outgoing, copies) or 0, raft.durable.index)
        if index > raft.commit and raft.log.term_at(index) == raft.term:
            raft.commit_to(index)
            membership.on_commit(raft, now)

    replace(replication, "advance_commit", advance)


@mutant(
    "B59",
    "a server that is about to be removed never stands",
    source="Dissertation section 4.2.2 (the case of two servers); copycat#117, openraft 0023cff1, camunda#57390",
    needs=("membership", "crash", "hold"),
    judge="liveness",
    trap=one_of_two_removes_itself,
)
def leaving_server_never_stands() -> None:
    """A server that finds its own removal in its log never campaigns again, committed or not. If it alone has that
    entry, nobody else can be elected either: its log is the longer one.
    """
    on_timeout = election.on_timeout

    def resigned(raft: Raft, now: float) -> None:
        if raft.config.has_vote(raft.id, raft.founding.incarnation):
            on_timeout(raft, now)
        else:
            election.rest(raft, now)
            raft.become(FOLLOWER, leader=None)

    replace(election, "on_timeout", resigned)


@mutant(
    "B60",
    "a configuration stays when its entry is cut off",
    source="Dissertation section 4.1; canonical/raft#250, #354, scylladb#31158, hashicorp/raft membership.md",
    needs=("membership", "partition"),
    judge="configuration safety",
    trap=a_change_is_cut_off_again,
)
def config_not_rolled_back() -> None:
    """A server takes a new configuration as soon as it is in its log, and keeps it when another leader replaces that
    entry. It counts and elects by a membership that never came to be.
    """

    def keep(raft: Raft, first_index: int, entries: Sequence[Entry]) -> None:
        for index, entry in enumerate(entries, first_index):
            if isinstance(entry.data, Config):
                raft.configs.append((index, entry.data))
                raft.events.append(ConfigChanged(index, entry.data))

    replace(membership, "on_append", keep)


@mutant(
    "B61",
    "a configuration stays when a snapshot replaces its entry",
    source="Raft section 7; openraft#1808",
    needs=("membership", "partition", "snapshot"),
    judge="configuration safety",
    trap=a_change_is_replaced_by_a_snapshot,
)
def config_survives_snapshot() -> None:
    """Of its own configuration and the one of a snapshot, a server takes that of the higher index, though the snapshot
    has replaced the log its own one was in. Two servers that differ in it may see majorities that do not meet.
    """
    install = snapshots.install

    def stubborn(raft: Raft, meta: SnapshotMeta) -> None:
        configs, told = raft.configs, len(raft.events)
        install(raft, meta)
        if configs[-1][0] > raft.config_index:
            raft.configs = configs
            raft.events[told:] = [event for event in raft.events[told:] if not isinstance(event, ConfigChanged)]

    replace(snapshots, "install", stubborn)


@mutant(
    "B62",
    "a snapshot with a configuration that is not committed",
    source="Raft section 7; canonical/raft#250, hashicorp/raft#617",
    needs=("membership", "hold", "snapshot"),
    judge="snapshots are committed",
    trap=a_snapshot_before_a_change,
)
def snapshot_of_config_in_force() -> None:
    """A snapshot is saved with the configuration in force, which may belong to an entry behind the snapshot. If that
    entry is replaced, or the server restarts, the snapshot brings back a membership that never came to be.
    """
    begin = Compaction.begin

    def hasty(compaction: Compaction, applied: int) -> None:
        raft = compaction._raft
        configs, raft.configs = raft.configs, raft.configs[-1:]
        begin(compaction, applied)
        raft.configs = configs

    replace(Compaction, "begin", hasty)


@mutant(
    "B64",
    "a follower counts as lost until it was heard",
    source="Dissertation section 6.2; etcd confchange (RecentActive), TestAddNodeCheckQuorum",
    needs=("delay",),
    judge="liveness",
)
def unheard_is_lost() -> None:
    """A leader that checks its quorum has no patience with followers that could not answer yet. Where an answer takes
    longer than the time between two heartbeats, every new leader resigns at its first one.
    """
    begin = Progress.__init__

    def lost(progress: Progress, next_index: int, now: float) -> None:
        begin(progress, next_index, now)
        progress.contact = -inf

    replace(Progress, "__init__", lost)
