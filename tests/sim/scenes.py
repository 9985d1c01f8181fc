"""Situations that random schedules rarely bring about."""

from __future__ import annotations

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.core.output import FOLLOWER
from raftsim.node.requests import OK, ChangeMembership, Outcome
from raftsim.sim.disk import RECORDS, DiskModel, Form
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, leading, put


def changes(world: World, **ops: str) -> ChangeMembership:
    """These changes at once; names are servers of the world."""
    return ChangeMembership(tuple((op, world.ids[name], world.hosts[name].info.address) for name, op in ops.items()))


def change(world: World, **ops: str) -> Outcome:
    """Ask the leader for these changes."""
    return world.ask(world.leader() or "", changes(world, **ops))


def joint_halves_apart(seed: int) -> World:
    """The leader dies in a joint configuration, and the new half is cut off from the old one for a while."""
    world = World(3, seed=seed)
    leader = elected(world)
    for name in ("n4", "n5"):
        world.add(name)
        assert change(world, **{name: LEARNER}).kind == OK
    world.run(2)
    old = [name for name in ("n1", "n2", "n3") if name != leader]
    world.partition([[leader, "n4", "n5"]])
    world.submit(leader, changes(world, **dict.fromkeys(old, REMOVE), n4=VOTER, n5=VOTER))
    world.run(0.1)
    assert leading(world).config.joint
    world.crash(leader)
    world.run(5)
    return world


def change_by_a_deposed_leader(seed: int) -> World:
    """A leader that is cut off begins a change; when it is back, another one leads."""
    world = World(3, seed=seed)
    old = elected(world)
    world.run(1)
    gone = next(name for name in world.names if name != old)
    world.isolate(old)
    world.submit(old, changes(world, **{gone: REMOVE}))
    assert world.run_until(lambda: world.leader() not in {None, old}, 10)
    world.heal()
    world.run(1)
    return world


def disk_of_the_leader_stalls(form: Form = RECORDS) -> World:
    """Its heartbeats would keep all others quiet while nothing can be committed: it resigns, and another one leads."""
    world = World(3, seed=6, disk=DiskModel(form=form))
    old = elected(world)
    assert world.ask(old, put("key", "before")).kind == OK
    world.disk(old).stall()
    world.submit(old, put("key", "on its way"))
    assert world.run_until(lambda: world.leader() not in {None, old}, 5), f"{old} still leads"
    status = world.status(old)
    assert status is not None
    assert status["role"] == FOLLOWER
    assert world.ask(elected(world), put("key", "of another leader")).kind == OK
    return world
