"""Compaction and snapshots of whole servers, on real sockets and real files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from raftsim.machine.variables import put_command
from raftsim.node.requests import OK, Command
from raftsim.node.settings import NodeSettings
from raftsim.storage.datadir import DataDir
from tests.live.cluster import Cluster, read
from tests.live.helpers import eventually

SMALL = NodeSettings(leader_wait_s=10.0, snapshot_threshold_entries=50, trailing_entries=10, snapshot_chunk_bytes=1000)


@pytest.fixture
async def cluster(tmp_path: Path, ports: list[int]) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path, ports)
    cluster.node_settings = SMALL
    yield cluster
    await cluster.stop()


async def write(cluster: Cluster, numbers: range) -> None:
    """The keys of these numbers, from 30 clients, by turns at every server."""
    ids = sorted(cluster.servers)

    async def client(numbers: range) -> None:
        for number in numbers:
            command = put_command("default", f"p/{number % 100}", {"key": str(number)}, None, number)
            outcome = await cluster.servers[ids[number % len(ids)]].call(Command(command))
            assert outcome.kind == OK, outcome

    await asyncio.gather(*(client(numbers[start::30]) for start in range(30)))


def base_index(path: Path, id: str) -> int:
    data = DataDir.open(path / id, cluster_id="c", server_id=id)
    data.close()
    return data.restored.base_index


async def test_a_server_that_was_away_for_too_long_catches_up_by_a_snapshot(cluster: Cluster) -> None:
    await cluster.start()
    leader = await cluster.leader()
    await write(cluster, range(300))
    await cluster.agreed()
    late = min(set(cluster.servers) - {leader})
    await eventually(lambda: cluster.servers[late].status()["snapshot_index"] > 0)
    end = cluster.servers[late].status()["last_log_index"]
    await cluster.stop(late)
    await write(cluster, range(300, 600))
    others = list(cluster.servers.values())
    await eventually(lambda: all(server.status()["snapshot_index"] > end + 10 for server in others))

    cluster.events.clear()
    await cluster.start(late)
    await write(cluster, range(600, 650))  # while it catches up
    await cluster.agreed()
    assert cluster.events.count(f"{late} restore") >= 2  # its own snapshot, and the leader's
    assert await read(cluster.servers[late], "p/7", stale=True) == "607"

    # all of it is there again after all were stopped, at other lengths of the log on every server
    before = cluster.machines[late].digest()
    await cluster.stop()
    assert base_index(cluster.path, late) > end
    await cluster.start()
    await cluster.leader()
    await cluster.agreed()
    assert cluster.machines[late].digest() == before
    await write(cluster, range(650, 700))
    await cluster.agreed()
    assert cluster.failures == []


async def test_a_new_disk_is_filled_by_a_snapshot(cluster: Cluster) -> None:
    """Nobody holds the beginning of the log any more."""
    await cluster.start("n1", "n2")
    await cluster.leader()
    await write(cluster, range(200))
    await eventually(lambda: all(server.status()["snapshot_index"] > 150 for server in cluster.servers.values()))
    await cluster.start("n3")
    await cluster.agreed()
    assert cluster.events.count("n3 restore") == 1
    assert cluster.failures == []


async def test_entries_that_are_compacted_do_not_stay_in_memory(cluster: Cluster) -> None:
    await cluster.start()
    await cluster.leader()
    await write(cluster, range(30))
    await cluster.agreed()
    await cluster.stop()
    await cluster.start()
    assert all(data.restored.entries == [] for data in cluster.data.values())


async def test_a_snapshot_that_rotted_stops_the_server_that_would_send_it(cluster: Cluster) -> None:
    await cluster.start("n1", "n2")
    leader = await cluster.leader()
    await write(cluster, range(200))
    await eventually(lambda: cluster.servers[leader].status()["snapshot_index"] > 150)
    status, threshold = cluster.servers[leader].status, cluster.node_settings.snapshot_threshold_entries
    await eventually(lambda: status()["applied_index"] - status()["snapshot_index"] < threshold, "no newer one follows")
    snapshot = max((cluster.path / leader / "raft" / "snapshots").glob("*.snap"))
    content = bytearray(snapshot.read_bytes())
    content[len(content) // 2] ^= 1
    snapshot.write_bytes(content)
    await cluster.start("n3")
    await eventually(lambda: cluster.failures)
    ((failed, why),) = cluster.failures
    assert failed == leader
    assert why.startswith(f"{snapshot}: damaged at offset ")


async def test_a_snapshot_that_rots_before_it_is_restored_keeps_the_server_from_serving(cluster: Cluster) -> None:
    await cluster.start("n1", "n2")
    await cluster.leader()
    await write(cluster, range(200))
    await cluster.agreed()
    await cluster.stop()
    server = cluster.make("n1")  # by now everything was verified
    snapshot = max((cluster.path / "n1" / "raft" / "snapshots").glob("*.snap"))
    snapshot.write_bytes(snapshot.read_bytes()[:-1])
    await server.start()
    ((failed, why),) = cluster.failures
    assert failed == "n1"
    assert why.startswith(f"{snapshot}: damaged at offset ")
    await server.stop()
