"""Dissertation 4: members come as non-voters, get their vote when they have caught up, and leave with notice."""

from __future__ import annotations

import pytest

from raftsim.core.config import of, simple
from raftsim.core.errors import LAGGING
from raftsim.core.messages import AppendReply
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host
from tests.core.members import add, change, listen, rejected, rejection, remove, settled

THREE = of("a", "b", "c")
FOUR = simple(THREE, [listen("d")])
SETTINGS = Settings()


def joined(**blocked: bool) -> tuple[Cluster, Host]:
    """`d` has just been added as a non-voter; it has not been heard yet."""
    cluster, leader = settled("a", "b", "c", "d", config=THREE)
    if blocked:
        cluster.down.add("d")
    change(leader, listen("d"))
    return cluster, leader


def beats(cluster: Cluster, seconds: float) -> None:
    end = cluster.time.now + seconds
    while cluster.time.now < end:
        cluster.beat("a")


# catching up


def test_a_stranger_gets_no_vote() -> None:
    _, leader = settled("a", "b", "c")
    refusal = rejected(leader, add("d"))
    assert (refusal.reason, refusal.detail) == (LAGGING, "d is not a non-voter yet")


def test_a_non_voter_that_has_caught_up_gets_its_vote() -> None:
    cluster, leader = joined()
    cluster.run()
    index = change(leader, add("d"))
    assert (leader.raft.config.voters, leader.raft.config.learners) == (("a", "b", "c", "d"), ())
    cluster.run()
    assert leader.raft.commit == index
    cluster.down.add("a")
    cluster.elect("d")


def test_a_non_voter_that_was_never_heard_gets_no_vote() -> None:
    cluster, leader = joined(blocked=True)
    cluster.run()
    refusal = rejected(leader, add("d"))
    assert refusal.reason == LAGGING
    assert refusal.detail.startswith("d is 3 entries behind")


def test_a_non_voter_that_falls_silent_gets_no_vote() -> None:
    """Given a vote, a server that was gone already made the majority larger and the cluster stand still."""
    cluster, leader = joined()
    cluster.run()
    cluster.down.add("d")
    beats(cluster, 1.5 * SETTINGS.election_timeout_max_s)
    refusal = rejected(leader, add("d"))
    assert refusal.reason == LAGGING
    assert "was last heard 1." in refusal.detail
    cluster.down.clear()
    beats(cluster, 3 * SETTINGS.heartbeat_interval_s)
    change(leader, add("d"))


def test_delayed_answers_are_no_sign_of_life() -> None:
    """Two answers that had waited in the network looked like a round, and a short one."""
    cluster, leader = joined()
    cluster.run()
    cluster.down.add("d")
    old = leader.raft.round
    beats(cluster, 1.5 * SETTINGS.election_timeout_max_s)
    for _ in range(3):
        leader.receive(AppendReply(1, "d", "a", ok=True, index=leader.raft.progress["d"].match, round=old))
    assert leader.raft.progress["d"].caught_up
    assert rejection(leader, add("d")) == LAGGING


def test_who_comes_back_far_behind_gets_no_vote_at_its_first_word() -> None:
    """It had caught up once, and that counted: a word from it was enough to give it a vote a whole log behind."""
    cluster, leader = joined()
    cluster.run()
    cluster.blocked = {("a", "d")}
    end = cluster.time.now + SETTINGS.election_timeout_max_s
    while cluster.time.now < end:
        leader.propose(b"x")
        cluster.beat("a")
    cluster.blocked.clear()
    leader.time_out()
    cluster.collect()
    cluster.deliver(lambda message: message.dst == "d")
    cluster.collect()
    cluster.deliver(lambda message: message.src == "d")  # it refuses, being behind, but it is heard
    assert leader.raft.progress["d"].contact == cluster.time.now
    assert rejection(leader, add("d")) == LAGGING
    cluster.run()
    beats(cluster, 3 * SETTINGS.heartbeat_interval_s)
    change(leader, add("d"))


ROUNDS = [  # how long each round took, in election timeouts -> whether a vote may be given after it
    ([0.9], True),
    ([1.1], False),
    ([1.1, 0.9], True),
    ([0.9, 1.1], False),
    ([5.0, 3.0, 2.0, 1.1], False),
    ([5.0, 3.0, 2.0, 1.1, 0.9], True),
]


