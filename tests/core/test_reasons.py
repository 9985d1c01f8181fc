"""Why a member could not be elected now: in the words that fit what the leader knows of it."""

from __future__ import annotations

from raftsim.core.reasons import reasons
from tests.core.harness import Cluster


def cannot_lead(cluster: Cluster, leader: str) -> dict[str, str]:
    found: dict[str, str] = reasons(cluster.hosts[leader].raft, cluster.time.now)["cannot_lead"]
    return found


def test_a_server_that_died_before_this_leader_was_elected() -> None:
    """Nothing is known of its log, so nothing is said of it."""
    cluster = Cluster(*"abc")
    cluster.down = {"c"}
    cluster.elect("a")
    cluster.run()
    assert cannot_lead(cluster, "a") == {"c": "it has not answered this leader yet"}


def test_a_server_that_lags() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    cluster.run()
    cluster.down = {"c"}
    leader.propose(b"x", b"y")
    cluster.run()
    assert cannot_lead(cluster, "a") == {"c": "its log lacks 2 committed entries"}
