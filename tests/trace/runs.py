"""Runs for the tests of traces: one in which everything happens, one that an outside judge can follow."""

from __future__ import annotations

from pathlib import Path

from raftsim import __version__
from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.machine.variables import delete_command, put_command
from raftsim.node.requests import ChangeMembership, Command, Query, RemovePeer, TransferLeadership
from raftsim.node.settings import NodeSettings
from raftsim.sim.disk import BYTES, DiskModel
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.trace.digest import Digest
from raftsim.trace.file import Header, Record, TraceReader, TraceWriter


def header() -> Header:
    servers = {f"n{number}": f"127.0.0.1:{4637 + 10 * number}" for number in (1, 2, 3)}
    return Header("none.yaml", "", 7, servers, __version__)


def eventful(path: Path) -> str:
    """Losses, crashes, a wiped disk, snapshots, changes of the membership. Returns the digest of the run."""
    digest = Digest()
    limits = NodeSettings(snapshot_threshold_entries=5, trailing_entries=2)
    network = NetworkModel(loss=0.02, duplicate=0.05)
    with TraceWriter(str(path), header()) as trace:
        world = World(
            3, seed=7, network=network, node_settings=limits, disk=DiskModel(form=BYTES), observers=[digest, trace]
        )
        for number in range(4):
            put(world, f"key{number}")
            world.submit(world.names[number % 3], Query(("get", "default", f"key{number}")))
        leader = settled(world)
        world.isolate(leader)
        world.run(3)
        world.heal()
        world.pause(settled(world))
        world.run(3)
        world.resume(next(name for name in world.names if world.hosts[name].paused))
        world.add("n4")
        for vote in (LEARNER, VOTER):
            world.submit(settled(world), ChangeMembership(((vote, world.ids["n4"], world.ids["n4"]),)))
            world.run(3)
        world.submit(settled(world), TransferLeadership())
        world.run(3)
        follower = next(name for name in world.alive if name != settled(world))
        world.crash(follower)
        for number in range(8):
            put(world, f"more{number}")
        world.restart(follower)
        world.run(2)
        world.stop(follower)
        world.wipe(follower)
        world.restart(follower)
        world.run(5)
        world.submit(settled(world), RemovePeer(address=world.ids["n4"]))
        world.submit(settled(world), ChangeMembership(((REMOVE, "nobody", ""),)))
        world.run(3)
        world.disk(settled(world)).fail("write")
        put(world, "last")
        world.run(2)
        trace.end("pass", "")
    return digest.hexdigest()


def calm(path: Path, *, loss: float = 0.0) -> None:
    """Elections, writes and reads of three servers, one of which is cut off for a while."""
    with TraceWriter(str(path), header()) as trace:
        world = World(3, seed=5, network=NetworkModel(loss=loss, duplicate=loss), observers=[trace])
        for number in range(12):
            if number == 6:
                world.isolate(settled(world))
            name = world.names[number % 3]
            world.submit(name, Command(put_command("default", f"key{number % 2}", {"a": str(number)}, None, 0)))
            world.submit(name, Query(("get", "default", f"key{number % 2}")))
            world.run(0.4)
        world.heal()
        world.run(20)
        world.submit(settled(world), Command(delete_command("default", "key0", None)))
        world.run(1)
        world.submit(settled(world), Query(("get", "default", "key0")))
        world.run(1)
        trace.end("pass", "")


def settled(world: World) -> str:
    assert world.run_until(lambda: world.leader() is not None, within_s=20)
    leader = world.leader()
    assert leader is not None
    return leader


def put(world: World, path: str) -> None:
    world.submit(settled(world), Command(put_command("default", path, {"a": path}, None, 0)))
    world.run(0.3)


def read(path: Path) -> list[Record]:
    with TraceReader(str(path)) as trace:
        return list(trace)
