"""Section 5.2 with what came after the paper: pre-vote (dissertation 9.6), stickiness (4.2.3), check-quorum (6.2)."""

from __future__ import annotations

import pytest

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, log_of

THREE = of("a", "b", "c")
SETTINGS = Settings()
PRE_VOTE = Settings(stickiness=False, check_quorum=False)


def server(id: str = "a", *terms: int, hard: HardState | None = None, settings: Settings | None = None) -> Host:
    return Host(id, log_of(THREE, *terms), hard=hard, settings=settings or SETTINGS)


# pre-vote


def test_a_pre_candidate_asks_without_touching_its_term() -> None:
    host = server()
    host.time_out()
    assert (host.raft.role, host.raft.term, host.raft.vote) == (PRE_CANDIDATE, 0, None)
    assert [(vote.term, vote.pre) for vote in host.took(Vote)] == [(1, True), (1, True)]
    assert host.disk.hard == HardState()
    host.receive(VoteReply(1, "b", "a", granted=True, pre=True))
    assert (host.raft.role, host.raft.term) == (CANDIDATE, 1)
    assert [(vote.term, vote.pre) for vote in host.took(Vote)] == [(1, False), (1, False)]


def test_a_pre_vote_touches_neither_term_nor_vote() -> None:
    """A pre-vote that was recorded as a vote could be given where the real one had gone to someone else."""
    host = server(hard=HardState(2, "c"))
    host.receive(Vote(3, "b", "a", 1, 0, pre=True), Vote(3, "c", "a", 1, 0, pre=True))
    assert [(reply.term, reply.granted, reply.pre) for reply in host.took(VoteReply)] == [(3, True, True)] * 2
    assert (host.raft.term, host.raft.vote, host.disk.hard) == (2, "c", HardState(2, "c"))


def test_pre_votes_do_not_count_as_votes() -> None:
    """With the tally kept from one to the other, a pre-vote won the election as well."""
    host = server()
    host.time_out()
    host.receive(VoteReply(1, "b", "a", granted=True, pre=True), VoteReply(1, "c", "a", granted=True, pre=True))
    assert host.raft.role == CANDIDATE
    host.receive(VoteReply(1, "b", "a", granted=True))
    assert host.raft.role == LEADER


PRE_VOTES = [  # asked at term 2 with the log 1 1: (term, last index, last term) -> (granted, term of the reply)
    ((3, 3, 1), (True, 3)),
    ((3, 4, 1), (True, 3)),
    ((3, 2, 1), (False, 2)),
    ((9, 2, 2), (True, 9)),
    ((2, 3, 1), (False, 2)),
    ((1, 3, 1), (False, 2)),  # answered with our term, or a server with a lower one would ask for ever
]


@pytest.mark.parametrize(("asked", "answer"), PRE_VOTES)
def test_pre_vote_table(asked: tuple[int, int, int], answer: tuple[bool, int]) -> None:
    host = server("a", 1, 1, hard=HardState(2))
    term, last_index, last_term = asked
    host.receive(Vote(term, "b", "a", last_index, last_term, pre=True))
    reply = host.only(VoteReply)
    assert (reply.granted, reply.term, reply.pre) == (*answer, True)


def test_a_server_with_the_better_log_and_the_lower_term_is_elected() -> None:
    """Dropped silently, requests of a lower term never told their sender the term: nobody could be elected, as one
    had the log and the others had the term."""
    cluster = Cluster("a", "b", "c", logs={"a": [1, 1]})
    for id in "bc":
        cluster[id].disk.hard = HardState(5)
        cluster[id].restart()
    cluster["a"].time_out()
    cluster.run()
    assert (cluster.raft("a").role, cluster.raft("a").term) == (FOLLOWER, 5)
    cluster.elect("a")


def test_a_leader_of_a_lower_term_is_told_so() -> None:
    host = server(hard=HardState(5))
    host.receive(Append(3, "b", "a", 1, 0))
    reply = host.only(AppendReply)
    assert (reply.term, reply.ok) == (5, False)


def test_a_pre_candidate_believes_in_no_leader() -> None:
    """A pre-candidate that still knew its dead leader refused the others' pre-votes, and they refused its own."""
    cluster = Cluster("a", "b", "c")
    cluster.elect("a")
    cluster.down.add("a")
    cluster["b"].time_out()
    assert cluster.raft("b").leader is None
    cluster["b"].receive(Vote(2, "c", "b", 2, 1, pre=True))
    assert cluster["b"].took(VoteReply)[-1].granted


def test_a_refused_pre_candidate_rests_and_asks_again() -> None:
    host = server()
    host.time_out()
    host.receive(VoteReply(0, "b", "a", granted=False, pre=True), VoteReply(0, "c", "a", granted=False, pre=True))
    assert (host.raft.role, host.raft.term) == (FOLLOWER, 0)
    host.take()
    host.time_out()
    assert len(host.took(Vote)) == 2


