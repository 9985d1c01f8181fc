"""The client against real servers on real sockets."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from raftsim.client import Client, Conflict, Deleted, Put, Refused
from raftsim.client.settings import ClientSettings
from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings
from tests.client.helpers import IMPATIENT, QUICK, address, addresses
from tests.live.cluster import Cluster
from tests.live.helpers import eventually


async def test_variables_are_put_read_listed_and_deleted(cluster: Cluster) -> None:
    async with Client(addresses(cluster), cluster_id="c", settings=QUICK) as client:
        made = await client.put("app/one", {"key": "1"})
        await client.put("app/two", {"key": "2"})
        await client.put("other", {"key": "3"})
        assert await client.get("app/one") == made
        assert made.items == {"key": "1"}
        assert [variable.path for variable in await client.list("app/")] == ["app/one", "app/two"]
        await client.delete("app/one")
        assert await client.get("app/one") is None
        await client.delete("app/one")


async def test_check_and_set_tells_what_is_in_the_way(cluster: Cluster) -> None:
    async with Client(addresses(cluster), settings=QUICK) as client:
        first = await client.cas("lock", {"owner": "a"}, 0)
        with pytest.raises(Conflict, match="lock is at index") as conflict:
            await client.cas("lock", {"owner": "b"}, 0)
        assert conflict.value.index == first.modify_index
        with pytest.raises(Conflict):
            await client.delete("lock", first.modify_index + 1)
        second = await client.cas("lock", {"owner": "b"}, first.modify_index)
        await client.delete("lock", second.modify_index)
        assert await client.get("lock") is None


async def test_what_the_machine_does_not_take_is_refused_at_once(cluster: Cluster) -> None:
    async with Client(addresses(cluster), settings=QUICK) as client:
        with pytest.raises(Refused, match='invalid path "no such path"') as refused:
            await client.put("no such path", {})
        assert refused.value.reason == "invalid"
        with pytest.raises(Refused, match="unknown query"):
            await client.query(("nonsense",))
        with pytest.raises(Refused, match="no index to wait for"):
            await client.query(("session", 1), after=1)


async def test_many_calls_are_on_their_way_at_once(cluster: Cluster) -> None:
    async with Client(addresses(cluster), settings=QUICK) as client:
        made = await asyncio.gather(*(client.put(f"many/{number:03}", {"n": str(number)}) for number in range(300)))
        assert len({variable.modify_index for variable in made}) == 300
        assert len(await client.list("many/")) == 300


async def test_the_client_goes_to_the_leader(cluster: Cluster) -> None:
    leader = await cluster.leader()
    follower = next(id for id in cluster.ports if id != leader)
    async with Client([address(cluster, follower)], settings=QUICK) as client:
        await client.put("key", {})

        def talks_to() -> str:
            link = client._connections.current
            return link.address if link else ""

        await eventually(lambda: talks_to() == address(cluster, leader), "the client follows the leader")
        await client.put("key", {})


async def test_every_increment_counts_once_while_leaders_go(cluster: Cluster) -> None:
    """Each number is taken by exactly one of the writers: no copy of a command was applied twice, none was lost."""
    taken: list[int] = []

    async def count(client: Client) -> None:
        while len(taken) < 200:
            current = await client.get("counter")
            value = int(current.items["n"]) if current else 0
            try:
                await client.cas("counter", {"n": str(value + 1)}, current.modify_index if current else 0)
            except Conflict:
                continue
            taken.append(value + 1)

    def reached(number: int) -> bool:
        return len(taken) >= number

    clients = [Client(addresses(cluster), settings=QUICK) for _ in range(3)]
    writers = [asyncio.ensure_future(count(client)) for client in clients]
    for number in (50, 120):
        await eventually(partial(reached, number), f"{number} increments")
        gone = await cluster.leader()
        await cluster.stop(gone)
        await cluster.leader(gone)
        await cluster.start(gone)
    await asyncio.gather(*writers)
    assert sorted(taken) == list(range(1, len(taken) + 1))
    for client in clients:
        await client.close()


async def test_a_watch_shows_what_is_there_and_then_what_changes(cluster: Cluster) -> None:
    async with Client(addresses(cluster), settings=QUICK) as client, Client(addresses(cluster)) as writer:
        await writer.put("app/old", {"n": "0"})
        changes = client.watch("app/")
        shown = [await anext(changes)]
        await writer.put("elsewhere", {})
        await writer.put("app/new", {"n": "1"})
        shown.append(await anext(changes))
        await writer.delete("app/old")
        shown.append(await anext(changes))
        assert [change.variable.path if isinstance(change, Put) else change for change in shown] == [
            "app/old",
            "app/new",
            Deleted("default", "app/old"),
        ]
        await changes.aclose()  # type: ignore[attr-defined]


async def test_a_watch_never_goes_back_when_servers_go(cluster: Cluster) -> None:
    last, seen = 60, []

    async def watch(client: Client) -> None:
        async for change in client.watch("count"):
            assert isinstance(change, Put)
            seen.append(int(change.variable.items["n"]))
            if seen[-1] == last:
                return

    async with Client(addresses(cluster), settings=QUICK) as client, Client(addresses(cluster)) as writer:
        watching = asyncio.ensure_future(watch(client))
        for number in range(last + 1):
            await writer.put("count", {"n": str(number)})
            if number in (20, 40):
                gone = await cluster.leader()
                await cluster.stop(gone)
                await cluster.leader(gone)
                await cluster.start(gone)
        await asyncio.wait_for(watching, 20)
    assert seen == sorted(set(seen))


async def test_a_cluster_without_a_leader_refuses_in_time(cluster: Cluster) -> None:
    leader = await cluster.leader()
    async with Client([address(cluster, leader)], settings=IMPATIENT, session=False) as client:
        for id in cluster.ports:
            if id != leader:
                await cluster.stop(id)
        assert await client.get("key", stale=True) is None
        with pytest.raises(Refused):
            await client.get("key")


async def test_servers_that_are_gone_are_named(cluster: Cluster) -> None:
    await cluster.stop()
    async with Client(addresses(cluster), settings=IMPATIENT) as client:
        with pytest.raises(Refused, match=r"unreachable: 127.0.0.1:\d+: .*; 127.0.0.1") as refused:
            await client.put("key", {})
    assert refused.value.reason == "unreachable"


async def test_a_foreign_cluster_is_not_written_to(cluster: Cluster) -> None:
    async with Client(addresses(cluster), cluster_id="another", settings=IMPATIENT) as client:
        with pytest.raises(Refused, match="it looks for cluster 'another', this is 'c'"):
            await client.put("key", {})


@pytest.mark.parametrize(
    "wrong", [[], ["nowhere"], ["127.0.0.1:99999"], [f"127.0.0.1:{port}" for port in range(1, 70)]]
)
def test_wrong_addresses_are_an_error(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match=r"address"):
        Client(wrong)


def test_settings_of_the_cluster_outlast_a_silence() -> None:
    """A server holds a request for a leader shorter than the client takes it for frozen."""
    assert ClientSettings().answer_timeout_s > NodeSettings().leader_wait_s > Settings().election_timeout_max_s
