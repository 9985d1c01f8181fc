"""Section 6: a configuration is in force from when it is in the log; one change at a time, after the gate of 2015."""

from __future__ import annotations

import pytest

from raftsim.core.config import LEARNER, Change, of, simple
from raftsim.core.entry import CONFIG, Entry
from raftsim.core.errors import CHANGE_IN_FLIGHT, INVALID_CHANGE, NO_OWN_COMMIT, NotLeader
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import FOLLOWER, LEADER, ConfigChanged
from tests.core.harness import Cluster, Host, log_of, terms_of
from tests.core.members import add, change, listen, rejection, remove, settled

THREE = of("a", "b", "c")
FOUR = simple(THREE, [listen("d")])


# what is refused


def test_no_change_before_an_entry_of_the_own_term_is_committed() -> None:
    """S1 appends a change in term 1, S2 another in term 2, S1 comes back: each change looks safe to its leader, and
    their majorities do not meet; so a leader first commits an entry of its own."""
    cluster = Cluster("a", "b", "c", "d")
    cluster.elect("a")
    cluster.beat("a")
    cluster["b"].time_out()
    while cluster.raft("b").role != LEADER:
        assert cluster.deliver()
    assert cluster.raft("b").commit == 2
    assert rejection(cluster["b"], remove("a")) == NO_OWN_COMMIT
    cluster.run()
    assert cluster.raft("b").ready
    assert change(cluster["b"], remove("a")) == 4


def test_one_change_at_a_time() -> None:
    """Two uncommitted changes of one voter each are one of two voters, and that one needs joint consensus."""
    cluster, leader = settled("a", "b", "c")
    change(leader, remove("c"))
    assert rejection(leader, remove("b")) == CHANGE_IN_FLIGHT
    cluster.run()
    change(leader, remove("b"))
    assert leader.raft.config.voters == ("a",)


def test_what_the_algebra_refuses_and_who_is_asked() -> None:
    cluster, leader = settled("a", "b", "c")
    assert rejection(leader, Change(LEARNER, "d")) == INVALID_CHANGE  # no address
    assert rejection(leader, Change("promote", "b")) == INVALID_CHANGE
    assert rejection(leader, remove("a"), remove("b"), remove("c")) == INVALID_CHANGE
    for nothing in ([], [add("b")], [remove("d")], [remove("b"), add("b")]):
        assert rejection(leader, *nothing) == INVALID_CHANGE
    with pytest.raises(NotLeader):
        change(cluster["b"], add("d"))
    _, alone = settled("a")
    assert rejection(alone, remove("a")) == INVALID_CHANGE


# in force when appended


def test_a_configuration_counts_from_its_own_entry_on() -> None:
    """Switched when applied, one server went on counting the old majority while another counted the new."""
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    cluster.down.add("c")
    index = change(leader, add("d"))
    assert leader.raft.config.voters == ("a", "b", "c", "d")
    leader.receive(AppendReply(1, "b", "a", ok=True, index=index))
    assert leader.raft.commit == index - 1  # two of four
    leader.receive(AppendReply(1, "d", "a", ok=True, index=index))
    assert leader.raft.commit == index


def test_a_follower_uses_a_configuration_from_the_moment_it_has_it() -> None:
    host = Host("b", log_of(THREE))
    host.receive(Append(1, "a", "b", 1, 0, [Entry(1, CONFIG, FOUR)], 0, 1))
    assert (host.raft.config, host.raft.config_index, host.raft.commit) == (FOUR, 2, 0)
    assert host.events[-1] == ConfigChanged(2, FOUR)


def test_a_new_server_gets_the_whole_log_and_then_votes() -> None:
    cluster, leader = settled("a", "b", "c", "d", config=THREE)
    change(leader, listen("d"))
    cluster.run()
    change(leader, add("d"))
    cluster.run()
    cluster.beat("a")
    assert cluster.raft("d").log.slice(0, 9) == leader.raft.log.slice(0, 9)
    cluster.down.add("a")
    cluster.elect("d")


