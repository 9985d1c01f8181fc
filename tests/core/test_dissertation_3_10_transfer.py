"""Dissertation 3.10, leadership transfer: to a voter whose log is complete, over within an election timeout."""

from __future__ import annotations

import pytest

from raftsim.core.config import of, simple
from raftsim.core.errors import NO_TARGET, NOT_A_VOTER, TRANSFER_IN_PROGRESS, NotLeader, Rejected
from raftsim.core.messages import AppendReply, TimeoutNow
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Host, terms_of
from tests.core.members import add, change, listen, rejection, remove, settled

THREE = of("a", "b", "c")
SETTINGS = Settings()


def transfer(host: Host, target: str | None = None) -> str:
    chosen = host.raft.transfer(target, host.time.now)
    host.turn()
    return chosen


def refusal(host: Host, target: str | None) -> str:
    with pytest.raises(Rejected) as rejected:
        host.raft.transfer(target, host.time.now)
    return rejected.value.reason


def proposal_is_refused(host: Host) -> bool:
    try:
        host.propose(b"x")
    except Rejected as rejected:
        return rejected.reason == TRANSFER_IN_PROGRESS
    return False


def told(host: Host) -> list[str]:
    """Who was told to stand since the last call."""
    return [message.dst for message in host.took(TimeoutNow)]


# to whom


@pytest.mark.parametrize("target", ["b", "c"])
def test_a_named_voter_leads_at_once(target: str) -> None:
    cluster, leader = settled("a", "b", "c")
    began = cluster.time.now
    assert transfer(leader, target) == target
    cluster.run()
    assert [cluster.raft(id).role == LEADER for id in "abc"] == [id == target for id in "abc"]
    assert (cluster.raft(target).term, cluster.raft(target).ready, cluster.time.now) == (2, True, began)


BEST = [  # what b and c hold of the leader's log, of six entries; who has been heard last -> the target
    ((6, 4), "c", "b"),
    ((4, 6), "b", "c"),
    ((5, 6), "b", "c"),
    ((6, 6), "b", "b"),  # alike: the one that was heard last, a silent one may be gone
    ((6, 6), "c", "c"),
]


@pytest.mark.parametrize(("held", "heard", "best"), BEST)
def test_by_default_to_the_voter_that_holds_most_of_the_log(held: tuple[int, int], heard: str, best: str) -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down = {"b", "c"}
    leader.propose(*[b"x"] * 4)
    leader.time_out()
    for src, index in zip("bc", held, strict=True):
        leader.receive(AppendReply(1, src, "a", ok=True, index=index, round=leader.raft.round if src == heard else 0))
    assert transfer(leader) == best


NOBODY = [("d", NOT_A_VOTER), ("stranger", NOT_A_VOTER), ("a", NOT_A_VOTER)]


@pytest.mark.parametrize(("target", "reason"), NOBODY)
def test_never_to_a_non_voter_a_stranger_or_oneself(target: str, reason: str) -> None:
    """A non-voter that was told to stand became a leader that nobody had voted into the configuration."""
    cluster, leader = settled("a", "b", "c", "d", config=simple(THREE, [listen("d")]))
    assert refusal(leader, target) == reason
    cluster.run()
    assert not proposal_is_refused(leader)
    assert told(leader) == []


def test_by_default_never_to_a_non_voter_even_if_it_alone_has_caught_up() -> None:
    cluster, leader = settled("a", "b", "c", "d", config=simple(THREE, [listen("d")]))
    cluster.down = {"b", "c"}
    leader.propose(b"x")
    cluster.run()
    assert leader.raft.progress["d"].match == leader.raft.log.last_index
    assert transfer(leader) in "bc"


def test_a_leader_alone_has_nobody_to_hand_over_to() -> None:
    _, leader = settled("a", "b", config=simple(of("a"), [listen("b")]))
    assert refusal(leader, None) == NO_TARGET


def test_only_a_leader_hands_over_and_to_one_at_a_time() -> None:
    cluster, leader = settled("a", "b", "c")
    with pytest.raises(NotLeader):
        cluster["b"].raft.transfer("c", 0.0)
    cluster.down = {"b", "c"}
    transfer(leader, "b")
    for target in ("b", "c", None):
        assert refusal(leader, target) == TRANSFER_IN_PROGRESS


# the log first


def test_a_target_that_lags_gets_the_log_first() -> None:
    """Told to stand before its log was complete, a target lost its election, or waited out a timeout."""
    cluster, leader = settled("a", "b", "c")
    cluster.blocked = {("a", "b")}
    leader.propose(b"1")
    leader.propose(b"2")
    cluster.run()
    cluster.blocked.clear()
    transfer(leader, "b")
    assert told(leader) == []
    cluster.beat("a")
    assert (cluster.raft("b").role, terms_of(cluster.raft("b"))) == (LEADER, [0, 1, 1, 1, 2])


