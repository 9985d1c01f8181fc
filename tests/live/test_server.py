"""Whole servers, on real sockets and real files, in one loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from raftsim.core.output import FOLLOWER, Write
from raftsim.live.loop import loop_factory, run
from raftsim.node.requests import (
    LEADERSHIP_LOST,
    LINK_LOST,
    OK,
    REFUSED,
    STOPPED,
    UNKNOWN,
    Outcome,
    ReadMembership,
    RemovePeer,
)
from raftsim.storage.datadir import DataDir
from raftsim.storage.errors import StorageError
from tests.live.cluster import Cluster, read
from tests.live.helpers import BOUND_S, eventually

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(loop_factory(), id="installed")]


@pytest.mark.parametrize("factory", LOOPS)
def test_the_life_of_a_cluster(
    factory: Callable[[], asyncio.AbstractEventLoop], tmp_path: Path, ports: list[int]
) -> None:
    async def main() -> None:
        cluster = Cluster(tmp_path, ports)
        await cluster.start()
        leader = await cluster.leader()
        follower, other = sorted(set(cluster.servers) - {leader})

        # a command at the leader, one relayed by a follower, and reads of all kinds everywhere
        await cluster.agreed()
        assert (await cluster.put(leader, "a")).kind == OK
        relayed = await cluster.put(follower, "b")
        assert (relayed.kind, relayed.forwarded, relayed.value["result"]) == (OK, True, "ok")
        for server in cluster.servers.values():
            assert await read(server, "b", stale=False) == "b"
        await cluster.agreed()
        for server in cluster.servers.values():
            assert await read(server, "a", stale=True) == "a"

        # the leader goes, the others carry on, it comes back and catches up from its disk
        await cluster.stop(leader)
        assert (await cluster.put(await cluster.leader(), "c")).kind == OK
        await cluster.start(leader)
        await cluster.agreed()
        assert await read(cluster.servers[leader], "a", stale=True) == "a"
        assert await read(cluster.servers[leader], "c", stale=True) == "c"

        # a member is removed: it hears of it, and the others do without
        leader = await cluster.leader()
        follower, other = sorted(set(cluster.servers) - {leader})
        removed = await cluster.servers[other].call(RemovePeer(id=follower))
        assert removed.kind == OK, removed
        await eventually(lambda: len(cluster.servers[follower].status()["configuration"]["servers"]) == 2)
        await cluster.stop(follower)
        assert (await cluster.put(other, "d")).kind == OK
        membership = (await cluster.servers[other].call(ReadMembership())).value
        assert sorted(server["name"] for server in membership["servers"]) == sorted(
            f"{id}.global" for id in (leader, other)
        )
        await cluster.stop()
        assert cluster.failures == []
        assert {"n1 start", "n1 deliver", "n1 synced"} <= set(cluster.events)

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


async def test_a_leader_that_is_cut_off_is_replaced_and_follows_when_healed(tmp_path: Path, ports: list[int]) -> None:
    cluster = Cluster(tmp_path, ports)
    await cluster.start()
    old = await cluster.leader()
    faults = cluster.servers[old].faults
    assert faults is not None
    faults.block(set(cluster.servers) - {old})
    waiting = asyncio.create_task(cluster.put(old, "lost"))
    new = await cluster.leader(old)
    assert await waiting == Outcome(UNKNOWN, reason=LEADERSHIP_LOST)
    assert (await cluster.put(new, "kept")).kind == OK
    assert faults.dropped > 0
    faults.block([])
    await cluster.agreed()
    assert await read(cluster.servers[old], "kept", stale=True) == "kept"
    assert await read(cluster.servers[old], "lost", stale=True) is None
    await cluster.stop()


async def test_who_waits_when_a_server_stops_is_told_that_nothing_is_certain(tmp_path: Path, ports: list[int]) -> None:
    cluster = Cluster(tmp_path, ports)
    await cluster.start("n1", "n2")
    leader = await cluster.leader()
    (follower,) = set(cluster.servers) - {leader}
    await cluster.agreed()
    server = cluster.servers[leader]
    await cluster.stop(follower)
    waiting = asyncio.create_task(cluster.put(leader, "a"))
    cancelled = asyncio.create_task(cluster.put(leader, "b"))
    await eventually(lambda: server.status()["pending_requests"] == 2)
    cancelled.cancel()
    await cluster.stop(leader)
    assert await waiting == Outcome(UNKNOWN, reason=STOPPED)
    assert cancelled.cancelled()
    assert await server.call(ReadMembership(stale=True)) == Outcome(REFUSED, reason=STOPPED)
    await server.stop()  # again: nothing happens
    assert cluster.failures == []


async def test_a_failing_disk_stops_the_server_and_nothing_is_vouched_for(
    tmp_path: Path, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, ports)
    await cluster.start()
    leader = await cluster.leader()
    follower = min(set(cluster.servers) - {leader})
    await cluster.agreed()

    def fail(_writes: Sequence[Write]) -> None:
        raise StorageError("wal/1: input/output error")

    monkeypatch.setattr(cluster.data[leader], "append", fail)
    relayed = asyncio.create_task(cluster.put(follower, "a"))
    assert (await cluster.put(leader, "a")).kind == UNKNOWN
    await eventually(lambda: cluster.failures == [(leader, "wal/1: input/output error")])
    assert await relayed == Outcome(UNKNOWN, reason=LINK_LOST, forwarded=True)
    assert (await cluster.put(await cluster.leader(leader), "b")).kind == OK
    await cluster.stop()


async def test_a_leader_whose_disk_hangs_is_replaced(
    tmp_path: Path, ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not stop: when the disk goes on, it follows (B17)."""
    cluster = Cluster(tmp_path, ports)
    await cluster.start()
    old = await cluster.leader()
    goes_on = threading.Event()
    append = cluster.data[old].append

    def hang(writes: Sequence[Write]) -> None:
        assert goes_on.wait(BOUND_S)
        append(writes)

    monkeypatch.setattr(cluster.data[old], "append", hang)
    waiting = asyncio.create_task(cluster.put(old, "waiting"))
    new = await cluster.leader(old)
    assert (await cluster.put(new, "kept")).kind == OK
    assert cluster.servers[old].status()["role"] == FOLLOWER
    goes_on.set()
    await cluster.agreed()
    assert await read(cluster.servers[old], "kept", stale=True) == "kept"
    assert (await waiting).kind == UNKNOWN
    assert cluster.failures == []
    await cluster.stop()