def test_a_returning_server_with_nothing_new_does_not_raise_the_term() -> None:
    """Without pre-vote a server that had been cut off came back with a huge term and deposed a healthy leader."""
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    cluster.down.add("c")
    for _ in range(30):
        cluster.beat("a")
        cluster["c"].wake()
        cluster["c"].take()
    leader.propose(b"x")
    cluster.run()
    cluster.down.clear()
    cluster.run()
    cluster.beat("a")
    assert (leader.raft.role, leader.raft.term, cluster.raft("c").term) == (LEADER, 1, 1)


# stickiness


def test_a_follower_of_a_fresh_leader_refuses_and_keeps_its_term() -> None:
    """Taking over the higher term of a disruptive request deposes the leader as surely as the vote would."""
    host = server()
    host.receive(Append(1, "b", "a", 1, 0))
    host.take()
    host.time.now += SETTINGS.election_timeout_min_s * 0.9
    for pre in (True, False):
        host.receive(Vote(7, "c", "a", 9, 6, pre=pre))
        reply = host.only(VoteReply)
        assert (reply.granted, reply.term, host.raft.term) == (False, 1, 1)
    host.receive(Vote(7, "c", "a", 9, 6, force=True))
    assert host.only(VoteReply).granted


def test_stickiness_ends_with_the_shortest_election_timeout() -> None:
    host = server()
    host.receive(Append(1, "b", "a", 1, 0))
    host.take()
    host.time.now += SETTINGS.election_timeout_min_s
    host.receive(Vote(7, "c", "a", 9, 6))
    assert host.only(VoteReply).granted


@pytest.mark.parametrize(("check_quorum", "deposed"), [(True, False), (False, True)])
def test_a_leader_refuses_only_if_it_resigns_by_itself(check_quorum: bool, deposed: bool) -> None:
    """A leader that was sticky without checking its quorum could neither lead nor be replaced."""
    cluster = Cluster("a", "b", "c", settings=Settings(check_quorum=check_quorum))
    leader = cluster.elect("a")
    leader.receive(Vote(5, "c", "a", 9, 4))
    assert (leader.raft.role != LEADER) is deposed


# check-quorum


def silent_until(cluster: Cluster, leader: Host, time: float) -> None:
    """The leader's timer fires as it must, and everything it sends is lost."""
    while leader.raft.role == LEADER and leader.raft.deadline <= time:
        leader.time_out()
        leader.take()
    cluster.time.now = time


def test_a_leader_without_a_quorum_resigns_within_an_election_timeout() -> None:
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    silent_until(cluster, leader, cluster.time.now + SETTINGS.election_timeout_max_s)
    assert leader.raft.role == LEADER
    silent_until(cluster, leader, cluster.time.now + 2 * SETTINGS.heartbeat_interval_s)
    assert (leader.raft.role, leader.raft.leader, leader.raft.term) == (FOLLOWER, None, 1)
    assert leader.raft.deadline >= leader.time.now + SETTINGS.election_timeout_min_s - 0.1


def test_one_follower_of_two_is_a_quorum() -> None:
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    cluster.down.add("c")
    for _ in range(50):
        cluster.beat("a")
    assert leader.raft.role == LEADER


def test_a_delayed_answer_proves_nothing_about_the_present() -> None:
    """Counted when they arrive, answers that had waited in the network kept a leader in office that nobody followed."""
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    leader.time_out()
    cluster.deliver()
    delayed = [message for message in cluster.collect() if isinstance(message, AppendReply)]
    assert delayed
    end = cluster.time.now + SETTINGS.election_timeout_max_s
    silent_until(cluster, leader, end)
    leader.receive(*delayed)
    silent_until(cluster, leader, end + 2 * SETTINGS.heartbeat_interval_s)
    assert leader.raft.role == FOLLOWER


def test_an_old_leader_without_a_quorum_does_not_keep_the_bridge_loyal() -> None:
    """Five servers, the old leader reaches only one, which the other three need: with stickiness but without a check
    of the quorum that one stayed with the old leader, and nobody could be elected."""
    cluster = Cluster("a", "b", "c", "d", "old")
    old = cluster.elect("old")
    cluster.down.add("d")
    cluster.blocked = {pair for id in "ab" for pair in ((id, "old"), ("old", id))}
    end = cluster.time.now + 2 * SETTINGS.election_timeout_max_s + SETTINGS.election_timeout_min_s
    while cluster.time.now < end and cluster.raft("a").role != LEADER:
        next(iter(sorted((cluster[id] for id in ("a", "c", "old")), key=lambda host: host.raft.deadline))).time_out()
        cluster.run()
    assert cluster.raft("a").role == LEADER or cluster.raft("c").role == LEADER
    assert old.raft.role == FOLLOWER
