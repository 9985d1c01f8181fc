"""Traps of durability that the scenario language cannot set: what a disk keeps of a crash is not left to chance."""

from __future__ import annotations

import errno

from raftsim.node.requests import OK
from raftsim.node.settings import NodeSettings
from raftsim.sim.bytestore import ByteStore
from raftsim.sim.disk import BYTES, DiskModel
from raftsim.sim.world import World
from raftsim.swarm.settle import CONVERGENCE, SERVICE, demand, elected, put, settle


def power_cut_at_its_worst(seed: int) -> None:
    """The power of a follower is cut, and nothing is left but what was synced. When it starts again it must find all
    that it had called durable.
    """
    world, _, follower = real_log(seed)
    write(world)
    world.run(0.2)
    cut_power(world, follower)
    starts(world, follower)
    settle(world)


def power_cut_after_a_new_file(seed: int) -> None:
    """The same when its log has grown into a second file."""
    world, _, follower = real_log(seed)
    write(world, 30)
    world.run(0.2)
    assert len(store_of(world, follower).files.directory(f"{follower}/raft/wal").names()) > 1
    cut_power(world, follower)
    starts(world, follower)
    settle(world)


def a_sync_fails(seed: int) -> None:
    """One sync of a follower fails, just once. It must stop: what became of the write is unknown. It starts again and
    finds the write in the page cache, which says nothing of the platter; then its power is cut.
    """
    world, _, follower = real_log(seed)
    write(world)
    world.run(0.2)
    store_of(world, follower).files.failing_once["sync"] = errno.EIO
    write(world)
    world.run(0.2)
    assert store_of(world, follower).files.felt["fail"]
    if follower not in world.alive:
        world.restart(follower)
        world.run(0.2)
    cut_power(world, follower)
    starts(world, follower)
    settle(world)


def a_write_is_torn(seed: int) -> None:
    """The power of a follower is cut in the middle of a write, and a part of it reaches the platter. Nothing in it was
    acknowledged: the server cuts it off and goes on.
    """
    world, _, follower = real_log(seed)
    write(world)
    world.run(0.2)
    store = store_of(world, follower)
    store.fate = "best"
    world.disk(follower).cut_power(30)
    write(world)
    world.run(0.2)
    assert follower not in world.alive
    starts(world, follower)
    assert store.torn
    settle(world)


# what other scenes use too


def real_log(seed: int, node_settings: NodeSettings | None = None, *, judges: bool = True) -> tuple[World, str, str]:
    """Three servers with the real log over simulated files; the leader, and one of the followers."""
    world = World(3, seed=seed, disk=DiskModel(form=BYTES), node_settings=node_settings, judges=judges)
    leader = elected(world)
    return world, leader, next(name for name in world.names if name != leader)


def write(world: World, count: int = 1) -> None:
    """So many writes, one after another, each acknowledged."""
    for number in range(count):
        outcome = world.ask(elected(world), put(f"key/{number % 5}", f"at {world.now}"))
        demand(world, outcome.kind == OK, SERVICE, f"a write was not acknowledged: {outcome.reason}")


def starts(world: World, name: str) -> None:
    """It must start from what its disk holds."""
    world.restart(name)
    halted = world.hosts[name].halted
    demand(world, not halted, CONVERGENCE, f"{name} does not start: {halted}")


def cut_power(world: World, name: str) -> None:
    """Nothing survives but what was synced."""
    store = store_of(world, name)
    store.fate = "worst"
    world.crash(name)
    store.fate = "any"


def store_of(world: World, name: str) -> ByteStore:
    store = world.hosts[name].disk.store
    assert isinstance(store, ByteStore)
    return store
