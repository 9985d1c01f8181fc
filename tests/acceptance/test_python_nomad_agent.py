"""A client library that was made for Nomad asks agents about themselves and each other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from nomad.api.exceptions import BaseNomadException

from raftsim.cluster.local import LocalCluster
from tests.acceptance.test_python_nomad import client

pytestmark = pytest.mark.live

BOUND_S = 30.0  # generous: this machine may be busy


def statuses(cluster: LocalCluster, asked: str) -> dict[str, str]:
    return {member["Name"]: member["Status"] for member in client(cluster, asked).agent.get_members()["Members"]}


async def seen(wanted: Callable[[], Mapping[str, str]], expected: Mapping[str, str]) -> None:
    found: Mapping[str, str] = {}
    try:
        async with asyncio.timeout(BOUND_S):
            while True:
                found = await asyncio.to_thread(wanted)
                if found == expected:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"expected {expected}, the last seen was {found}")


def test_an_agent_knows_itself_its_region_and_that_there_are_no_client_nodes(cluster: LocalCluster) -> None:
    for name, node in cluster.nodes.items():
        about = client(cluster, name).agent.get_agent()
        assert about["member"]["Name"] == f"{name}.global"
        assert about["config"]["Ports"]["HTTP"] == node.plan.http_port
        assert about["config"]["NodeName"] == name
        assert about["stats"]["serf"]["members"] == "3"
        assert client(cluster, name).regions.get_regions() == ["global"]
        assert client(cluster, name).nodes.get_nodes() == []
    assert client(cluster, "n1").system.initiate_garbage_collection()
    with pytest.raises(BaseNomadException, match="Invalid method"):
        client(cluster, "n1").agent.get_servers()


async def test_metrics_have_the_numbers_of_raft(cluster: LocalCluster) -> None:
    leader = client(cluster, cluster.select("leader").plan.name)
    leader.variable.create_variable("app/db", {"Items": {"user": "u"}})
    told: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(BOUND_S):
        while "nomad.raft.leader.lastContact" not in told:
            await asyncio.sleep(0.05)
            found = await asyncio.to_thread(leader.metrics.get_metrics)
            told = {number["Name"]: number for kind in ("Counters", "Gauges", "Samples") for number in found[kind]}
    assert told["nomad.raft.lastIndex"]["Value"] >= told["nomad.raft.appliedIndex"]["Value"] > 0
    assert told["nomad.raft.peers"]["Value"] == 3
    assert told["nomad.nomad.agent.http.connections"]["Value"] >= 1


async def test_members_fail_when_killed_or_paused_and_are_alive_again_afterwards(cluster: LocalCluster) -> None:
    alive = {f"{name}.global": "alive" for name in cluster.nodes}
    leader = cluster.select("leader").plan.name
    asked, broken = [name for name in cluster.nodes if name != leader]  # followers say nothing else to each other
    for breaks, mends in ((cluster.kill, cluster.restart), (cluster.pause, cluster.resume)):
        await seen(lambda: statuses(cluster, asked), alive)
        breaks(broken)
        await seen(lambda: statuses(cluster, asked), {**alive, f"{broken}.global": "failed"})
        mends(broken)
        await seen(lambda: statuses(cluster, asked), alive)


async def test_a_dead_member_that_is_removed_has_left(cluster: LocalCluster) -> None:
    leader = cluster.select("leader").plan.name
    gone, asked = [name for name in cluster.nodes if name != leader]
    cluster.kill(gone)
    assert client(cluster, asked).operator.delete_peer(cluster.nodes[gone].plan.rpc_address)
    wanted = {f"{name}.global": "left" if name == gone else "alive" for name in cluster.nodes}
    await seen(lambda: statuses(cluster, asked), wanted)
