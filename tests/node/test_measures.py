"""What a server measures of its disk and its followers, and that it keeps no more than the latest."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.core.messages import Append, AppendReply
from raftsim.node.measures import SAMPLES
from raftsim.node.requests import Command
from tests.node.harness import Station, acknowledge, depose, follower_of_b, leader_of_three


def trips(station: Station) -> dict[str, dict[str, Any]]:
    found = station.node.status()["measured"]["round_trips"]
    return {times.pop("id"): times for times in found}


def syncs(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = station.node.status()["measured"]["syncs"]
    return found


def beat(station: Station) -> None:
    """The leader begins a round."""
    station.wait(station.node.raft.heartbeat_deadline - station.clock.time)
    assert station.took(Append)


def test_a_round_trip_is_from_the_beginning_of_a_round_to_its_first_answer() -> None:
    leader = leader_of_three()
    beat(leader)
    leader.clock.time += 0.003
    acknowledge(leader, by="b")
    leader.clock.time += 0.004
    acknowledge(leader, by="b")  # the second one to the same round says nothing
    acknowledge(leader, by="c")
    found = trips(leader)
    assert {id: times["count"] for id, times in found.items()} == {"b": 1, "c": 1}
    assert found["b"]["median_ms"] == pytest.approx(3)
    assert found["c"]["max_ms"] == pytest.approx(7)


def test_a_late_answer_to_an_older_round_says_nothing() -> None:
    leader = leader_of_three()
    beat(leader)
    older = leader.node.raft.round
    beat(leader)
    acknowledge(leader, by="b")
    leader.clock.time += 0.05
    leader.receive(AppendReply(1, "b", "a", ok=True, index=leader.node.raft.log.last_index, round=older))
    assert trips(leader)["b"] == {"count": 1} | dict.fromkeys(
        ("min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms"), 0.0
    )


def test_nobody_was_heard_yet() -> None:
    never = {"count": 0} | dict.fromkeys(("min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms"))
    assert trips(leader_of_three()) == {"b": never, "c": never}


def test_a_sync_is_from_the_write_to_its_end() -> None:
    leader = leader_of_three()
    before = syncs(leader)["count"]
    leader.ask(Command(b"x"))
    leader.clock.time += 0.25
    leader.sync()
    assert syncs(leader)["count"] == before + 1
    assert syncs(leader)["max_ms"] == pytest.approx(250)


def test_quantiles_of_many() -> None:
    leader = leader_of_three()
    for milliseconds in range(101):
        beat(leader)
        leader.clock.time += milliseconds / 1000
        acknowledge(leader, by="b")
        acknowledge(leader, by="c")
    found = trips(leader)["b"]
    assert found["count"] == 101
    expected = {"min_ms": 0, "median_ms": 50, "p90_ms": 90, "p99_ms": 99, "max_ms": 100}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_only_the_latest_are_kept() -> None:
    leader = leader_of_three()
    for _ in range(SAMPLES + 10):
        beat(leader)
        leader.clock.time += 0.001
        acknowledge(leader, by="b")
        acknowledge(leader, by="c")
        leader.ask(Command(b"x"))
        leader.sync()
    assert trips(leader)["b"]["count"] == syncs(leader)["count"] == SAMPLES


def test_followers_are_measured_anew_by_a_new_leadership_and_forgotten_with_it() -> None:
    leader = leader_of_three()
    beat(leader)
    acknowledge(leader, by="b")
    depose(leader)
    assert trips(leader) == {}
    assert trips(follower_of_b()) == {}
    measures = leader.node.measures
    measures.answered("b", leader.clock.time)  # nobody's follower any more
    assert measures.view()["round_trips"] == []
