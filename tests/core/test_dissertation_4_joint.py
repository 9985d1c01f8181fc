"""Dissertation 4.3: several votes at once move through a joint configuration, which is left by itself."""

from __future__ import annotations

import pytest

from raftsim.core.config import Config, enter_joint, leave_joint, of, simple
from raftsim.core.entry import CONFIG, Entry, HardState
from raftsim.core.errors import CHANGE_IN_FLIGHT
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, log_of, terms_of
from tests.core.members import add, change, listen, rejection, remove, settled

THREE = of("a", "b", "c")
FOUR = simple(THREE, [listen("d")])
SETTINGS = Settings()


def replacing() -> tuple[Cluster, Host, int]:
    """b and c are about to be replaced by d and e: the joint configuration is in the log of `a`."""
    cluster, leader = settled("a", "b", "c", "d", "e", config=simple(FOUR, [listen("e")]))
    index = change(leader, remove("b"), remove("c"), add("d"), add("e"))
    return cluster, leader, index


def test_several_are_replaced_at_once_and_the_joint_configuration_is_left_by_itself() -> None:
    cluster, leader, index = replacing()
    joint = leader.raft.config
    assert (joint.voters, joint.outgoing, joint.auto_leave) == (tuple("ade"), tuple("abc"), True)
    cluster.run()
    cluster.beat("a")
    for id in "ade":
        assert (cluster.raft(id).config, cluster.raft(id).config_index) == (leave_joint(joint), index + 1)
        assert cluster.raft(id).commit == index + 1
    for id in "bc":
        assert id not in leader.raft.config.members()
    assert leader.raft.open_to_change


SIZES = [  # of a b c with the non-voter d: changes -> whether it takes a joint configuration
    ([remove("b")], False),
    ([add("d")], False),
    ([listen("b")], False),
    ([listen("e")], False),
    ([listen("e"), remove("d")], False),
    ([listen("e"), remove("b")], False),
    ([add("d"), remove("b")], True),
    ([remove("b"), remove("c")], True),
    ([listen("b"), add("d")], True),
    ([remove("b"), remove("c"), remove("d")], True),
]


@pytest.mark.parametrize(("changes", "joint"), SIZES)
def test_a_change_of_more_than_one_vote_is_joint(changes: list[object], joint: bool) -> None:
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    cluster.beat("a")
    change(leader, *changes)  # type: ignore[arg-type]
    assert leader.raft.config.joint is joint
    cluster.run()
    assert (leader.raft.config.joint, leader.raft.open_to_change) == (False, True)


HALVES = [  # who holds the joint configuration beside `a` -> whether it is committed
    ("", False),
    ("d", False),
    ("de", False),
    ("bc", False),
    ("b", False),
    ("bd", True),
    ("ce", True),
]


@pytest.mark.parametrize(("holders", "committed"), HALVES)
def test_a_joint_configuration_is_committed_by_both_halves(holders: str, committed: bool) -> None:
    """With the new half counted alone, the old one could go on without knowing of it."""
    _, leader, index = replacing()
    for id in holders:
        leader.receive(AppendReply(1, id, "a", ok=True, index=index))
    assert (leader.raft.commit >= index) is committed
    assert leader.raft.config.joint is not committed


def test_the_new_half_alone_commits_that_it_was_left() -> None:
    _, leader, index = replacing()
    for id in "bd":
        leader.receive(AppendReply(1, id, "a", ok=True, index=index))
    assert rejection(leader, listen("f")) == CHANGE_IN_FLIGHT
    for id in "bc":
        leader.receive(AppendReply(1, id, "a", ok=True, index=index + 1))
    assert leader.raft.commit == index
    leader.receive(AppendReply(1, "e", "a", ok=True, index=index + 1))
    assert (leader.raft.commit, leader.raft.open_to_change) == (index + 1, True)


def test_outgoing_voters_that_are_demoted_listen_in_the_end() -> None:
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    change(leader, listen("b"), add("d"))
    assert (leader.raft.config.learners, leader.raft.config.learners_next) == ((), ("b",))
    cluster.run()
    assert (leader.raft.config.voters, leader.raft.config.learners) == (("a", "c", "d"), ("b",))


