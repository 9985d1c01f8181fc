"""`raftsim advise` against a cluster of real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agent.processes import raftsim
from tests.cluster.test_commands import leader, nodes, ok

pytestmark = pytest.mark.live


def test_a_running_cluster_is_measured(home: Path) -> None:
    """By way of any server; what the leader measured is plausible for one machine, and the advice can be used."""
    del home
    ok("start", "-http-port=0", "-rpc-port=0")
    follower = next(node["http_address"] for node in nodes() if node["name"] != leader())
    done = raftsim("advise", f"-address=http://{follower}", "-trials=50", "-json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["Servers"], found["MeasuredBy"]) == (3, f"{leader()}.global")
    assert 0 < found["Latency"]["Fast"] <= found["Latency"]["Mean"] < 1
    assert 0 < found["Write"]["Min"] <= found["Write"]["Max"] < 1
    assert found["Pause"] >= 0.1
    (best,) = (row for row in found["Rows"] if row["Recommended"])
    assert best["ToleratedPause"] >= found["Pause"]
    assert best["Heartbeat"] < best["TimeoutMin"] < best["TimeoutMax"]
