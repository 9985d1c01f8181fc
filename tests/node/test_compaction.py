"""Snapshots that a server takes of its own machine: when, and of what (paper section 7)."""

from __future__ import annotations

from dataclasses import replace

from raftsim.core.config import LEARNER, Change, of, simple
from raftsim.core.entry import Entry, SnapshotMeta
from raftsim.core.messages import Append, AppendReply
from raftsim.node.requests import Command, Query, RemovePeer
from tests.node.harness import Station, acknowledge, follower_of_b, leader_of_three

THREE = of("a", "b", "c")
FOUR = simple(THREE, [Change(LEARNER, "d", "host:4")])
META = SnapshotMeta(5, 1, FOUR, 3)


def do(station: Station, *commands: bytes) -> None:
    """Commands that are committed and applied, each in its turn."""
    for data in commands:
        station.ask(Command(data))
        station.sync()
        acknowledge(station)


def state_of(station: Station) -> tuple[bytes, ...]:
    (outcome,) = station.ask(Query(("all",), stale=True))
    return tuple(outcome.value)


# when


def test_after_so_many_entries() -> None:
    station = leader_of_three(snapshot_threshold_entries=4)
    do(station, b"1")
    assert station.saving == []
    do(station, b"2")  # with the configuration and the opening of the term, the fourth
    assert [meta for meta, _ in station.saving] == [SnapshotMeta(4, 1, THREE, 1)]
    assert station.save().index == 4
    do(station, b"3", b"4", b"5")
    assert station.saving == []
    do(station, b"6")
    assert station.save().index == 8


def test_after_so_many_bytes() -> None:
    station = leader_of_three(snapshot_threshold_bytes=3000)
    do(station, b"x" * 900)  # a configuration counts about a thousand
    assert station.saving == []
    do(station, b"x" * 1500)
    assert station.save().index == 4
    do(station, b"x" * 2900)
    assert station.saving == []
    do(station, b"x" * 200)
    assert station.save().index == 6


def test_one_at_a_time_and_the_server_goes_on_meanwhile() -> None:
    station = leader_of_three(snapshot_threshold_entries=4)
    do(station, b"1", b"2")
    do(station, *[b"x"] * 10)
    assert len(station.saving) == 1
    assert len(state_of(station)) == 12
    assert station.save().index == 4
    do(station, b"y")
    assert station.save().index == 15
    (first, second) = (state for _, state in station.disk.snapshots)
    assert (first, len(second.split(b"|"))) == (b"1|2", 13)


def test_the_settings_may_be_changed_while_it_runs() -> None:
    station = leader_of_three()
    do(station, b"1", b"2", b"3")
    assert station.saving == []
    node = station.node
    node.compaction.settings = replace(node.compaction.settings, snapshot_threshold_entries=6, trailing_entries=1)
    do(station, b"4")
    station.save()
    assert node.raft.log.base_index == 5
    node.compaction.settings = replace(node.compaction.settings, snapshot_threshold_bytes=10)
    do(station, b"x" * 10)
    station.save()
    assert node.raft.log.base_index == 6


def test_a_restarted_server_counts_from_its_snapshot() -> None:
    station = leader_of_three(snapshot_threshold_entries=4, trailing_entries=9)
    do(station, b"1", b"2")
    station.save()
    station.start()
    station.receive(Append(2, "b", "a", 4, 1, [Entry(2, 0), Entry(2, 0), Entry(2, 0)], 7, 1))
    station.sync()
    assert (station.node.applied_index, station.saving) == (7, [])
    station.receive(Append(2, "b", "a", 7, 2, [Entry(2, 0)], 8, 1))
    assert station.save().index == 8


# of what


def test_the_log_is_cut_when_the_snapshot_is_durable_and_not_before() -> None:
    station = leader_of_three(snapshot_threshold_entries=6, trailing_entries=2)
    do(station, b"1", b"2", b"3", b"4")
    assert (station.node.raft.log.base_index, station.disk.base_index) == (0, 0)
    station.save()
    assert (station.node.raft.log.base_index, station.disk.base_index, station.disk.base_term) == (4, 4, 1)
    assert station.node.status()["snapshot_index"] == 6


def test_a_snapshot_holds_the_configuration_of_its_index() -> None:
    """The one in force is later, and may be undone."""
    station = leader_of_three(snapshot_threshold_entries=4)
    do(station, b"1")
    station.ask(Command(b"2"), RemovePeer(id="c"))
    station.sync()
    raft = station.node.raft
    assert (raft.config_index, raft.config.voters) == (5, ("a", "b"))
    station.receive(AppendReply(1, "b", "a", ok=True, index=4, round=raft.round))
    assert station.save() == SnapshotMeta(4, 1, THREE, 1)
    acknowledge(station)
    assert raft.config_index == raft.commit == 5
    do(station, b"3", b"4", b"5")
    assert station.save() == SnapshotMeta(8, 1, raft.config, 5)


def test_a_follower_takes_its_own() -> None:
    station = follower_of_b(snapshot_threshold_entries=3)
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 1, b"x"), Entry(1, 1, b"y")], 3, 1))
    station.sync()
    assert station.save() == SnapshotMeta(3, 1, THREE, 1)
    assert station.disk.snapshots[-1][1] == b"x|y"
