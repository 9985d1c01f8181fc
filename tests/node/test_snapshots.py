"""Snapshots that a server takes over or sends (paper section 7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from raftsim.core.config import LEARNER, Change, of, simple
from raftsim.core.entry import CONFIG, Entry, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Install, InstallReply
from raftsim.core.settings import Settings
from raftsim.machine.base import UnreadableState
from raftsim.node.requests import Command, Outcome, Query
from raftsim.trace.events import APPLY, RESTORE, WRITE
from tests.node.harness import Station, acknowledge, follower_of_b, heartbeat, leader_of_three

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


# taken over


def test_a_start_restores_the_machine_before_anything_is_applied() -> None:
    station = leader_of_three(snapshot_threshold_entries=4, trailing_entries=0)
    do(station, b"1", b"2")
    station.save()
    do(station, b"3")
    station.start()
    assert (station.machine.commands, station.node.applied_index, station.node.raft.commit) == ([b"1", b"2"], 4, 4)
    assert [kind for kind, _ in station.told] == [RESTORE]
    assert station.peers == {"b": "b", "c": "c"}
    station.receive(heartbeat(station, term=2, leader="b", commit=5))
    assert state_of(station) == (b"1", b"2", b"3")


def test_a_start_without_a_snapshot_restores_nothing() -> None:
    assert "load_snapshot" not in Station("a", THREE).used


def install(station: Station, state: bytes, meta: SnapshotMeta = META) -> None:
    station.receive(Install(1, "b", "a", meta, 0, state, last=True, round=3))
    assert station.took(InstallReply) == []
    station.sync()


def test_a_received_snapshot_replaces_the_state_of_the_machine() -> None:
    """Merged with what was there, the state showed again what had been deleted."""
    station = follower_of_b()
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 1, b"old")], 2, 1))
    station.sync()
    assert state_of(station) == (b"old",)
    station.took(object)
    station.told.clear()
    install(station, b"one|two")
    assert [(reply.index, reply.done) for reply in station.took(InstallReply)] == [(5, True)]
    assert (state_of(station), station.node.applied_index) == ((b"one", b"two"), 5)
    assert station.peers == {"b": "b", "c": "c", "d": "host:4"}
    station.receive(Append(1, "b", "a", 5, 1, [Entry(1, 1, b"three")], 6, 4))
    station.sync()
    assert state_of(station) == (b"one", b"two", b"three")
    kinds = [kind for kind, _ in station.told if kind in (WRITE, RESTORE, APPLY)]
    assert kinds == [WRITE, RESTORE, WRITE, APPLY]
    assert station.node.status()["snapshot_index"] == 5


def test_what_follows_a_snapshot_in_the_same_turn_is_applied_to_its_state() -> None:
    station = follower_of_b()
    station.node.receive(Install(1, "b", "a", META, 0, b"one|two", last=True, round=3))
    station.node.turn()
    station.node.synced(station.disk.keep_write())
    station.receive(Append(1, "b", "a", 5, 1, [Entry(1, 1, b"three")], 6, 4))
    assert state_of(station) == (b"one", b"two", b"three")


def test_what_was_not_applied_yet_when_a_snapshot_took_its_place_never_is() -> None:
    """A long log is applied in parts; the rest of it was looked for in a log that did not hold it any more."""
    station = follower_of_b(apply_batch_entries=1)
    entries = [Entry(1, 1, data) for data in (b"x", b"y", b"z")]
    for message in (
        Append(1, "b", "a", 1, 0, entries, 4, 1),
        Install(1, "b", "a", META, 0, b"one|two", last=True, round=3),
    ):
        station.node.receive(message)
        station.node.turn()
    assert station.node.applied_index == 2
    station.sync()
    assert (station.machine.commands, station.node.applied_index) == ([b"one", b"two"], 5)
    station.receive(Append(1, "b", "a", 5, 1, [Entry(1, 1, b"three")], 6, 4))
    assert state_of(station) == (b"one", b"two", b"three")


def test_a_received_snapshot_counts_as_the_last_one() -> None:
    station = follower_of_b(snapshot_threshold_entries=3)
    install(station, b"one")
    station.receive(Append(1, "b", "a", 5, 1, [Entry(1, 0), Entry(1, 0)], 7, 4))
    station.sync()
    assert station.saving == []
    station.receive(Append(1, "b", "a", 7, 1, [Entry(1, 0)], 8, 4))
    station.sync()
    assert station.save().index == 8


def test_one_of_our_own_that_ends_after_a_newer_was_received_takes_nothing_back() -> None:
    station = follower_of_b(snapshot_threshold_entries=3, trailing_entries=0)
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 1, b"x"), Entry(1, 1, b"y")], 3, 1))
    station.sync()
    assert len(station.saving) == 1
    install(station, b"one|two")
    station.save()
    assert (station.node.raft.log.base_index, station.node.raft.snapshot) == (5, META)
    station.start()
    assert (state_of(station), station.node.applied_index) == ((b"one", b"two"), 5)


def test_a_state_that_the_machine_cannot_read_is_named() -> None:
    station = follower_of_b()
    with pytest.raises(UnreadableState, match="snapshot at index 5"):
        install(station, b"spoilt")


# sent


def sending(**node_settings: Any) -> Station:
    """A leader that has compacted what b needs, and is about to read the first chunk for it."""
    station = leader_of_three(settings=Settings(check_quorum=False), trailing_entries=0, **node_settings)
    do(station, b"one", b"two", b"three")
    station.save()
    assert station.node.raft.progress["c"].match < station.node.raft.log.base_index
    station.receive(AppendReply(1, "c", "a", ok=False, index=station.node.raft.progress["c"].next - 1))
    station.took(object)
    return station


def receiving() -> Station:
    """The same, and the first chunk has arrived."""
    station = sending(snapshot_threshold_entries=5, snapshot_chunk_bytes=6)
    station.read()
    station.receive(InstallReply(1, "c", "a", 5, 6, done=False))
    return station


def test_a_follower_that_takes_nothing_does_not_keep_the_log() -> None:
    station = sending(snapshot_threshold_entries=5)
    do(station, *[b"x"] * 6)
    assert len(station.saving) == 1


def test_what_a_follower_needs_is_read_in_parts_of_the_size_that_is_set() -> None:
    station = sending(snapshot_threshold_entries=5, snapshot_chunk_bytes=6)
    assert [(wanted.follower, wanted.index, wanted.offset) for wanted, _ in station.reading] == [("c", 5, 0)]
    station.read()
    (first,) = station.took(Install)
    assert (first.data, first.last, first.meta) == (b"one|tw", False, station.node.raft.snapshot)
    compaction = station.node.compaction
    compaction.settings = replace(compaction.settings, snapshot_chunk_bytes=100)
    station.receive(InstallReply(1, "c", "a", 5, 6, done=False))
    station.read()
    (second,) = station.took(Install)
    assert (second.offset, second.data, second.last) == (6, b"o|three", True)
    station.receive(InstallReply(1, "c", "a", 5, 13, done=True))
    do(station, b"four")
    assert [(append.prev_index, append.dst) for append in station.took(Append) if append.entries] == [
        (5, "b"),
        (5, "c"),
    ]


def test_no_new_snapshot_is_begun_while_one_is_being_sent() -> None:
    """Each new one took the old one away from under a slow follower, which began again and again."""
    station = receiving()
    do(station, *[b"x"] * 30)
    assert station.saving == []
    station.receive(InstallReply(1, "c", "a", 5, 13, done=True))
    do(station, b"y")
    assert station.save().index == 36


@pytest.mark.parametrize(("threshold", "value", "size"), [("entries", 5, 1), ("bytes", 3000, 1000)])
def test_a_follower_that_has_stopped_in_the_middle_does_not_keep_the_log_for_ever(
    threshold: str, value: int, size: int
) -> None:
    station = receiving()
    compaction = station.node.compaction
    limits: dict[str, Any] = {"snapshot_threshold_entries": 1 << 20, "snapshot_threshold_bytes": 1 << 40}
    compaction.settings = replace(compaction.settings, **{**limits, f"snapshot_threshold_{threshold}": value})
    do(station, *[b"x" * size] * 20)
    assert station.saving == []
    do(station, *[b"x" * size] * 25)
    assert len(station.saving) == 1


def test_answers_of_the_disk_after_leadership_was_lost_send_nothing() -> None:
    station = sending(snapshot_threshold_entries=5)
    station.receive(heartbeat(station, term=2, leader="b"))
    station.sync()
    station.took(object)
    station.read()
    assert station.sent == []


def test_a_wait_for_an_entry_that_came_as_part_of_a_snapshot_is_answered_truly() -> None:
    """Its entry may be in the snapshot or may not: nobody can tell."""
    station = leader_of_three()
    outcomes = station.ask(Command(b"mine"))
    station.receive(Install(2, "b", "a", SnapshotMeta(9, 2, THREE, 1), 0, b"theirs", last=True, round=3))
    station.sync()
    assert [outcome.kind for outcome in outcomes] == ["unknown"]
    assert isinstance(outcomes[0], Outcome)
    assert state_of(station) == (b"theirs",)
    station.receive(Append(2, "b", "a", 9, 2, [Entry(2, CONFIG, THREE)], 10, 4))
    assert len(outcomes) == 1
