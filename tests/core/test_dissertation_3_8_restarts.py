"""Dissertation 3.8, persisted state and restarts: term, vote and log are kept, everything else is learnt anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.errors import NotLeader
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from tests.core.harness import PLAIN, Cluster, Host, command, log_of, terms_of

THREE = of("a", "b", "c")


def following() -> Host:
    host = Host("a", log_of(THREE, 1, 1), hard=HardState(1))
    host.receive(Append(2, "b", "a", 3, 1, [command(2, 4)], 4, 0))
    return host


def pre_candidate() -> Host:
    host = following()
    host.time_out()
    return host


def candidate() -> Host:
    host = Host("a", log_of(THREE, 1, 1), hard=HardState(1), settings=PLAIN)
    host.time_out()
    return host


def leading() -> Host:
    host = candidate()
    host.receive(VoteReply(2, "b", "a", granted=True))
    host.receive(AppendReply(2, "b", "a", ok=True, index=4))
    return host


LIVES = [  # what it was, in term 2 -> its vote then
    (following, FOLLOWER, None),
    (candidate, CANDIDATE, "a"),
    (leading, LEADER, "a"),
]


@pytest.mark.parametrize(("live", "role", "vote"), LIVES)
def test_term_vote_and_log_are_kept_and_nothing_else(live: Callable[[], Host], role: str, vote: str | None) -> None:
    host = live()
    terms = terms_of(host.raft)
    assert (host.raft.role, host.raft.term, host.raft.vote) == (role, 2, vote)
    host.restart()
    raft = host.raft
    assert (raft.term, raft.vote, terms_of(raft)) == (2, vote, terms)
    assert (raft.role, raft.leader, raft.commit, raft.progress, raft.votes) == (FOLLOWER, None, 0, {}, {})
    assert host.applied == []


def test_a_pre_vote_leaves_no_trace() -> None:
    host = pre_candidate()
    assert host.raft.role == PRE_CANDIDATE
    host.restart()
    assert (host.raft.term, host.raft.vote, host.raft.role) == (2, None, FOLLOWER)


def test_who_led_does_not_lead_any_more() -> None:
    host = leading()
    host.restart()
    with pytest.raises(NotLeader):
        host.propose(b"x")
    host.receive(VoteReply(2, "c", "a", granted=True), AppendReply(2, "c", "a", ok=True, index=4))
    assert (host.raft.role, host.raft.commit) == (FOLLOWER, 0)


SECOND_VOTES = [  # voted for, restarted, asked by -> granted
    ("b", "b", True),  # the grant may have been lost
    ("b", "c", False),
    (None, "c", True),
]


@pytest.mark.parametrize(("voted", "asks", "granted"), SECOND_VOTES)
def test_one_vote_in_a_term_whatever_happens_in_between(voted: str | None, asks: str, granted: bool) -> None:
    host = Host("a", log_of(THREE, 1), hard=HardState(2), settings=PLAIN)
    if voted is not None:
        host.receive(Vote(2, voted, "a", 2, 1))
        assert host.only(VoteReply).granted
    host.restart()
    host.receive(Vote(2, asks, "a", 2, 1))
    assert host.only(VoteReply).granted is granted


SURVIVING = [(0, 1, None, [0, 1]), (1, 2, None, [0, 1, 2]), (2, 3, "c", [0, 1, 2])]  # writes -> term, vote and log


@pytest.mark.parametrize(("writes", "term", "vote", "terms"), SURVIVING)
def test_what_was_not_synced_may_be_lost_but_only_from_the_end(
    writes: int, term: int, vote: str | None, terms: list[int]
) -> None:
    """And nobody has heard of it: what would have told left nothing behind but what is durable."""
    host = Host("a", log_of(THREE, 1), hard=HardState(1), settings=PLAIN, slow_disk=True)
    host.receive(Append(2, "b", "a", 2, 1, [command(2, 3)], 0, 0))
    host.receive(Vote(3, "c", "a", 3, 2))
    assert host.take() == []
    host.restart(surviving_writes=writes)
    assert (host.raft.term, host.raft.vote, terms_of(host.raft)) == (term, vote, terms)


@pytest.mark.parametrize("snapshot", [False, True])
def test_the_machine_is_built_anew_once_the_commit_index_is_learnt(snapshot: bool) -> None:
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    leader.propose(b"x", b"y")
    cluster.run()
    cluster.beat("a")
    follower = cluster["b"]
    if snapshot:
        follower.snapshot()
    assert follower.state == [b"x", b"y"]
    follower.restart()
    follower.turn()
    assert (follower.raft.commit, follower.state) == ((4, [b"x", b"y"]) if snapshot else (0, []))
    leader.propose(b"z")
    cluster.run()
    cluster.beat("a")
    assert follower.state == leader.state == [b"x", b"y", b"z"]
