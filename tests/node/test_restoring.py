"""A snapshot is restored in slices, one in a turn: the server goes on with everything else meanwhile."""

from __future__ import annotations

from types import GeneratorType

import pytest

from raftsim.core.config import of
from raftsim.core.entry import Entry, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Install, Vote
from raftsim.machine.base import UnreadableState
from raftsim.node.requests import STOPPED, Command, Outcome, Query
from raftsim.trace.events import APPLY, RESTORE
from tests.node.harness import ALL, Station, acknowledge, follower_of_b, heartbeat, leader_of_three

THREE = of("a", "b", "c")
META = SnapshotMeta(5, 1, THREE, 1)
NEWER = SnapshotMeta(7, 1, THREE, 1)
STALE = Query(("all",), stale=True)


def installed(state: bytes, meta: SnapshotMeta = META, station: Station | None = None) -> Station:
    """The snapshot is durable, and its first slice restored; the machine holds `old` until the last."""
    if station is None:
        station = follower_of_b(snapshot_threshold_entries=3)
        station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 1, b"old")], 2, 1))
        station.sync()
    station.node.receive(Install(1, "b", "a", meta, 0, state, last=True, round=3))
    one_turn(station)
    station.node.synced(station.disk.keep_write())
    one_turn(station)
    return station


def one_turn(station: Station) -> None:
    station.turn_wanted = False
    station.node.turn()


def stale(station: Station) -> tuple[bytes, ...]:
    outcomes: list[Outcome] = []
    station.node.request(STALE, outcomes.append)
    return tuple(outcomes[0].value)


def test_a_slice_a_turn_and_the_old_state_until_the_last() -> None:
    station = installed(b"one|two")  # read in parts of three bytes: three slices, and the last
    turns = 0
    while station.node.applied_index < 5:
        assert (stale(station), station.node.applied_index) == ((b"old",), 2)
        assert station.turn_wanted
        one_turn(station)
        turns += 1
    assert (stale(station), turns) == ((b"one", b"two"), 3)
    assert [kind for kind, _ in station.told].count(RESTORE) == 1
    station.turn()
    assert not station.turn_wanted


def test_heartbeats_and_votes_are_answered_between_two_slices() -> None:
    station = installed(b"one|two")
    station.took(object)
    station.node.receive(heartbeat(station, term=1, leader="b", commit=5))
    one_turn(station)
    assert [(reply.ok, reply.index) for reply in station.took(AppendReply)] == [(True, 5)]
    station.node.receive(Vote(9, "c", "a", 99, 9, force=True))
    one_turn(station)
    assert station.node.raft.term == 9
    assert stale(station) == (b"old",)
    station.turn()
    assert stale(station) == (b"one", b"two")


def test_nothing_is_applied_and_no_snapshot_begun_before_the_last_slice() -> None:
    station = installed(b"one|two")
    station.node.receive(Append(1, "b", "a", 5, 1, [Entry(1, 1, data) for data in (b"3", b"4", b"5")], 8, 4))
    one_turn(station)
    assert (station.node.raft.commit, station.node.apply_to, station.node.applied_index) == (8, 8, 2)
    assert (station.machine.commands, station.saving) == ([b"old"], [])
    station.turn()
    assert station.machine.commands == [b"one", b"two", b"3", b"4", b"5"]
    assert [meta.index for meta, _ in station.saving] == [8]
    kinds = [kind for kind, _ in station.told if kind in (RESTORE, APPLY)]
    assert kinds[-4:] == [RESTORE, APPLY, APPLY, APPLY]


def test_a_newer_snapshot_takes_the_place_of_one_that_is_being_restored() -> None:
    station = installed(b"one|two")
    installed(b"one|two|three", NEWER, station)
    assert stale(station) == (b"old",)
    station.turn()
    assert (stale(station), station.node.applied_index) == ((b"one", b"two", b"three"), 7)
    assert [meta for kind, meta in station.told if kind == RESTORE] == [NEWER]


def test_a_crash_in_the_middle_leaves_the_snapshot_for_the_next_life() -> None:
    station = installed(b"one|two")
    station.start(turn=False)
    assert (station.node.applied_index, station.machine.commands) == (0, [])
    station.receive(heartbeat(station, term=1, leader="b"))
    assert (stale(station), station.node.applied_index) == ((b"one", b"two"), 5)


def test_a_stale_query_of_a_server_that_starts_waits_for_its_snapshot() -> None:
    """However stale an answer may be: that there is nothing was true before there was a cluster."""
    station = installed(b"one|two")
    station.start(turn=False)
    outcomes: list[Outcome] = []
    station.node.request(STALE, outcomes.append)
    one_turn(station)
    assert (outcomes, station.node.applied_index) == ([], 0)
    station.turn()
    assert [tuple(outcome.value) for outcome in outcomes] == [(b"one", b"two")]


def test_a_stale_query_does_not_wait_longer_than_for_a_leader() -> None:
    station = installed(b"one|two")
    station.start(turn=False)
    outcomes: list[Outcome] = []
    station.node.request(STALE, outcomes.append)
    station.clock.time += station.node_settings.leader_wait_s
    one_turn(station)
    assert ([outcome.kind for outcome in outcomes], station.node.applied_index) == (["refused"], 0)


def test_who_leads_before_its_state_is_restored_answers_when_it_is() -> None:
    station = leader_of_three(snapshot_threshold_entries=4, trailing_entries=0)
    for data in (b"one", b"two"):
        station.ask(Command(data))
        station.sync()
        acknowledge(station)
    station.save()
    station.ask(Command(b"3"))
    station.sync()
    acknowledge(station)
    station.start(turn=False)
    outcomes: list[Outcome] = []
    station.node.request(ALL, outcomes.append)
    station.node.raft.follow(7, None)
    station.node.raft.lead(0.0)
    one_turn(station)
    assert (station.node.raft.role, station.node.applied_index) == ("leader", 0)
    assert outcomes == []
    station.sync()
    acknowledge(station)
    assert [tuple(outcome.value) for outcome in outcomes] == [(b"one", b"two", b"3")]


def test_a_server_that_stops_lets_go_of_the_file() -> None:
    station = installed(b"one|two")
    slices = station.node.restoring._slices
    assert isinstance(slices, GeneratorType)
    outcomes: list[Outcome] = []
    station.node.request(Command(b"x"), outcomes.append)
    station.node.stop()
    assert slices.gi_frame is None  # closed
    assert station.node.restoring.meta is None
    assert [outcome.reason for outcome in outcomes] == [STOPPED]


def test_what_is_no_state_is_found_in_the_slice_that_shows_it() -> None:
    station = installed(b"spoilt")
    with pytest.raises(UnreadableState, match="snapshot at index 5"):
        station.turn()