def test_a_learner_gets_the_log_but_does_not_count() -> None:
    cluster, leader = settled("a", "b", "c", "d", config=THREE)
    change(leader, listen("d"))
    cluster.run()
    cluster.down = {"b", "c"}
    leader.propose(b"x")
    cluster.run()
    assert terms_of(cluster.raft("d")) == terms_of(leader.raft)
    assert leader.raft.commit == 3


def test_a_restart_takes_the_configuration_from_the_log() -> None:
    """A server that rebuilt its membership from its start-up list formed a quorum with servers removed long ago."""
    cluster, leader = settled("a", "b", "c")
    change(leader, remove("c"))
    cluster.run()
    cluster["b"].restart()
    assert cluster.raft("b").config.voters == ("a", "b")
    assert (cluster.raft("b").config_index, cluster.raft("b").commit) == (3, 0)


# leaving


def test_a_leader_that_is_removed_does_not_count_itself_and_leaves_at_the_commit() -> None:
    """Counting itself, a removed leader of two committed its own removal with nobody else holding it."""
    cluster, leader = settled("a", "b", "c")
    index = change(leader, remove("a"))
    assert (leader.raft.role, leader.raft.commit) == (LEADER, index - 1)
    leader.receive(AppendReply(1, "b", "a", ok=True, index=index))
    assert leader.raft.commit == index - 1  # b alone is no majority of b and c
    leader.take()
    leader.receive(AppendReply(1, "c", "a", ok=True, index=index))
    assert (leader.raft.commit, leader.raft.role, leader.raft.leader) == (index, FOLLOWER, None)
    assert {(message.dst, message.commit) for message in leader.took(Append)} == {("b", index), ("c", index)}
    for _ in range(3):
        leader.time_out()
    assert (leader.raft.role, leader.take()) == (FOLLOWER, [])
    assert cluster.raft("b").term == 1


def test_of_two_the_leader_can_be_removed() -> None:
    cluster, leader = settled("a", "b")
    change(leader, remove("a"))
    cluster.run()
    assert leader.raft.role == FOLLOWER
    assert cluster.raft("b").commit == 3
    cluster.elect("b")
    assert cluster.raft("b").commit == 4


def test_a_leader_that_alone_holds_its_removal_may_stand_once_more() -> None:
    """Of two servers the one to be removed held the only copy of its removal: silent because it was no voter any more,
    it left the other waiting for a vote for ever."""
    cluster, leader = settled("a", "b")
    change(leader, remove("a"))
    leader.restart()
    cluster["b"].restart()
    for _ in range(3):
        cluster["b"].time_out()
        cluster.run()
    assert cluster.raft("b").role != LEADER
    cluster.time.now += 1.0
    leader.time_out()
    cluster.run()
    assert (leader.raft.role, leader.raft.config.voters) == (FOLLOWER, ("b",))
    assert cluster.raft("b").commit == leader.raft.commit == 4
    cluster.elect("b")


def test_a_server_that_is_removed_hears_of_it() -> None:
    cluster, leader = settled("a", "b", "c")
    index = change(leader, remove("c"))
    cluster.run()
    assert (cluster.raft("c").commit, cluster.raft("c").config.voters) == (index, ("a", "b"))
    assert "c" not in leader.raft.progress
    leader.propose(b"x")
    cluster.run()
    assert cluster.raft("c").log.last_index == index


def test_a_removed_server_that_never_heard_of_it_disturbs_nobody() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("c")
    change(leader, remove("c"))
    cluster.run()
    cluster.down.clear()
    for _ in range(10):
        cluster.beat("a")
        cluster["c"].wake()
        cluster.run()
    assert (leader.raft.role, leader.raft.term) == (LEADER, 1)


# check-quorum and new servers


def test_a_new_server_has_the_benefit_of_the_doubt() -> None:
    """Taken for silent from its first moment, a server that was just added made its leader resign at once."""
    cluster, leader = settled("a", "b", config=of("a"))
    for _ in range(30):
        leader.time_out()
    change(leader, listen("b"))
    cluster.run()
    change(leader, add("b"))
    added = leader.time.now
    while leader.raft.role == LEADER:
        leader.time_out()
    assert leader.time.now > added + leader.settings.election_timeout_max_s