def test_a_leader_that_is_replaced_leads_until_that_is_committed_and_then_steps_down() -> None:
    _, leader = settled("a", "b", "c", "d", "e", config=simple(FOUR, [listen("e")]))
    index = change(leader, remove("a"), remove("b"), add("d"), add("e"))
    for id in "bd":
        leader.receive(AppendReply(1, id, "a", ok=True, index=index))
    assert (leader.raft.commit, leader.raft.role) == (index - 1, LEADER)  # d alone is no majority of c, d and e
    leader.receive(AppendReply(1, "c", "a", ok=True, index=index))
    assert (leader.raft.commit, leader.raft.role, leader.raft.config.voters) == (index, LEADER, tuple("cde"))
    leader.receive(AppendReply(1, "c", "a", ok=True, index=index + 1))
    assert leader.raft.commit == index  # it does not count itself
    leader.take()
    leader.receive(AppendReply(1, "e", "a", ok=True, index=index + 1))
    assert (leader.raft.commit, leader.raft.role) == (index + 1, FOLLOWER)
    assert {message.dst for message in leader.took(Append) if message.commit == index + 1} == set("bcde")


def test_a_leader_that_was_replaced_leaves_a_cluster_that_elects() -> None:
    cluster, leader = settled("a", "b", "c", "d", "e", config=simple(FOUR, [listen("e")]))
    change(leader, remove("a"), remove("b"), add("d"), add("e"))
    cluster.run()
    assert leader.raft.role == FOLLOWER
    cluster.down = {"a", "b"}
    assert cluster.elect("d").raft.config.voters == tuple("cde")


# interrupted


def test_a_new_leader_finishes_a_change_that_it_finds_half_done() -> None:
    """The old leader had committed the joint configuration and died; nobody left it, and no change could begin."""
    cluster, leader, index = replacing()
    cluster.deliver()
    cluster.deliver()
    assert (leader.raft.commit, leader.raft.config.joint) == (index, False)
    cluster.net.clear()
    leader.take()
    cluster.down.add("a")
    new = cluster.elect("d")
    assert (new.raft.config.joint, new.raft.config_index) == (False, index + 2)
    assert (new.raft.commit, new.raft.open_to_change) == (index + 2, True)


@pytest.mark.parametrize("voter", ["b", "d"])
def test_a_restart_in_the_middle_goes_on_in_the_middle(voter: str) -> None:
    cluster, _, index = replacing()
    cluster.deliver()
    for id in "abcde":
        cluster[id].restart()
        assert (cluster.raft(id).config.joint, cluster.raft(id).config_index) == (True, index)
    cluster.net.clear()
    cluster.time.now += SETTINGS.election_timeout_max_s
    cluster[voter].time_out()
    cluster.run()
    cluster[voter].wake()
    cluster.run()
    for id in "ade":
        raft = cluster.raft(id)
        assert (raft.term, raft.config.voters, raft.config.joint, raft.commit) == (2, tuple("ade"), False, index + 2)
    assert cluster.raft(voter).role == (LEADER if voter == "d" else FOLLOWER)  # b has left


def test_a_joint_configuration_that_is_cut_off_is_in_force_no_more() -> None:
    joint = enter_joint(FOUR, [add("d"), remove("b")])
    left = leave_joint(joint)
    for entries, back, config in (
        ([joint], 1, FOUR),
        ([joint, left], 1, FOUR),
        ([joint, left], 2, joint),
    ):
        log = [*log_of(FOUR), *[Entry(1, CONFIG, each) for each in entries]]
        host = Host("c", log, hard=HardState(1))
        assert host.raft.config == entries[-1]
        host.receive(Append(2, "d", "c", back, 0 if back == 1 else 1, [Entry(2, 0)], 0, 1))
        assert (host.raft.config, terms_of(host.raft)[-1]) == (config, 2)


def test_a_joint_configuration_is_left_only_by_who_leads() -> None:
    joint = enter_joint(FOUR, [add("d"), remove("b")])
    host = Host("c", log_of(FOUR))
    host.receive(Append(1, "a", "c", 1, 0, [Entry(1, CONFIG, joint)], 2, 1))
    assert (host.raft.commit, host.raft.config, host.raft.log.last_index) == (2, joint, 2)
    assert isinstance(host.raft.log.slice(1, 2)[0].data, Config)
