"""Section 7, snapshots: what is forgotten when one is durable, and what a server starts from."""

from __future__ import annotations

import pytest

from raftsim.core.config import of, simple
from raftsim.core.entry import CONFIG, Entry, HardState, Restored, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Install, Vote, VoteReply
from raftsim.core.output import LEADER, ConfigChanged
from raftsim.core.progress import SNAPSHOT
from tests.core.harness import Cluster, Host, command, log_of, terms_of
from tests.core.members import add, change, listen, remove, settled

THREE = of("a", "b", "c")
FOUR = simple(THREE, [listen("d")])


def follower(*terms: int, commit: int) -> Host:
    """`b` in term 2, whose log has these terms from index 2 on; `a` leads."""
    host = Host("b", log_of(THREE, *terms), hard=HardState(2))
    host.receive(Append(2, "a", "b", commit, host.raft.log.term_at(commit) or 0, [], commit, 1))
    host.take()
    return host


# what is forgotten


KEPT = [  # a snapshot at 6 of a log of 8; trailing entries -> the base, and what is left
    (0, 6, [2, 2]),
    (1, 5, [1, 2, 2]),
    (5, 1, [1, 1, 1, 1, 1, 2, 2]),
    (6, 0, [0, 1, 1, 1, 1, 1, 2, 2]),
    (9, 0, [0, 1, 1, 1, 1, 1, 2, 2]),
]


@pytest.mark.parametrize(("trailing", "base", "terms"), KEPT)
def test_the_log_is_cut_behind_a_snapshot_but_for_trailing_entries(trailing: int, base: int, terms: list[int]) -> None:
    """Cut at the newest entry instead, the log had a gap behind the snapshot that only a snapshot could fill."""
    host = follower(1, 1, 1, 1, 1, 2, 2, commit=6)
    meta = host.snapshot(trailing=trailing)
    assert (meta.index, meta.term, host.raft.snapshot) == (6, 1, meta)
    assert (host.raft.log.base_index, terms_of(host.raft)) == (base, terms)
    assert (host.raft.log.last_index, host.raft.log.last_term, host.raft.durable.index) == (8, 2, 8)


def test_the_log_is_never_uncut_and_an_older_snapshot_changes_nothing() -> None:
    host = follower(1, 1, 1, 1, 1, 2, 2, commit=4)
    old = host.snapshot()
    host.receive(Append(2, "a", "b", 8, 2, [], 8, 1))
    new = host.snapshot()
    host.raft.compacted(old, 0)
    assert (host.raft.snapshot, host.raft.log.base_index) == (new, 8)
    host.raft.compacted(SnapshotMeta(8, 2, THREE, 1), 8)
    assert (host.raft.snapshot, host.raft.log.base_index) == (new, 8)


def test_trailing_entries_are_kept_only_if_they_are_still_there() -> None:
    host = follower(1, 1, 1, 1, 1, 2, 2, commit=4)
    host.snapshot()
    host.receive(Append(2, "a", "b", 8, 2, [], 6, 1))
    host.snapshot(trailing=5)
    assert host.raft.log.base_index == 4


def test_a_compacted_log_votes_and_is_voted_for_as_before() -> None:
    """The last place of a log is known even if all of it was forgotten."""
    host = follower(1, 1, 1, 1, commit=5)
    host.snapshot()
    assert (host.raft.log.last_index, host.raft.log.last_term, terms_of(host.raft)) == (5, 1, [])
    host.time_out()
    assert {(vote.last_index, vote.last_term) for vote in host.took(Vote)} == {(5, 1)}
    for last_index, last_term, granted in ((4, 1, False), (5, 1, True), (2, 2, True)):
        host.receive(Vote(9, "c", "b", last_index, last_term, pre=True))
        assert host.only(VoteReply).granted is granted


def test_a_follower_within_the_trailing_entries_needs_no_snapshot() -> None:
    cluster, leader = settled("a", "b", "c")
    cluster.down.add("c")
    leader.propose(*[b"x"] * 5)
    cluster.run()
    leader.snapshot(trailing=5)
    cluster.down.clear()
    leader.time_out()
    while cluster.collect():
        assert not any(isinstance(message, Install) for message in cluster.net)
        cluster.deliver()
    assert cluster["c"].state == leader.state
    assert leader.raft.progress["c"].state != SNAPSHOT


# appends that meet a compacted log


BELOW = [  # at a base of 5, log 1 1 1 1 | 2 2: (prev, its term, terms sent) -> matched up to, terms above the base
    ((1, 0, [1, 1]), 3, [2, 2]),  # all of it compacted
    ((3, 1, [1, 1]), 5, [2, 2]),
    ((3, 1, []), 3, [2, 2]),
    ((0, 0, []), 0, [2, 2]),  # what a leader says to a server that gets a snapshot
    ((4, 1, [1, 2]), 6, [2, 2]),  # in part
    ((2, 1, [1, 1, 1, 2, 2, 2]), 8, [2, 2, 2]),
    ((4, 1, [1, 3]), 6, [3]),  # the conflict lies above
    ((5, 1, [2, 2]), 7, [2, 2]),
    ((5, 1, []), 5, [2, 2]),
]


@pytest.mark.parametrize(("sent", "matched", "terms"), BELOW)
def test_what_was_compacted_is_no_conflict(sent: tuple[int, int, list[int]], matched: int, terms: list[int]) -> None:
    """A delayed Append from below the base looked like a conflict, and cut off what had been acknowledged."""
    host = follower(1, 1, 1, 1, 2, 2, commit=5)
    host.snapshot()
    prev, prev_term, new = sent
    entries = [command(term, index) for index, term in enumerate(new, prev + 1)]
    host.receive(Append(3, "a", "b", prev, prev_term, entries, 0, 1))
    reply = host.only(AppendReply)
    assert (reply.ok, reply.index, terms_of(host.raft), host.raft.log.base_index) == (True, matched, terms, 5)


