"""Section 7, a follower that has received a snapshot: what becomes of its log and of its configuration."""

from __future__ import annotations

import pytest

from raftsim.core.config import simple
from raftsim.core.entry import CONFIG, Entry, HardState, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Install, InstallReply
from raftsim.core.output import FOLLOWER, Committed, ConfigChanged
from tests.core.arriving import FOUR, STATE, THREE, answers, follower, whole
from tests.core.harness import Host, command, log_of, terms_of
from tests.core.members import add

LOGS = [  # terms from index 2 on, snapshot (index, term) -> (base, terms above it)
    ((), (5, 2), (5, [])),
    ((1, 1), (5, 2), (5, [])),
    ((1, 1, 2, 2), (5, 2), (5, [])),
    ((1, 1, 2, 2, 2, 2), (5, 2), (5, [2, 2])),  # it agrees at 5: what follows is kept
    ((1, 1, 1, 1, 1, 1), (5, 2), (5, [])),  # it does not: none of it can be trusted
    ((1, 1, 1, 1, 2, 2), (5, 2), (5, [])),
    ((1, 1, 2, 2, 2, 2), (3, 1), (3, [2, 2, 2, 2])),
]


@pytest.mark.parametrize(("terms", "place", "expected"), LOGS)
def test_entries_beyond_a_snapshot_are_kept_only_if_the_log_agrees_with_it(
    terms: tuple[int, ...], place: tuple[int, int], expected: tuple[int, list[int]]
) -> None:
    """Entries in conflict that survived the snapshot were refused and sent again for ever, or applied."""
    host = follower(*terms)
    host.receive(whole(SnapshotMeta(*place, THREE, 1), term=3))
    raft = host.raft
    assert ((raft.log.base_index, terms_of(raft)), raft.commit) == (expected, place[0])
    assert raft.log.last_index == raft.durable.index == place[0] + len(expected[1])
    assert (raft.log.base_term, host.state, host.applied) == (place[1], STATE.split(b"|"), [])
    host.take()
    host.receive(Append(3, "a", "b", raft.log.last_index, raft.log.last_term, [command(3, 99)], 0, 1))
    assert host.only(AppendReply).ok
    host.restart()
    assert (host.raft.commit, host.raft.log.last_index) == (place[0], raft.log.last_index)
    assert terms_of(host.raft)[-len(expected[1]) - 1 :] == [*expected[1], 3]


@pytest.mark.parametrize("index", [2, 3, 4])
def test_a_snapshot_never_takes_a_server_back(index: int) -> None:
    """A delayed snapshot put over a newer state undid what had been applied and answered."""
    host = follower(1, 1, 2, 2, commit=4)
    before = terms_of(host.raft), list(host.state)
    host.receive(whole(SnapshotMeta(index, 1, FOUR, 1)))
    assert answers(host) == [(0, True)]  # all that it stands for is here
    assert (terms_of(host.raft), host.state) == before
    assert (host.raft.commit, host.restored, host.raft.config, host.raft.snapshot) == (4, [], THREE, None)


def test_what_was_committed_while_it_came_in_is_not_taken_back_either() -> None:
    host = follower(1, 1, 2, 2, slow_disk=True)
    host.receive(whole(SnapshotMeta(3, 1, FOUR, 2)))
    host.receive(Append(2, "a", "b", 5, 2, [], 5, 4))
    host.sync()
    assert (host.raft.commit, host.restored, host.raft.config, len(host.applied)) == (5, [], THREE, 5)
    assert (host.raft.incoming, host.raft.installing) == (None, None)
    newest = host.raft.snapshot
    assert newest is not None
    assert newest.index == 3  # on the disk it is, and an older one of our own would not replace it
    host.raft.compacted(SnapshotMeta(2, 1, THREE, 1), 0)
    assert (host.raft.snapshot, host.raft.log.base_index) == (newest, 0)


def test_what_was_handed_out_to_be_applied_is_not_handed_out_again() -> None:
    host = follower(1, 1, 2, 2, commit=3)
    host.receive(whole())
    host.receive(Append(2, "a", "b", 5, 2, [command(2, 6)], 6, 4))
    assert [entry.data for entry in host.applied[3:]] == [b"2.6"]
    assert host.state == [*STATE.split(b"|"), b"2.6"]


def test_entries_of_the_same_turn_are_written_behind_it() -> None:
    host = follower(slow_disk=True)
    host.receive(whole())
    entries = [command(1, 2), command(1, 3), command(2, 4), command(2, 5), command(2, 6)]
    host.raft.receive(Append(2, "a", "b", 1, 0, entries, 0, 4), host.time.now)
    host.raft.persisted(host.disk.keep_write(), host.time.now)
    host.turn()
    assert (host.raft.log.base_index, terms_of(host.raft), host.raft.durable.index) == (5, [2], 5)
    (write,) = host.unsynced
    assert (write.first_index, [entry.term for entry in write.entries]) == (6, [2])
    host.sync()
    host.restart()
    assert (host.raft.log.base_index, terms_of(host.raft)) == (5, [2])


# the configuration


def test_the_configuration_of_the_snapshot_takes_force() -> None:
    """A server that kept its old configuration counted majorities of servers that had left long ago."""
    host = follower(1)
    host.receive(whole(SnapshotMeta(5, 2, FOUR, 3)))
    assert (host.raft.config, host.raft.config_index, host.raft.configs) == (FOUR, 3, [(3, FOUR)])
    assert ConfigChanged(3, FOUR) in host.events
    host.restart()
    assert (host.raft.config, host.raft.config_index) == (FOUR, 3)


def test_an_uncommitted_configuration_is_rolled_back_to_the_one_of_the_snapshot() -> None:
    """Chosen by the higher index, a configuration that was never committed stayed in force beside the snapshot's."""
    dead = simple(FOUR, [add("d")])
    entries = [*log_of(THREE), command(1, 2), command(1, 3), command(1, 4), command(1, 5), Entry(1, CONFIG, dead)]
    host = Host("b", entries, hard=HardState(2))
    assert (host.raft.config, host.raft.config_index) == (dead, 6)
    host.receive(whole(SnapshotMeta(5, 2, FOUR, 3)))
    assert (host.raft.config, host.raft.config_index) == (FOUR, 3)
    assert host.events[-2:] == [ConfigChanged(3, FOUR), Committed(5, FOLLOWER, 2)]


def test_a_configuration_beyond_a_snapshot_that_agrees_stays_in_force() -> None:
    later = simple(FOUR, [add("d")])
    entries = [*log_of(THREE), Entry(1, CONFIG, FOUR), command(1, 3), Entry(1, CONFIG, later)]
    host = Host("b", entries, hard=HardState(2))
    host.turn()
    host.events.clear()
    host.receive(whole(SnapshotMeta(3, 1, FOUR, 2)))
    assert (host.raft.configs, host.raft.config) == ([(2, FOUR), (4, later)], later)
    assert not any(isinstance(event, ConfigChanged) for event in host.events)
    host.receive(Append(3, "a", "b", 3, 1, [command(3, 4)], 0, 4))
    assert host.raft.config == FOUR


def test_whoever_is_new_learns_the_members_from_the_snapshot() -> None:
    host = Host("d", [])
    host.receive(Install(2, "a", "d", SnapshotMeta(5, 2, FOUR, 3), 0, STATE, last=True))
    assert (host.raft.config, host.only(InstallReply).done) == (FOUR, True)
