"""A leader whose process ends is replaced at once, and not only when an election timeout has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from raftsim.core.output import Write
from raftsim.live.loop import loop_factory
from raftsim.node.requests import OK
from raftsim.storage.errors import StorageError
from tests.live.cluster import SETTINGS, Cluster
from tests.live.helpers import reserved_ports

# Nothing here can happen by a timeout: n2 and n3 would wait for longer than any test. n3 only votes, so that the two
# never stand against each other, which would take a timeout to be settled.
PATIENT = replace(SETTINGS, election_timeout_min_s=100.0, election_timeout_max_s=200.0)
VOTER_ONLY = replace(PATIENT, fast_failover=False, stickiness=False)
BOUND_S = 10.0
LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(loop_factory(), id="installed")]


async def led_by_n1(path: Path, ports: list[int]) -> Cluster:
    cluster = Cluster(path, ports)
    for id, settings in (("n3", VOTER_ONLY), ("n2", PATIENT), ("n1", SETTINGS)):
        cluster.settings = settings
        await cluster.start(id)
    assert await cluster.leader() == "n1"
    await cluster.agreed()
    return cluster


async def stopped(cluster: Cluster) -> None:
    await cluster.stop("n1")


async def broken(cluster: Cluster) -> None:
    """Its sockets are closed at once; the process would follow."""

    def fail(_writes: Sequence[Write]) -> None:
        raise StorageError("wal/1: input/output error")

    setattr(cluster.data["n1"], "append", fail)  # noqa: B010 - a method, so it cannot be assigned to
    await cluster.put("n1", "a")
    assert cluster.failures == [("n1", "wal/1: input/output error")]


@pytest.mark.parametrize("factory", LOOPS)
@pytest.mark.parametrize("end", [stopped, broken])
def test_the_next_leader_does_not_wait_for_a_timeout(
    end: Callable[[Cluster], Awaitable[None]],
    factory: Callable[[], asyncio.AbstractEventLoop],
    tmp_path: Path,
) -> None:
    async def main(ports: list[int]) -> None:
        cluster = await led_by_n1(tmp_path, ports)
        try:
            await end(cluster)
            async with asyncio.timeout(BOUND_S):
                assert await cluster.leader("n1") == "n2"
                assert (await cluster.put("n3", "b")).kind == OK
        finally:
            await cluster.stop()

    with reserved_ports(3) as ports, asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main(ports))
