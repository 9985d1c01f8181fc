"""Fast failover: a follower that knows its leader's process to be gone does not wait for the election timeout.

Safe, because an election is safe at any time; harmless, because pre-vote asks those first who still hear the leader.
"""

from __future__ import annotations

import pytest

from raftsim.core.config import of, simple
from raftsim.core.messages import Append, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.core.settings import Settings
from tests.core.harness import Host, log_of
from tests.core.members import listen, settled

THREE = of("a", "b", "c")
SETTINGS = Settings()


def following(id: str = "b", *, settings: Settings | None = None) -> Host:
    """It follows `a` in term 1, has just heard of it, and has the longest timeout before it."""
    host = Host(id, log_of(simple(THREE, [listen("d")])), settings=settings)
    host.receive(Append(1, "a", id, 1, 0))
    host.take()
    host.raft.election_deadline = host.time.now + SETTINGS.election_timeout_max_s
    return host


def unreachable(host: Host, peer: str) -> None:
    host.raft.unreachable(peer, host.time.now)
    host.turn()


def test_the_leader_is_forgotten_and_an_election_is_near() -> None:
    host = following()
    unreachable(host, "a")
    assert (host.raft.role, host.raft.leader, host.raft.term) == (FOLLOWER, None, 1)
    assert host.time.now < host.raft.deadline <= host.time.now + SETTINGS.failover_delay_max_s
    host.time_out()
    assert [(vote.pre, vote.force) for vote in host.took(Vote)] == [(True, False)] * 2


def test_who_lost_the_leader_votes_for_another_at_once() -> None:
    """With its stickiness kept, two followers of a dead leader refused each other for a whole timeout."""
    for pre in (True, False):
        host = following()
        unreachable(host, "a")
        host.receive(Vote(2, "c", "b", 1, 0, pre=pre))
        assert host.only(VoteReply).granted


@pytest.mark.parametrize("peer", ["c", "d", "stranger", "b"])
def test_only_the_leader_counts(peer: str) -> None:
    host = following()
    deadline = host.raft.deadline
    unreachable(host, peer)
    assert (host.raft.leader, host.raft.deadline) == ("a", deadline)


def test_a_timer_that_fires_sooner_is_not_put_off() -> None:
    host = following()
    host.raft.election_deadline = host.time.now
    unreachable(host, "a")
    assert host.raft.deadline == host.time.now


def test_only_a_follower_minds() -> None:
    """Told twice, or told of a leader it has given up itself, a candidate goes on with its election."""
    host = following()
    host.time_out()
    deadline = host.raft.deadline
    unreachable(host, "a")
    assert (host.raft.role, host.raft.deadline) == (PRE_CANDIDATE, deadline)
    host.receive(VoteReply(2, "c", "b", granted=True, pre=True))
    deadline = host.raft.deadline
    unreachable(host, "a")
    assert (host.raft.role, host.raft.deadline) == (CANDIDATE, deadline)


def test_a_leader_does_not_mind() -> None:
    _, leader = settled("a", "b", "c")
    deadline = leader.raft.deadline
    for peer in "abc":
        unreachable(leader, peer)
    assert (leader.raft.role, leader.raft.deadline, leader.take()) == (LEADER, deadline, [])


def test_it_can_be_turned_off() -> None:
    host = following(settings=Settings(fast_failover=False))
    deadline = host.raft.deadline
    unreachable(host, "a")
    assert (host.raft.leader, host.raft.deadline) == ("a", deadline)
    host.receive(Vote(2, "c", "b", 1, 0, pre=True))
    assert not host.only(VoteReply).granted


def test_a_non_voter_forgets_the_leader_but_does_not_campaign() -> None:
    host = following("d")
    unreachable(host, "a")
    host.time_out()
    assert (host.raft.role, host.raft.leader, host.took(Vote)) == (FOLLOWER, None, [])


# who only lost its own link


def test_a_live_leader_takes_it_back_and_nobody_else_has_moved() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.beat("a")
    unreachable(cluster["b"], "a")
    cluster["b"].time_out()
    assert cluster.raft("b").role == PRE_CANDIDATE
    cluster.run()
    assert cluster.raft("c").leader == "a"  # it hears the leader, and refuses
    assert (leader.raft.role, leader.raft.term, cluster.raft("b").term) == (LEADER, 1, 1)
    cluster.beat("a")
    assert [cluster.raft(id).leader for id in "abc"] == ["a", "a", "a"]
    assert [cluster.raft(id).term for id in "abc"] == [1, 1, 1]
    assert not {event.term for id in "abc" for event in cluster[id].events if hasattr(event, "term")} - {0, 1}


def test_who_stays_without_the_leader_disturbs_nobody() -> None:
    """Its link with the leader is cut for good, both ways; it asks again and again, and the others go on."""
    cluster, leader = settled("a", "b", "c")
    cluster.blocked = {("a", "b"), ("b", "a")}
    unreachable(cluster["b"], "a")
    for number in range(30):
        cluster["b"].wake()
        leader.propose(b"%d" % number)
        cluster.beat("a")
    assert (leader.raft.role, leader.raft.term, leader.raft.commit) == (LEADER, 1, leader.raft.log.last_index)
    assert cluster.raft("b").term == 1


# who is right about it


@pytest.mark.parametrize("first", ["b", "c"])
def test_two_followers_at_once_elect_one(first: str) -> None:
    """Both ask before either has heard of the other: their votes may split once, and then one of them is elected."""
    cluster, _ = settled("a", "b", "c")
    cluster.beat("a")
    cluster.down.add("a")
    for id in "bc":
        unreachable(cluster[id], "a")
    for id in (first, "c" if first == "b" else "b"):
        cluster[id].time_out()
    cluster.run()
    for _ in range(3):
        if not any(cluster.raft(id).role == LEADER for id in "bc"):
            min((cluster[id] for id in "bc"), key=lambda host: host.raft.deadline).time_out()
            cluster.run()
    (leader,) = [id for id in "bc" if cluster.raft(id).role == LEADER]
    assert {cluster.raft(id).leader for id in "bc"} == {leader}


def test_the_first_to_ask_is_elected() -> None:
    cluster, _ = settled("a", "b", "c", "d", "e")
    cluster.down.add("a")
    for id in "bcde":
        unreachable(cluster[id], "a")
    gone = cluster.time.now
    first = min("bcde", key=lambda id: cluster.raft(id).deadline)
    cluster[first].time_out()
    cluster.run()
    assert cluster.time.now <= gone + SETTINGS.failover_delay_max_s
    assert [id for id in "bcde" if cluster.raft(id).role == LEADER] == [first]
    assert {cluster.raft(id).leader for id in "bcde"} == {first}


def test_delays_differ_so_that_the_followers_do_not_tie_for_ever() -> None:
    delays = set()
    host = following()
    for _ in range(20):
        host.receive(Append(1, "a", "b", 1, 0))
        unreachable(host, "a")
        delays.add(host.raft.deadline - host.time.now)
    assert len(delays) == 20
