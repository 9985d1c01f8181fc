"""What a person is told of a cluster's changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from raftsim.cluster.local import LocalCluster
from raftsim.cluster.plan import ClusterSpec
from raftsim.cluster.process import DEAD, PAUSED, RUNNING
from raftsim.cluster.status import NodeStatus
from raftsim.cluster.watch import Watcher

IDS = ("127.0.0.1:4647", "127.0.0.1:4657")


def status(
    name: str,
    role: str = "follower",
    term: int = 1,
    *,
    pid: int = 1,
    process: str = RUNNING,
    ids: tuple[str, ...] = IDS,
) -> NodeStatus:
    raft: dict[str, Any] = {
        "role": role,
        "term": term,
        "leader": IDS[0],
        "commit_index": 5,
        "configuration": {"committed": True, "servers": [{"id": id} for id in ids]},
    }
    return NodeStatus(name, pid if process != DEAD else None, process, "h", "r", raft if process == RUNNING else None)


CALM = [status("n1", "leader"), status("n2")]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (CALM, []),
        (
            [status("n1", term=2), status("n2", "leader", 2)],
            ["n1  FOLLOWER  term 2  leader n1", "n2  LEADER    term 2  commit 5"],
        ),
        ([status("n1", "leader", 3), status("n2", "follower", 3)], ["n1  LEADER    term 3  commit 5"]),
        ([CALM[0], status("n2", "pre-candidate")], ["n2  CANDIDATE term 1"]),
        ([CALM[0], status("n2", process=PAUSED)], ["n2  PAUSED"]),
        ([status("n1", process=DEAD), CALM[1]], ["n1  DOWN      ended"]),
        ([CALM[0], status("n2", pid=7)], ["n2  RESTARTED pid 7"]),
        ([status("n1", "leader", ids=IDS[:1]), CALM[1]], ["n2  REMOVED   the cluster has 1 servers"]),
        ([status("n1", "leader", ids=(*IDS, "x")), CALM[1]], ["x   ADDED     the cluster has 3 servers"]),
    ],
)
def test_one_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[NodeStatus], expected: list[str]
) -> None:
    cluster = LocalCluster.create(tmp_path / "c", ClusterSpec(nodes=2))
    watcher = Watcher(cluster, CALM)
    monkeypatch.setattr(cluster, "status", lambda: now)
    assert watcher.changes() == expected
    assert watcher.changes() == []


def test_going_on_after_a_pause_is_told_and_silence_is_no_change_of_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = LocalCluster.create(tmp_path / "c", ClusterSpec(nodes=2))
    watcher = Watcher(cluster, CALM)
    monkeypatch.setattr(cluster, "status", lambda: [status("n1", process=PAUSED), CALM[1]])
    assert watcher.changes() == ["n1  PAUSED"]
    monkeypatch.setattr(cluster, "status", lambda: CALM)
    assert watcher.changes() == ["n1  RESUMED"]
