"""A fresh cluster of real processes for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from raftsim.cluster.local import LocalCluster
from raftsim.cluster.plan import ClusterSpec

ANY_PORT = 0


@pytest.fixture
def new_cluster(tmp_path: Path) -> Iterator[Callable[..., LocalCluster]]:
    """Starts clusters; their processes end with the test, or with pytest, whatever happens."""
    clusters: list[LocalCluster] = []

    def start(nodes: int = 3, raft_protocol: int = 2, *, faults: bool = False, autopilot: bool = False) -> LocalCluster:
        spec = ClusterSpec(nodes, ANY_PORT, ANY_PORT, raft_protocol, faults=faults, autopilot=autopilot)
        cluster = LocalCluster.create(tmp_path / f"cluster-{len(clusters)}", spec, tied=True)
        clusters.append(cluster)
        cluster.start()
        assert cluster.await_leader(timeout_s=20), "no leader was elected"
        return cluster

    yield start
    for cluster in clusters:
        cluster.destroy()


@pytest.fixture
def cluster(new_cluster: Callable[..., LocalCluster]) -> LocalCluster:
    """Three servers with a leader."""
    return new_cluster()
