"""Dissertation 3.10, leadership transfer: what the server does that is told to stand, and what the others say."""

from __future__ import annotations

import pytest

from raftsim.core.config import of, simple
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, TimeoutNow, Vote
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER
from tests.core.harness import Host, log_of
from tests.core.members import listen, settled

THREE = of("a", "b", "c")


WORDS = [  # (term of the word, own id) -> whether it stands
    (3, "b", True),
    (4, "b", True),
    (2, "b", False),  # of an earlier term
    (3, "d", False),  # a non-voter
    (3, "stranger", False),
]


@pytest.mark.parametrize(("term", "id", "stands"), WORDS)
def test_who_stands_at_the_word(term: int, id: str, stands: bool) -> None:
    host = Host(id, log_of(simple(THREE, [listen("d")])), hard=HardState(3))
    host.receive(TimeoutNow(term, "a", id))
    assert (host.raft.role == CANDIDATE) is stands
    assert host.raft.term == (max(3, term) + 1 if stands else 3)
    assert bool(host.took(Vote)) is stands


def test_a_leader_told_to_stand_goes_on_leading() -> None:
    _, leader = settled("a", "b", "c")
    leader.receive(TimeoutNow(1, "b", "a"))
    assert (leader.raft.role, leader.raft.term) == (LEADER, 1)


def test_the_target_asks_with_force_and_without_a_pre_vote() -> None:
    """Asked first for pre-votes, or without force, all who still heard the old leader refused."""
    cluster, leader = settled("a", "b", "c")
    leader.raft.transfer("b", leader.time.now)
    leader.turn()
    (word,) = leader.took(TimeoutNow)
    cluster["b"].receive(word)
    asked = cluster["b"].took(Vote)
    assert [(vote.dst, vote.term, vote.pre, vote.force) for vote in asked] == [
        ("a", 2, False, True),
        ("c", 2, False, True),
    ]
    assert cluster["b"].disk.hard == HardState(2, "b")
    cluster["c"].receive(asked[1])
    assert cluster.raft("c").vote == "b"
    without = Vote(2, "b", "a", 2, 1)
    leader.receive(without)
    assert leader.raft.role == LEADER
    leader.receive(asked[0])
    assert (leader.raft.role, leader.raft.vote) == (FOLLOWER, "b")


def test_force_does_not_outlive_the_transfer() -> None:
    """The next election of the same server is an ordinary one."""
    cluster, leader = settled("a", "b", "c")
    cluster.down = {"a", "c"}
    leader.raft.transfer("b", leader.time.now)
    leader.turn()
    (word,) = leader.took(TimeoutNow)
    cluster["b"].receive(word)
    cluster["b"].take()
    cluster["b"].time_out()
    assert [(vote.pre, vote.force) for vote in cluster["b"].took(Vote)] == [(True, False)] * 2


def test_an_append_of_the_old_leader_does_not_stop_the_candidate() -> None:
    """A heartbeat that was under way made the target a follower again, and the cluster waited out a timeout."""
    cluster, leader = settled("a", "b", "c")
    leader.raft.transfer("b", leader.time.now)
    leader.turn()
    leader.time_out()
    cluster.collect()
    cluster.deliver(lambda message: isinstance(message, TimeoutNow))
    assert cluster.raft("b").role == CANDIDATE
    cluster.deliver(lambda message: isinstance(message, Append))
    assert (cluster.raft("b").role, cluster.raft("b").term) == (CANDIDATE, 2)
    cluster.run()
    assert cluster.raft("b").role == LEADER


def test_the_word_is_repeated_with_every_heartbeat() -> None:
    """Said only once, and lost, the word cost a whole election timeout without proposals."""
    cluster, leader = settled("a", "b", "c")
    leader.raft.transfer("b", leader.time.now)
    leader.turn()
    for _ in range(3):
        assert leader.only(TimeoutNow).dst == "b"
        leader.time_out()
    cluster.beat("a")
    assert cluster.raft("b").role == LEADER


def test_the_word_said_twice_makes_one_election() -> None:
    cluster, leader = settled("a", "b", "c")
    leader.raft.transfer("b", leader.time.now)
    leader.turn()
    (word,) = leader.took(TimeoutNow)
    cluster["b"].receive(word)
    cluster["b"].receive(word)
    assert (cluster.raft("b").role, cluster.raft("b").term) == (CANDIDATE, 2)
    cluster.run()
    cluster["b"].receive(word)
    assert (cluster.raft("b").role, cluster.raft("b").term) == (LEADER, 2)
