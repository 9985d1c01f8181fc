"""Traps of snapshots that the scenario language cannot set."""

from __future__ import annotations

from collections.abc import Callable

from raftsim.mutants.scenes_durability import cut_power, real_log, starts, store_of, write
from raftsim.node.settings import NodeSettings
from raftsim.sim.holds import Match
from raftsim.sim.world import World
from raftsim.swarm.settle import CONVERGENCE, converged, demand, settle


def a_snapshot_rots(seed: int) -> None:
    """The newer one of the two snapshots of a follower is damaged while it is down. It must come back: with the older
    one and the log behind that. There are no judges here: they miss the newer one.
    """
    world, _, follower = real_log(seed, _often(40), judges=False)
    write(world, 100)
    world.run(0.5)
    world.crash(follower)
    place = f"{follower}/raft/snapshots"
    older, newer = store_of(world, follower).files.directory(place).names()
    world.disk(follower).rot(f"{place}/{newer}", 100)
    starts(world, follower)
    restored = world.hosts[follower].disk.restored().snapshot
    assert restored is not None
    assert older.endswith(f"{restored.index:016d}.snap")
    demand(world, world.run_until(lambda: converged(world), 10), CONVERGENCE, "the cluster does not converge")


def chunks_of_two_leaders(seed: int) -> None:
    """A follower has the first chunk of a snapshot when the leader dies. The next leader has a newer one to send."""
    world, old, follower = real_log(seed, _often(10))
    world.isolate(follower)
    write(world, 20)
    hold = world.hold(Match(kinds={"install"}, dst={world.ids[follower]}))
    world.heal()
    _wait(world, lambda: bool(hold.held))
    hold.deliver(1)
    _wait(world, lambda: bool(hold.held))
    world.crash(old)
    hold.drop(1)
    _wait(world, lambda: world.leader() is not None)
    world.restart(old)
    write(world, 20)
    hold.deliver()
    settle(world)


def a_received_snapshot_at_a_power_cut(seed: int) -> None:
    """A follower is sent a snapshot, and acknowledges it. Then its power is cut: it must have it still."""
    world, _, follower = real_log(seed, _often(10))
    world.isolate(follower)
    write(world, 30)
    world.heal()
    _wait(world, lambda: converged(world))
    assert world.hosts[follower].disk.restored().snapshot is not None
    cut_power(world, follower)
    starts(world, follower)
    settle(world)


def _often(entries: int) -> NodeSettings:
    """A snapshot every so many entries, sent in small chunks."""
    return NodeSettings(snapshot_threshold_entries=entries, trailing_entries=0, snapshot_chunk_bytes=100)


def _wait(world: World, condition: Callable[[], bool]) -> None:
    assert world.run_until(condition, 10)
