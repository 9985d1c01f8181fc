"""What a server answers by itself: its status, and when it takes snapshots."""

from __future__ import annotations

import pytest

from raftsim.node.requests import INVALID, OK, REFUSED, Command, Outcome, ReadStatus, Relay, RelayReply, SetCompaction
from tests.node.harness import acknowledge, follower_of_b, leader_of_three


def test_every_server_says_how_it_is() -> None:
    station = follower_of_b()
    (outcome,) = station.ask(ReadStatus())
    assert outcome.kind == OK
    assert outcome.value == station.node.status() | {"pending_requests": 1}  # this very one
    assert station.took(Relay) == []


def test_a_follower_asks_the_leader_how_the_leader_is() -> None:
    follower, leader = follower_of_b(), leader_of_three()
    outcomes = follower.ask(ReadStatus(leader=True))
    (relay,) = follower.took(Relay)
    assert relay.request == ReadStatus(leader=True)
    leader.receive(Relay("b", "a", 70, relay.request))
    (reply,) = leader.took(RelayReply)
    assert reply.outcome.value["role"] == "leader"
    follower.receive(RelayReply("b", "a", relay.id, reply.outcome))
    assert outcomes == [Outcome(OK, reply.outcome.value, forwarded=True)]


def test_the_policy_of_snapshots_changes_while_the_server_runs() -> None:
    station = leader_of_three(trailing_entries=7)
    (outcome,) = station.ask(SetCompaction(snapshot_threshold_entries=3))
    policy = {"snapshot_threshold_entries": 3, "snapshot_threshold_bytes": 64 << 20, "trailing_entries": 7}
    assert outcome == Outcome(OK, policy)
    assert station.node.status()["compaction"] == policy
    station.ask(Command(b"x"))
    station.sync()
    acknowledge(station)
    assert station.save().index == 3


@pytest.mark.parametrize(
    ("request_", "detail"),
    [
        (SetCompaction(snapshot_threshold_entries=0), "snapshot_threshold_entries must be between 1 and"),
        (SetCompaction(snapshot_threshold_bytes=-1), "snapshot_threshold_bytes must be between 1 and"),
        (SetCompaction(trailing_entries=-1), "trailing_entries must be between 0 and"),
        (SetCompaction(trailing_entries=5, snapshot_threshold_entries=1 << 60), "snapshot_threshold_entries must be"),
    ],
)
def test_a_policy_that_cannot_be_changes_nothing(request_: SetCompaction, detail: str) -> None:
    station = leader_of_three()
    before = station.node.status()["compaction"]
    (outcome,) = station.ask(request_)
    assert (outcome.kind, outcome.reason) == (REFUSED, INVALID)
    assert detail in outcome.detail
    assert station.node.status()["compaction"] == before
