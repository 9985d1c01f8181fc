"""A state folder of its own for every test, and no cluster of it left running."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from raftsim.cluster.home import cluster_names, existing_cluster
from raftsim.cluster.local import LocalCluster


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = tmp_path / "home"
    monkeypatch.setenv("RAFTSIM_HOME", str(directory))
    yield directory
    for name in cluster_names():
        LocalCluster.open(existing_cluster(name)).destroy()