def test_a_target_that_has_the_log_in_memory_only_is_not_told_yet() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster["b"].slow_disk = True
    leader.propose(b"1")
    cluster.run()
    transfer(leader, "b")
    assert told(leader) == []
    cluster["b"].sync()
    cluster.collect()
    cluster.deliver(lambda message: isinstance(message, AppendReply))
    assert told(leader) == ["b"]


def test_a_target_that_has_just_started_is_found_and_fed() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("b")
    leader.propose(b"1")
    cluster.run()
    transfer(leader, "b")
    cluster.down.clear()
    cluster["b"].restart()
    cluster.beat("a")
    assert (cluster.raft("b").role, cluster["b"].state) == (LEADER, [b"1"])


def test_a_target_that_is_behind_the_log_gets_the_snapshot_first() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("b")
    leader.propose(b"1", b"2")
    cluster.run()
    leader.snapshot()
    cluster.down.clear()
    transfer(leader, "b")
    cluster.beat("a")
    cluster.beat("a")
    assert (cluster.raft("b").role, cluster["b"].state) == (LEADER, [b"1", b"2"])


# meanwhile


def test_nothing_new_enters_the_log_meanwhile() -> None:
    """With proposals accepted, the log of the target was never complete, or not any more when it asked for votes."""
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("b")
    transfer(leader, "b")
    last = leader.raft.log.last_index
    assert proposal_is_refused(leader)
    assert rejection(leader, remove("c")) == TRANSFER_IN_PROGRESS
    assert not leader.raft.open_to_change
    cluster.beat("a")
    assert proposal_is_refused(leader)
    assert leader.raft.log.last_index == last


def test_a_joint_configuration_is_not_left_meanwhile_but_afterwards() -> None:
    """Left meanwhile, it made the log of a target incomplete that had just been told to stand."""
    cluster, leader = settled("a", "b", "c", "d", "e", config=simple(THREE, [listen("d"), listen("e")]))
    index = change(leader, remove("b"), remove("c"), add("d"), add("e"))
    cluster.down.add("d")
    transfer(leader, "d")
    cluster.run()
    assert (leader.raft.commit, leader.raft.log.last_index, leader.raft.config.joint) == (index, index, True)
    for _ in range(12):
        cluster.beat("a")
    assert (leader.raft.commit, leader.raft.config.voters, leader.raft.config.joint) == (index + 1, tuple("ade"), False)


def test_the_next_leader_leaves_a_joint_configuration() -> None:
    cluster, leader = settled("a", "b", "c", "d", "e", config=simple(THREE, [listen("d"), listen("e")]))
    change(leader, remove("b"), remove("c"), add("d"), add("e"))
    transfer(leader, "d")
    cluster.run()
    assert (cluster.raft("d").role, cluster.raft("d").config.outgoing) == (LEADER, ())
    assert cluster.raft("d").config_index == cluster.raft("d").commit


def test_reads_go_on_meanwhile() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("b")
    transfer(leader, "b")
    leader.read(7)
    cluster.run()
    assert leader.reads == [(7, 2)]


# how it ends


def test_a_transfer_that_fails_is_given_up_after_an_election_timeout() -> None:
    """Never given up, the transfer to a dead server left a leader that refused all proposals for ever."""
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("b")
    transfer(leader, "b")
    end = cluster.time.now + SETTINGS.election_timeout_max_s
    while cluster.time.now + SETTINGS.heartbeat_interval_s < end:
        cluster.beat("a")
        assert proposal_is_refused(leader)
    cluster.beat("a")
    cluster.beat("a")
    assert (leader.raft.role, leader.raft.term, leader.raft.transfer_target) == (LEADER, 1, None)
    assert not proposal_is_refused(leader)
    assert leader.raft.open_to_change
    cluster.run()
    leader.take()
    cluster.beat("a")
    assert told(leader) == []
    assert transfer(leader, "c") == "c"
    cluster.run()
    assert cluster.raft("c").role == LEADER


def test_leadership_lost_ends_it_and_the_next_time_is_a_new_one() -> None:
    cluster, leader = settled("a", "b", "c")
    transfer(leader, "b")
    cluster.run()
    assert (leader.raft.role, leader.raft.transfer_target) == (FOLLOWER, None)
    cluster.elect("a")
    assert not proposal_is_refused(leader)