async def test_an_internal_error_stops_the_server(
    tmp_path: Path, ports: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(tmp_path, ports)
    await cluster.start()
    leader = await cluster.leader()

    def broken(_index: int, _data: bytes) -> None:
        raise AssertionError("an invariant is broken")

    monkeypatch.setattr(cluster.servers[leader]._node.clients._machine, "apply", broken)
    assert await cluster.put(leader, "a") == Outcome(UNKNOWN, reason=STOPPED)
    assert cluster.failures == [(leader, "internal error: AssertionError('an invariant is broken')")]
    assert "an internal error stops this server" in caplog.text
    await cluster.stop()


async def test_a_port_that_is_taken(tmp_path: Path, ports: list[int]) -> None:
    cluster = Cluster(tmp_path, ports)
    await cluster.start("n1")
    cluster.ports["n2"] = cluster.ports["n1"]
    second = cluster.make("n2")
    with pytest.raises(OSError, match=f"cannot listen for peers on 127.0.0.1:{ports[0]}: Address already in use"):
        await second.start()
    await second.stop()
    DataDir.open(tmp_path / "n2", cluster_id="c", server_id="n2").close()  # the lock is free again
    await cluster.stop()


def test_run_returns_what_main_returns() -> None:
    async def main() -> str:
        return type(asyncio.get_running_loop()).__module__

    factory = loop_factory()
    assert run(main()) == ("uvloop" if factory is not None else "asyncio.unix_events")
