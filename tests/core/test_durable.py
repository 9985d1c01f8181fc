"""What is durable (core/durable.py): which write says what, and what becomes of a leader whose disk stalls."""

from __future__ import annotations

import pytest

from raftsim.core.durable import Durable
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, AppendReply
from raftsim.core.output import FOLLOWER, LEADER
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host
from tests.core.members import settled

SETTINGS = Settings()
H0, H1, H2 = HardState(0), HardState(1), HardState(2, "b")

Step = tuple[str, int] | tuple[str, int, HardState]

STEPS = [  # from a log of 3 entries; begin (a write after which the log ends there), finished, cut -> (index, hard)
    ([], (3, H0)),
    ([("begin", 5, H1)], (3, H0)),  # on its way says nothing
    ([("begin", 5, H1), ("finished", 1)], (5, H1)),
    ([("begin", 5, H1), ("begin", 7, H2), ("finished", 1)], (5, H1)),
    ([("begin", 5, H1), ("begin", 7, H2), ("finished", 2)], (7, H2)),  # one report stands for all before it
    ([("begin", 5, H1), ("begin", 7, H2), ("finished", 1), ("finished", 2)], (7, H2)),
    ([("cut", 1)], (1, H0)),
    ([("cut", 9)], (3, H0)),
    ([("begin", 5, H1), ("cut", 2), ("finished", 1)], (2, H1)),  # what was replaced is not vouched for
    ([("begin", 5, H1), ("cut", 4), ("finished", 1)], (4, H1)),
    ([("begin", 5, H1), ("cut", 2), ("begin", 5, H2), ("finished", 1)], (2, H1)),
    ([("begin", 5, H1), ("cut", 2), ("begin", 5, H2), ("finished", 2)], (5, H2)),
    ([("begin", 5, H1), ("finished", 1), ("cut", 4)], (4, H1)),
    ([("begin", 2, H1), ("finished", 1)], (3, H1)),  # of the vote record only: the log is no less durable
    ([("begin", 5, H1), ("begin", 6, H1), ("cut", 3), ("begin", 4, H1), ("finished", 2)], (3, H1)),
    ([("begin", 5, H1), ("begin", 6, H1), ("cut", 3), ("begin", 4, H1), ("finished", 3)], (4, H1)),
]


@pytest.mark.parametrize(("steps", "state"), STEPS)
def test_what_is_durable(steps: list[Step], state: tuple[int, HardState]) -> None:
    durable = Durable(H0, 3)
    for step in steps:
        if len(step) == 3:
            durable.begin(step[2], step[1], 0.0)
        else:
            getattr(durable, step[0])(step[1])
    assert (durable.index, durable.hard) == state


def test_writes_are_numbered_and_the_last_one_says_what_was_written() -> None:
    durable = Durable(H0, 3)
    assert durable.written == H0
    assert [durable.begin(H1, 4, 0.0), durable.begin(H2, 4, 0.0)] == [1, 2]
    assert (durable.written, durable.hard, durable.last_seq) == (H2, H0, 2)
    durable.finished(2)
    assert (durable.written, durable.hard, durable.begin(H2, 4, 0.0)) == (H2, H2, 3)


@pytest.mark.parametrize("seq", [0, 3, 7])
def test_the_disk_reports_what_it_was_given_and_nothing_else(seq: int) -> None:
    durable = Durable(H0, 3)
    with pytest.raises(AssertionError):
        durable.finished(seq)
    durable.begin(H1, 4, 0.0)
    durable.begin(H1, 5, 0.0)
    with pytest.raises(AssertionError):
        durable.finished(seq)


STALLS = [  # writes begun at, the last finished, now -> for how long the disk has not come to an end
    ([], 0, 9.0, 0.0),
    ([1.0], 0, 3.0, 2.0),
    ([1.0, 2.0], 0, 3.0, 2.0),
    ([1.0, 2.0], 1, 3.0, 1.0),
    ([1.0, 2.0], 2, 3.0, 0.0),
]


@pytest.mark.parametrize(("begun", "finished", "now", "stalled"), STALLS)
def test_how_long_the_disk_has_stalled(begun: list[float], finished: int, now: float, stalled: float) -> None:
    durable = Durable(H0, 3)
    for since in begun:
        durable.begin(H0, 4, since)
    if finished:
        durable.finished(finished)
    assert durable.stalled(now) == stalled


# a leader whose disk stalls


def leading(settings: Settings | None = None) -> tuple[Cluster, Host]:
    cluster, leader = settled("a", "b", "c", settings=settings)
    leader.slow_disk = True
    return cluster, leader


def beat_for(cluster: Cluster, leader: Host, seconds: float) -> None:
    """Its followers answer every heartbeat."""
    end = cluster.time.now + seconds
    while leader.raft.role == LEADER and leader.raft.deadline <= end:
        cluster.beat("a")
    cluster.time.now = end


def test_a_leader_whose_disk_stalls_longer_than_an_election_timeout_resigns() -> None:
    """Its heartbeats went on, so that nobody replaced a leader that could not write a thing."""
    cluster, leader = leading()
    leader.propose(b"x")
    beat_for(cluster, leader, SETTINGS.election_timeout_max_s)
    assert leader.raft.role == LEADER
    beat_for(cluster, leader, 2 * SETTINGS.heartbeat_interval_s)
    assert (leader.raft.role, leader.raft.leader, leader.raft.term) == (FOLLOWER, None, 1)
    assert leader.raft.commit == 2  # though both followers hold the entry: what it commits its own disk holds, too
    cluster.run()
    cluster["b"].time_out()
    cluster.run()
    assert cluster.raft("b").role == LEADER
    assert cluster["b"].state == [b"x"]


def test_a_disk_that_is_slow_but_comes_to_an_end_is_no_stall() -> None:
    cluster, leader = leading()
    for number in range(8):
        leader.propose(b"%d" % number)
        beat_for(cluster, leader, SETTINGS.election_timeout_max_s * 0.9)
        leader.sync()
    assert (leader.raft.role, leader.raft.commit) == (LEADER, 10)


def test_a_leader_with_nothing_to_write_does_not_resign() -> None:
    cluster, leader = leading()
    beat_for(cluster, leader, 5 * SETTINGS.election_timeout_max_s)
    assert leader.raft.role == LEADER


def test_a_leader_that_does_not_check_its_quorum_stays() -> None:
    cluster, leader = leading(Settings(check_quorum=False))
    leader.propose(b"x")
    beat_for(cluster, leader, 5 * SETTINGS.election_timeout_max_s)
    assert leader.raft.role == LEADER
    leader.sync()
    assert leader.raft.commit == 3


def test_what_a_stalled_follower_holds_does_not_count() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("c")
    cluster["b"].slow_disk = True
    leader.propose(b"x")
    leader.time_out()
    cluster.deliver(lambda message: isinstance(message, Append))
    assert cluster["b"].took(AppendReply) == []
    assert leader.raft.commit == 2
    cluster["b"].sync()
    cluster.run()
    assert leader.raft.commit == 3


def test_a_vote_record_that_is_equal_to_the_written_one_leads_to_nothing() -> None:
    host = Cluster(*"abc")["b"]
    host.turn()
    host.raft.hard = HardState(host.raft.hard.term, host.raft.hard.vote, host.raft.hard.founder)
    assert host.raft.drain(host.time.now) is None