def test_a_refusal_from_above_the_base_leads_down_to_it() -> None:
    host = follower(1, 1, 1, 1, 2, 2, commit=5)
    host.snapshot()
    host.receive(Append(3, "a", "b", 9, 3, [], 5, 1))
    reply = host.only(AppendReply)
    assert (reply.ok, reply.index, reply.hint_index, reply.hint_term) == (False, 9, 7, 2)
    host.receive(Append(3, "a", "b", 7, 1, [], 5, 1))
    reply = host.only(AppendReply)
    assert (reply.ok, reply.index, reply.hint_index, reply.hint_term) == (False, 7, 5, 1)


# starting again


def test_a_restart_begins_at_the_snapshot() -> None:
    cluster, leader = settled("a", "b", "c")
    leader.propose(b"1", b"2")
    cluster.run()
    meta = leader.snapshot(trailing=1)
    leader.propose(b"3")
    cluster.run()
    leader.restart()
    leader.turn()
    raft = leader.raft
    assert (raft.commit, raft.applying, raft.snapshot, raft.log.base_index) == (4, 4, meta, 3)
    assert (leader.restored, leader.state, raft.log.last_index, raft.durable.index) == ([meta], [b"1", b"2"], 5, 5)
    assert (raft.config, raft.config_index) == (THREE, 1)
    cluster.elect("b")
    cluster.beat("b")
    assert (leader.state, leader.applied[0].data) == ([b"1", b"2", b"3"], b"3")


def test_a_restart_from_a_snapshot_without_entries() -> None:
    cluster, leader = settled("a", "b", "c")
    leader.propose(b"1")
    cluster.run()
    cluster.beat("a")
    for id in "abc":
        cluster[id].snapshot()
        cluster[id].restart()
        cluster[id].turn()
        assert (cluster.raft(id).log.last_index, cluster.raft(id).log.last_term, cluster[id].state) == (3, 1, [b"1"])
    again = cluster.elect("c")
    again.propose(b"2")
    cluster.run()
    cluster.beat("c")
    assert {tuple(cluster[id].state) for id in "abc"} == {(b"1", b"2")}


def test_a_restart_takes_the_configuration_of_the_snapshot_and_what_the_log_has_after_it() -> None:
    """Rebuilt from the log alone, the membership of a compacted server was that of nobody."""
    later = simple(FOUR, [listen("e")])
    meta = SnapshotMeta(4, 1, FOUR, 3)
    for entries, config, index in (
        ([], FOUR, 3),
        ([command(1, 5)], FOUR, 3),
        ([command(1, 5), Entry(1, CONFIG, later)], later, 6),
    ):
        host = Host("d", [])
        host.disk.hard, host.disk.entries, host.disk.base_index, host.disk.base_term = HardState(1), entries, 4, 1
        host.disk.keep_snapshot(meta, b"")
        host.restart()
        host.turn()
        assert (host.raft.config, host.raft.config_index, host.raft.commit) == (config, index, 4)


def test_a_configuration_in_the_trailing_entries_is_not_taken_for_a_new_one() -> None:
    restored = Restored(HardState(1), [Entry(1, CONFIG, FOUR), command(1, 4)], 2, 0, SnapshotMeta(4, 1, FOUR, 3))
    host = Host("b", [])
    host.disk.hard, host.disk.entries = restored.hard, restored.entries
    host.disk.base_index, host.disk.base_term = 2, 0
    host.disk.keep_snapshot(SnapshotMeta(4, 1, FOUR, 3), b"x")
    host.restart()
    assert host.raft.configs == [(3, FOUR)]
    host.turn()
    assert not any(isinstance(event, ConfigChanged) for event in host.events)


# the configuration a snapshot stands for


def test_a_snapshot_holds_the_committed_configuration_not_the_one_in_force() -> None:
    """An uncommitted configuration in a snapshot outlived the truncation that should have undone it."""
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    leader.propose(b"x")
    cluster.run()
    cluster.down = {"b", "c", "d"}
    change(leader, add("d"))
    assert leader.raft.config.voters == ("a", "b", "c", "d")
    meta = leader.snapshot()
    assert (meta.index, meta.config, meta.config_index) == (3, FOUR, 1)
    leader.restart()
    assert leader.raft.config.voters == ("a", "b", "c", "d")  # still in its log
    cluster.down = {"a"}
    cluster.elect("b").propose(b"y")
    cluster.run()
    cluster.down.clear()
    cluster.beat("b")
    assert (leader.raft.config, leader.state) == (FOUR, [b"x", b"y"])


def test_changes_go_on_over_compactions() -> None:
    cluster, leader = settled("a", "b", "c", "d", config=FOUR)
    change(leader, add("d"))
    cluster.run()
    leader.snapshot()
    change(leader, remove("b"))
    cluster.run()
    meta = leader.snapshot()
    assert (meta.config.voters, meta.config_index) == (("a", "c", "d"), 4)
    cluster["d"].snapshot()
    cluster["d"].restart()
    cluster.down.add("a")
    assert cluster.elect("d").raft.config.voters == ("a", "c", "d")


def test_a_leader_compacts_while_it_leads() -> None:
    cluster = Cluster("a", "b", "c")
    leader = cluster.elect("a")
    for number in range(20):
        leader.propose(b"%d" % number)
        cluster.run()
        cluster["abc"[number % 3]].snapshot(trailing=number % 4)
    cluster.beat("a")
    assert leader.raft.role == LEADER
    assert {tuple(cluster[id].state) for id in "abc"} == {tuple(b"%d" % number for number in range(20))}