@pytest.mark.parametrize(("rounds", "given"), ROUNDS)
def test_a_vote_is_given_after_a_short_round(rounds: list[float], given: bool) -> None:
    """A round brings over what the log held when it began; only one that took less than an election timeout says that
    what is left will not take longer either."""
    cluster, leader = joined(blocked=True)
    cluster.run()
    for number, length in enumerate(rounds):
        goal = leader.raft.log.last_index
        leader.propose(b"%d" % number)  # the log goes on growing: of the next round
        cluster.run()
        began = cluster.time.now
        while cluster.time.now < began + length * SETTINGS.election_timeout_min_s - SETTINGS.heartbeat_interval_s:
            cluster.beat("a")
            leader.receive(reply(leader, leader.raft.progress["d"].match))  # it answers, but does not get on
        cluster.time.now = began + length * SETTINGS.election_timeout_min_s
        leader.receive(reply(leader, goal))
    if given:
        change(leader, add("d"))
    else:
        assert rejection(leader, add("d")) == LAGGING


def reply(leader: Host, index: int) -> AppendReply:
    return AppendReply(1, "d", "a", ok=True, index=index, round=leader.raft.round)


def test_a_new_leader_judges_anew_who_has_caught_up() -> None:
    cluster, _ = joined()
    cluster.run()
    cluster.beat("a")
    cluster.down = {"a", "d"}
    leader = cluster.elect("b")
    assert rejection(leader, add("d")) == LAGGING
    cluster.down = {"a"}
    cluster.beat("b")
    change(leader, add("d"))


def test_one_that_lags_keeps_a_whole_change_from_happening() -> None:
    cluster, leader = settled("a", "b", "c", "d", "e", config=simple(FOUR, [listen("e")]))
    cluster.down.add("e")
    beats(cluster, 1.5 * SETTINGS.election_timeout_max_s)
    refusal = rejected(leader, add("d"), add("e"), remove("b"))
    assert (refusal.reason, refusal.detail[0]) == (LAGGING, "e")


def test_a_voter_needs_not_catch_up_to_stay_one() -> None:
    """Named again in a change of others, a voter that is down is no obstacle."""
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("c")
    beats(cluster, 1.5 * SETTINGS.election_timeout_max_s)
    change(leader, add("c"), listen("b"))
    assert leader.raft.config.voters == ("a", "c")


# leaving


def test_a_leader_leads_on_while_its_removal_is_not_committed() -> None:
    _, leader = settled("a", "b", "c")
    leader.raft.propose(b"x")
    index = change(leader, remove("a"))
    for id in "bc":
        leader.receive(AppendReply(1, id, "a", ok=True, index=index - 1))
    assert (leader.raft.commit, leader.raft.role) == (index - 1, LEADER)


def test_a_voter_becomes_a_non_voter_and_goes_on_listening() -> None:
    cluster, leader = settled("a", "b", "c")
    index = change(leader, listen("c"))
    assert (leader.raft.config.voters, leader.raft.config.learners) == (("a", "b"), ("c",))
    cluster.run()
    leader.propose(b"x")
    cluster.run()
    cluster.beat("a")
    assert (leader.raft.commit, cluster["c"].state, cluster.raft("c").config_index) == (index + 1, [b"x"], index)
    for _ in range(3):
        cluster["c"].time_out()
    assert cluster.raft("c").role == FOLLOWER


@pytest.mark.parametrize("id", ["c", "d"])
def test_who_is_removed_is_told_and_then_let_go(id: str) -> None:
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    index = change(leader, remove(id))
    assert id in leader.raft.progress
    cluster.run()
    assert id not in leader.raft.progress
    assert (cluster.raft(id).commit, id in cluster.raft(id).config.members()) == (index, False)
    leader.propose(b"x")
    cluster.run()
    assert cluster.raft(id).log.last_index == index


def test_a_leader_that_is_demoted_steps_down_and_listens() -> None:
    cluster, leader = settled("a", "b", "c")
    index = change(leader, listen("a"))
    assert leader.raft.role == LEADER
    cluster.run()
    assert (leader.raft.role, leader.raft.commit) == (FOLLOWER, index)
    cluster.elect("b").propose(b"x")
    cluster.run()
    cluster.beat("b")
    assert leader.state == [b"x"]
