"""Real processes are killed and frozen under load: nothing that was acknowledged may be lost, no read may be stale."""

from __future__ import annotations

import asyncio

import pytest

from raftsim.cluster.local import LocalCluster, leader_of
from raftsim.cluster.status import NodeStatus
from tests.acceptance.load import until_acked, writers

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

NEW_LEADER_BOUND_S = 15.0  # generous: this machine may be busy; how fast it usually is, is measured elsewhere


def addresses(cluster: LocalCluster) -> list[str]:
    return [node.plan.http_address for node in cluster.nodes.values()]


async def new_leader(cluster: LocalCluster, old: NodeStatus) -> NodeStatus:
    async with asyncio.timeout(NEW_LEADER_BOUND_S):
        while True:
            leader = leader_of(await asyncio.to_thread(cluster.status))
            if leader is not None and leader.term > old.term and leader.name != old.name:
                return leader
            await asyncio.sleep(0.02)


async def test_ten_leaders_killed_under_sixteen_writers(cluster: LocalCluster) -> None:
    async with writers(addresses(cluster), count=16) as load:
        for _ in range(10):
            await until_acked(load, 50)
            leader = leader_of(await asyncio.to_thread(cluster.status))
            assert leader is not None
            await asyncio.to_thread(cluster.kill, leader.name)
            await new_leader(cluster, leader)
            await asyncio.to_thread(cluster.restart, leader.name)
        await until_acked(load, 50)
        load.stopping = True
        assert await load.lost() == []
    assert len(load.acked) > 500


async def test_a_frozen_leader_answers_no_stale_read_when_it_wakes(cluster: LocalCluster) -> None:
    servers = addresses(cluster)
    async with writers(servers, count=8) as load:
        await until_acked(load, 50)
        assert await load.put(servers[0], "watched", "before")
        frozen = leader_of(await asyncio.to_thread(cluster.status))
        assert frozen is not None
        await asyncio.to_thread(cluster.pause, frozen.name)
        leader = await new_leader(cluster, frozen)
        assert await load.put(leader.http_address, "watched", "after")
        # These wait in its sockets and are the first thing it sees when it wakes, still believing that it leads.
        reads = [asyncio.create_task(load.get(frozen.http_address, "watched")) for _ in range(20)]
        for count in range(100):
            assert await load.put(leader.http_address, f"meanwhile/{count}", "written")
        await asyncio.to_thread(cluster.resume, frozen.name)
        assert set(await asyncio.gather(*reads)) == {"after"}
        await until_acked(load, 50)
        load.stopping = True
        assert await load.lost() == []
