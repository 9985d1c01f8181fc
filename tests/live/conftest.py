from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.live.helpers import reserved_ports
from tests.live.peers import Peers


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with reserved_ports(3) as ports:
        yield ports


@pytest.fixture
async def peers(ports: list[int]) -> AsyncIterator[Peers]:
    peers = Peers(ports)
    yield peers
    for id in list(peers.members):
        await peers.stop(id)
