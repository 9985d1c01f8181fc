"""Section 8: linearizable reads by read index (dissertation 6.4), proven by a round begun after the read came in."""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.errors import NotLeader
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, log_of


def leading() -> tuple[Cluster, Host]:
    """`a` leads, has committed index 2, and what it sends from now on is lost."""
    cluster = Cluster("a", "b", "c")
    host = cluster.elect("a")
    cluster.beat("a")
    host.reads.clear()
    cluster.down = {"b", "c"}
    return cluster, host


def answer(round: int, src: str = "b", *, index: int = 2, ok: bool = True) -> AppendReply:
    return AppendReply(1, src, "a", ok=ok, index=index, round=round)


def test_a_read_is_confirmed_by_a_quorum_that_answers_a_later_round() -> None:
    _, host = leading()
    host.read(7)
    (round,) = {message.round for message in host.took(Append)}
    assert host.reads == []
    host.receive(answer(round))
    assert host.reads == [(7, 2)]


def test_an_answer_to_an_earlier_round_confirms_nothing() -> None:
    """A deposed leader that took a delayed heartbeat answer for a fresh one served an overwritten value."""
    _, host = leading()
    host.time_out()
    (before,) = {message.round for message in host.took(Append)}
    host.read(7)
    (after,) = {message.round for message in host.took(Append)}
    assert before < after
    for src in "bcbc":
        host.receive(answer(before, src))
    assert host.reads == []
    host.receive(answer(after))
    assert host.reads == [(7, 2)]


def test_an_answer_to_an_append_of_an_earlier_term_confirms_nothing() -> None:
    """The round of a term that was lost is no round of the next one: a follower that had refused a delayed Append of
    term 1, being in term 3, confirmed a read in term 3 that it had never been asked about."""
    cluster, host = leading()
    cluster.down.clear()
    host.time_out()
    delayed = [message for message in host.took(Append) if message.dst == "b"]
    host.receive(AppendReply(2, "c", "a", ok=False, index=2))  # deposed by term 2, and elected again in term 3
    cluster.elect("a")
    assert (host.raft.term, host.raft.round) == (3, 0)
    cluster.run()
    cluster["b"].receive(*delayed)
    (stale,) = cluster["b"].took(AppendReply)
    cluster.down = {"b", "c"}
    while host.raft.round < stale.round - 1:
        host.time_out()
    host.read(7)
    host.take()
    host.receive(stale)
    assert host.reads == []


def test_a_refused_append_of_the_round_is_proof_as_well() -> None:
    _, host = leading()
    host.read(7)
    host.receive(answer(host.raft.round, ok=False, index=1))
    assert host.reads == [(7, 2)]


def test_a_quorum_is_needed_not_one_follower() -> None:
    cluster = Cluster("a", "b", "c", "d", "e")
    host = cluster.elect("a")
    cluster.beat("a")
    cluster.down = set("bcde")
    host.read(7)
    for _ in range(3):
        host.receive(answer(host.raft.round))
    assert host.reads == []
    host.receive(answer(host.raft.round, "c"))
    assert host.reads == [(7, 2)]


def test_a_new_leader_answers_no_read_before_it_has_committed_in_its_term() -> None:
    """A new leader's commit index lags: a read at it missed a write that the old leader had already confirmed."""
    cluster = Cluster("a", "b", "c")
    old = cluster.elect("a")
    old.propose(b"x")
    cluster.run()  # committed on a; b and c have not heard of it
    assert (old.raft.commit, cluster.raft("b").commit) == (3, 2)
    cluster.down = {"a"}
    host = cluster["b"]
    host.time_out()
    while host.raft.role != LEADER:
        assert cluster.deliver()
    host.read(7)
    (round,) = {message.round for message in host.took(Append) if message.round}
    host.receive(AppendReply(host.raft.term, "c", "b", ok=False, index=3, round=round))
    assert host.raft.commit == 2
    assert host.reads == [(7, 4)]  # to be answered once 4, the opening entry of the term, is applied


def test_all_reads_of_a_turn_share_one_round() -> None:
    _, host = leading()
    before = host.raft.round
    host.read(1, 2, 3)
    appends = host.took(Append)
    assert {message.round for message in appends} == {before + 1}
    assert len(appends) == 2
    host.receive(answer(before + 1))
    assert host.reads == [(1, 2), (2, 2), (3, 2)]


def test_reads_of_several_rounds_are_confirmed_together_by_the_last() -> None:
    _, host = leading()
    for id in (1, 2, 3):
        host.read(id)
    host.receive(answer(host.raft.round - 1))
    assert [id for id, _ in host.reads] == [1, 2]
    host.receive(answer(host.raft.round, "c"))
    assert [id for id, _ in host.reads] == [1, 2, 3]


def test_reads_do_not_outlive_the_leadership() -> None:
    """Kept, a read of an old leadership was confirmed by the first round of the next, at an index of the first."""
    cluster, host = leading()
    host.read(7)
    host.raft.read(8)
    host.receive(AppendReply(2, "b", "a", ok=False, index=2))
    assert (host.raft.role, host.reads) == (FOLLOWER, [])
    host.take()
    cluster.down.clear()
    cluster.elect("a")
    cluster.beat("a")
    assert host.reads == []


def test_a_read_confirmed_in_the_turn_that_ends_the_leadership_is_dropped() -> None:
    _, host = leading()
    host.read(7)
    host.receive(answer(host.raft.round), AppendReply(2, "c", "a", ok=False, index=2))
    assert host.reads == []


def test_a_single_voter_needs_nobody() -> None:
    host = Host("a", log_of(of("a")))
    host.time_out()
    host.read(7)
    assert host.reads == [(7, 2)]


def test_a_single_voter_reads_nothing_before_its_first_commit() -> None:
    host = Host("a", log_of(of("a")), slow_disk=True, settings=Settings(pre_vote=False))
    host.time_out()
    host.sync_one()  # its vote, not the entry of its term
    assert (host.raft.role, host.raft.commit) == (LEADER, 0)
    host.read(7)
    assert host.reads == [(7, 2)]
    assert host.applied == []


def test_only_a_leader_reads() -> None:
    cluster, _ = leading()
    with pytest.raises(NotLeader) as refusal:
        cluster.raft("b").read(7)
    assert refusal.value.leader == "a"
