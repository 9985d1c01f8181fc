from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.live.cluster import Cluster
from tests.live.helpers import reserved_ports


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """Three live servers, a leader elected."""
    with reserved_ports(3) as ports:
        made = Cluster(tmp_path, ports)
        await made.start()
        await made.leader()
        yield made
        await made.stop()
        assert not made.failures
