"""Votes and elections: each bug shows in its scene when it is planted, and nothing shows without it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch as temporarily

from raftsim.core import election, transfer
from raftsim.core import raft as raft_module
from raftsim.core.config import of
from raftsim.core.durable import Durable
from raftsim.core.entry import HardState
from raftsim.core.errors import Rejected
from raftsim.core.messages import Append, Message, Vote, VoteReply
from raftsim.core.output import CANDIDATE, LEADER, PRE_CANDIDATE, Write
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.storage.errors import StorageError
from raftsim.storage.segment import Segment
from raftsim.storage.wal import Wal
from tests.bugs.bug import Bug, Patch
from tests.core.harness import PLAIN, Cluster, Host, log_of
from tests.sim.scenes import disk_of_the_leader_stalls
from tests.storage.crashdisk import CrashDisk
from tests.storage.helpers import open_wal, reopened, vote


def power_cut_within_the_record_of_a_vote() -> None:
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


def term_and_vote_written_apart(patch: Patch) -> None:
    append = Wal.append

    def twice(wal: Wal, writes: Sequence[Write]) -> None:
        for write in writes:
            if write.hard is not None and write.hard.term > 1:
                append(wal, [replace(write, hard=HardState(write.hard.term, "a"))])  # the vote is still the old one
            append(wal, [write])

    patch.setattr(Wal, "append", twice)


def a_grant_that_the_network_doubles() -> None:
    cluster = Cluster(*"abcde", settings=PLAIN)
    cluster["a"].time_out()
    cluster.deliver(lambda message: message.dst == "b")
    (grant,) = [message for message in cluster.collect() if isinstance(message, VoteReply)]
    cluster["a"].receive(grant, grant)
    assert cluster.raft("a").role == CANDIDATE


def replies_counted_not_voters(patch: Patch) -> None:
    def count(raft: Raft, message: VoteReply, now: float) -> None:
        if raft.is_current(message) and raft.role == CANDIDATE and message.granted:
            raft.votes[f"{message.src}/{len(raft.votes)}"] = True
            if len(raft.votes) > len(raft.config.voters) // 2:
                raft.lead(now)

    patch.setitem(raft_module.HANDLERS, VoteReply, count)


def a_grant_of_the_last_term_comes_late() -> None:
    cluster = Cluster(*"abc", settings=PLAIN)
    cluster["a"].time_out()
    cluster.deliver(lambda message: message.dst == "b")
    (late,) = [message for message in cluster.collect() if isinstance(message, VoteReply)]
    cluster["a"].time_out()
    assert cluster.raft("a").term == 2
    cluster["a"].receive(late)
    assert cluster.raft("a").role == CANDIDATE


def grants_of_an_older_term_counted(patch: Patch) -> None:
    def count(raft: Raft, message: VoteReply, now: float) -> None:
        raft.votes[message.src] = message.granted
        election._count(raft, now)

    patch.setitem(raft_module.HANDLERS, VoteReply, count)


def what_says_nothing_of_a_leader_arrives() -> None:
    host = Host("b", log_of(of("a", "b", "c"), 1, 1), hard=HardState(3), settings=PLAIN)
    deadline = host.raft.election_deadline
    host.time.now += 0.1
    host.receive(Append(2, "a", "b", 1, 0, [], 0, 0))  # of a term that is over
    host.receive(Vote(4, "c", "b", 1, 0, pre=False, force=False))  # its log is shorter: refused
    assert host.raft.vote is None
    assert host.raft.election_deadline == deadline


def timer_reset_by_any_message(patch: Patch) -> None:
    for kind in (Append, Vote):
        handler = raft_module.HANDLERS[kind]

        def chatty(raft: Raft, message: Any, now: float, handler: Any = handler) -> None:
            handler(raft, message, now)
            election.rest(raft, now)

        patch.setitem(raft_module.HANDLERS, kind, chatty)


def the_longer_log_has_the_lower_term() -> None:
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


def requests_of_a_lower_term_dropped(patch: Patch) -> None:
    def silent(raft: Raft, message: Vote, now: float) -> None:
        if message.term >= raft.term:
            election.on_vote(raft, message, now)

    patch.setitem(raft_module.HANDLERS, Vote, silent)


def the_leader_dies() -> None:
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


def leader_kept_by_a_pre_candidate(patch: Patch) -> None:
    become = Raft.become

    def loyal(raft: Raft, role: str, *, leader: str | None) -> None:
        become(raft, role, leader=leader or (raft.leader if role in (PRE_CANDIDATE, "follower") else None))

    patch.setattr(Raft, "become", loyal)
    patch.setattr(election, "_sticky", lambda raft, _: raft.leader is not None)


def a_server_that_was_removed_campaigns() -> None:
    cluster = Cluster(*"abc")
    cluster.elect("a")
    cluster["b"].receive(Vote(9, "d", "b", 99, 9, pre=False, force=False))
    assert cluster.raft("b").term == cluster.raft("a").term


def nobody_is_loyal(patch: Patch) -> None:
    patch.setattr(election, "_sticky", lambda *_: False)


def a_leader_that_does_not_check_its_quorum_is_cut_off() -> None:
    """It keeps a server loyal that could elect another one: it must stay deposable itself."""
    cluster = Cluster(*"abcde", settings=Settings(check_quorum=False))
    cluster.elect("a")
    last = cluster.raft("a").log.last_index
    cluster["a"].receive(Vote(9, "b", "a", last + 1, 8, pre=False, force=False))
    assert cluster.raft("a").role != LEADER


def a_leader_is_always_loyal_to_itself(patch: Patch) -> None:
    patch.setattr(election, "_sticky", lambda raft, _: raft.role == LEADER)


def the_disk_of_a_leader_hangs() -> None:
    disk_of_the_leader_stalls()


def a_write_never_hangs(patch: Patch) -> None:
    patch.setattr(Durable, "stalled", lambda *_: 0.0)


def transfer_to_a_server_that_died() -> None:
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


def transfer_never_given_up(patch: Patch) -> None:
    patch.setattr(transfer, "expire", lambda *_: None)


def a_candidate_asks_while_its_disk_is_slow() -> None:
    host = Host("a", log_of(of("a", "b", "c"), 1), settings=PLAIN, slow_disk=True)
    host.time_out()
    assert host.took(Vote) == []
    host.sync()
    assert len(host.took(Vote)) == 2


def votes_asked_for_before_the_term_is_durable(patch: Patch) -> None:
    promise = Raft.promise

    def hasty(raft: Raft, message: Message) -> None:
        (raft.send if isinstance(message, Vote) else lambda m: promise(raft, m))(message)

    patch.setattr(Raft, "promise", hasty)


BUGS = [
    Bug("B02", "term and vote written apart", power_cut_within_the_record_of_a_vote, term_and_vote_written_apart),
    Bug("B03", "replies counted, not voters", a_grant_that_the_network_doubles, replies_counted_not_voters),
    Bug("B04", "grants of an older term counted", a_grant_of_the_last_term_comes_late, grants_of_an_older_term_counted),
    Bug("B09", "timer reset by any message", what_says_nothing_of_a_leader_arrives, timer_reset_by_any_message),
    Bug("B12", "lower terms dropped silently", the_longer_log_has_the_lower_term, requests_of_a_lower_term_dropped),
    Bug("B13", "leader kept by a pre-candidate", the_leader_dies, leader_kept_by_a_pre_candidate),
    Bug("B15", "removed server disrupts", a_server_that_was_removed_campaigns, nobody_is_loyal),
    Bug(
        "B16",
        "leader without a quorum stays",
        a_leader_that_does_not_check_its_quorum_is_cut_off,
        a_leader_is_always_loyal_to_itself,
    ),
    Bug("B17", "leader with a stalled disk stays", the_disk_of_a_leader_hangs, a_write_never_hangs),
    Bug("B21", "transfer never given up", transfer_to_a_server_that_died, transfer_never_given_up),
    Bug(
        "B72",
        "vote asked for before the term is durable",
        a_candidate_asks_while_its_disk_is_slow,
        votes_asked_for_before_the_term_is_durable,
    ),
]
