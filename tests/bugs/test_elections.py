"""Votes and elections, seen from the core: the moments in which known bugs would show."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from random import Random
from unittest.mock import patch as temporarily

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.errors import Rejected
from raftsim.core.messages import Append, Vote, VoteReply
from raftsim.core.output import CANDIDATE, LEADER
from raftsim.core.settings import Settings
from raftsim.storage.errors import StorageError
from raftsim.storage.segment import Segment
from tests.core.harness import PLAIN, Cluster, Host, log_of
from tests.sim.scenes import disk_of_the_leader_stalls
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import open_wal, reopened, vote


def test_b02_power_cut_within_the_record_of_a_vote() -> None:
    for surviving in range(3):
        disk = CrashDisk()
        wal = open_wal(disk)
        wal.append([vote(1, "a")])
        with temporarily.object(Segment, "append", only(surviving)), suppress(StorageError):
            wal.append([vote(2, "b")])
        disk.crash(Random(0))
        assert reopened(disk)[0].hard in (HardState(1, "a"), HardState(2, "b"))


def only(count: int) -> Callable[[Segment, bytes], None]:
    """The first `count` frames reach the disk."""
    append, left = Segment.append, iter(range(count))

    def cut(segment: Segment, payload: bytes) -> None:
        if next(left, None) is None:
            raise OSError(errno.EIO, "the power is gone")
        append(segment, payload)

    return cut


def test_b03_a_grant_that_the_network_doubles() -> None:
    cluster = Cluster(*"abcde", settings=PLAIN)
    cluster["a"].time_out()
    cluster.deliver(lambda message: message.dst == "b")
    (grant,) = [message for message in cluster.collect() if isinstance(message, VoteReply)]
    cluster["a"].receive(grant, grant)
    assert cluster.raft("a").role == CANDIDATE


def test_b04_a_grant_of_the_last_term_comes_late() -> None:
    cluster = Cluster(*"abc", settings=PLAIN)
    cluster["a"].time_out()
    cluster.deliver(lambda message: message.dst == "b")
    (late,) = [message for message in cluster.collect() if isinstance(message, VoteReply)]
    cluster["a"].time_out()
    assert cluster.raft("a").term == 2
    cluster["a"].receive(late)
    assert cluster.raft("a").role == CANDIDATE


def test_b09_what_says_nothing_of_a_leader_arrives() -> None:
    host = Host("b", log_of(of("a", "b", "c"), 1, 1), hard=HardState(3), settings=PLAIN)
    deadline = host.raft.election_deadline
    host.time.now += 0.1
    host.receive(Append(2, "a", "b", 1, 0, [], 0, 0))  # of a term that is over
    host.receive(Vote(4, "c", "b", 1, 0, pre=False, force=False))  # its log is shorter: refused
    assert host.raft.vote is None
    assert host.raft.election_deadline == deadline


def test_b12_the_longer_log_has_the_lower_term() -> None:
    """c is dead; b can never win, so a must learn of b's term."""
    cluster = Cluster(*"abc", logs={"a": [1, 1], "b": [1], "c": [1]}, term=1)
    cluster.down.add("c")
    cluster.raft("b").set_hard(5, None)
    cluster["b"].turn()
    for _ in range(10):
        for id in "ab":
            cluster["a"].time.now += 1.0
            cluster[id].time_out()
            cluster.run()
            if cluster.raft("a").role == LEADER:
                return
    raise AssertionError("nobody is elected")


def test_b13_the_leader_dies() -> None:
    cluster = Cluster(*"abc")
    cluster.elect("a")
    cluster.down.add("a")
    for _ in range(10):
        for id in "bc":
            cluster[id].time_out()
            cluster.run()
            if LEADER in (cluster.raft("b").role, cluster.raft("c").role):
                return
    raise AssertionError("nobody is elected")


def test_b15_a_server_that_was_removed_campaigns() -> None:
    cluster = Cluster(*"abc")
    cluster.elect("a")
    cluster["b"].receive(Vote(9, "d", "b", 99, 9, pre=False, force=False))
    assert cluster.raft("b").term == cluster.raft("a").term


def test_b16_a_leader_that_does_not_check_its_quorum_is_cut_off() -> None:
    """It keeps a server loyal that could elect another one: it must stay deposable itself."""
    cluster = Cluster(*"abcde", settings=Settings(check_quorum=False))
    cluster.elect("a")
    last = cluster.raft("a").log.last_index
    cluster["a"].receive(Vote(9, "b", "a", last + 1, 8, pre=False, force=False))
    assert cluster.raft("a").role != LEADER


def test_b17_the_disk_of_a_leader_hangs() -> None:
    disk_of_the_leader_stalls()


def test_b21_transfer_to_a_server_that_died() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    cluster.down.add("b")
    leader.raft.transfer("b", leader.time.now)
    for _ in range(30):
        cluster.beat("a")
    try:
        leader.propose(b"x")
    except Rejected as rejected:
        raise AssertionError("proposals are refused for ever") from rejected


def test_b72_a_candidate_asks_while_its_disk_is_slow() -> None:
    host = Host("a", log_of(of("a", "b", "c"), 1), settings=PLAIN, slow_disk=True)
    host.time_out()
    assert host.took(Vote) == []
    host.sync()
    assert len(host.took(Vote)) == 2
