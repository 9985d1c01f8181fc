"""An operator's restore, and reads by a lease, of whole servers: on real sockets and real files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from raftsim.machine.standard import standard_machine
from raftsim.machine.variables import put_command
from raftsim.node.requests import OK, Outcome
from tests.live.cluster import SETTINGS, Cluster, read
from tests.live.helpers import eventually

COUNT = 60
VALUE = "x" * 60_000  # 3.6 MB in all: several parts


@pytest.fixture
async def cluster(tmp_path: Path, ports: list[int]) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path, ports)
    yield cluster
    await cluster.stop()


def archive() -> list[bytes]:
    machine = standard_machine()
    for index in range(1, COUNT + 1):
        machine.apply(index, put_command("default", f"k{index}", {"key": VALUE}, None, index))
    return list(machine.snapshot())


async def test_a_large_state_replaces_that_of_all_servers_and_survives_a_restart(cluster: Cluster) -> None:
    await cluster.start()
    leader = await cluster.leader()
    follower = min(set(cluster.servers) - {leader})
    assert (await cluster.put(follower, "old")).kind == OK
    outcome = await cluster.servers[follower].restore(archive())
    assert outcome == Outcome(OK, {"index": outcome.value["index"]})
    await cluster.agreed()
    servers = list(cluster.servers.values())
    await eventually(lambda: all(server.status()["snapshot_index"] == outcome.value["index"] for server in servers))
    await cluster.stop()
    await cluster.start()
    await cluster.leader()
    await cluster.agreed()
    assert await read(cluster.servers[follower], "k7", stale=False) == VALUE
    assert await read(cluster.servers[follower], "old", stale=False) is None
    assert cluster.failures == []


async def test_a_leader_with_a_lease_reads_without_a_round(cluster: Cluster) -> None:
    cluster.settings = replace(SETTINGS, lease_reads=True, fast_failover=False)
    await cluster.start()
    leader = cluster.servers[await cluster.leader()]
    assert (await cluster.put("n1", "a")).kind == OK
    raft = leader._node.raft
    for _ in range(1000):  # a heartbeat may come between, and a machine under load may lose a lease
        round = raft.round
        assert await read(leader, "a", stale=False) == "a"
        if raft.round == round:
            return
    raise AssertionError("every read has cost a round")
