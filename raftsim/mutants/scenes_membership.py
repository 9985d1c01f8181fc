"""Traps of memberships: what a scenario file cannot ask for, as scenes of a strict world, by seed."""

from __future__ import annotations

from typing import Final

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.core.settings import Settings
from raftsim.node.requests import OK, ChangeMembership
from raftsim.node.settings import NodeSettings
from raftsim.sim.holds import Hold, Match
from raftsim.sim.host import PendingOutcome
from raftsim.sim.world import World
from raftsim.swarm.settle import converge, demand, elected, leading, put

LIVENESS: Final = "liveness"
SOON_S: Final = 20.0


def learners_alone_follow(seed: int) -> None:
    """n4 and n5 have no vote. They have an entry that no voter but the leader has: it is not committed."""
    world, leader, old = with_two_learners(seed)
    unsent = appends(world, leader, old)
    pending = world.submit(leader, put("key", "value"))
    world.run(0.1)
    assert unsent.caught
    assert pending.outcome is None
    unsent.deliver()
    converge(world)


def two_at_once(seed: int) -> None:
    """An operator asks for two removals at the same time. The second waits until the first is committed."""
    world = World(5, seed=seed)
    leader = elected(world)
    converge(world)
    gone = others(world, leader)[:2]
    asked = [submit(world, leader, **{name: REMOVE}) for name in gone]
    world.run(2)
    assert [pending.outcome and pending.outcome.kind for pending in asked] == [OK, OK]
    converge(world)


def the_new_half_alone_follows(seed: int) -> None:
    """The followers of a leader are to be replaced by n4 and n5, and do not get the entry that says so."""
    world, leader, old = with_two_learners(seed)
    unsent = appends(world, leader, old)
    exchange(world, leader, old)
    world.run(0.1)
    assert unsent.caught
    assert leading(world).config.joint
    unsent.deliver()
    world.run(1)
    converge(world)


def the_new_half_alone_elects(seed: int) -> None:
    """The same; then the leader dies. n4 and n5 are two of three in the new half, and nothing in the old one."""
    world, leader, old = with_two_learners(seed)
    world.partition([[leader, "n4", "n5"]])
    exchange(world, leader, old)
    world.run(0.1)
    assert leading(world).config.joint
    world.crash(leader)
    world.run(5)
    world.heal()
    world.restart(leader)
    world.run(1)
    converge(world)


def one_of_two_removes_itself(seed: int) -> None:
    """Of two servers the leader is to be removed, and dies before the other one hears of it. Only with a longer log
    than the other it can be elected, to hand that entry on; then it leaves."""
    world = World(2, seed=seed)
    leader = elected(world)
    converge(world)
    (other,) = others(world, leader)
    unsent = appends(world, leader, [other])
    submit(world, leader, **{leader: REMOVE})
    world.run(0.05)
    assert unsent.caught
    world.crash(leader)
    unsent.drop()
    world.restart(leader)
    left = world.run_until(lambda: world.leader() == other, SOON_S)
    demand(world, left, LIVENESS, f"{other} is not elected within {SOON_S:.0f} s")


def a_change_is_cut_off_again(seed: int) -> None:
    """A leader that is cut off begins a change. When it is back, another one leads and replaces that entry."""
    world, old = change_in_vain(World(3, seed=seed))
    world.heal()
    world.run(1)
    converge(world)
    assert old in world.alive


def a_change_is_replaced_by_a_snapshot(seed: int) -> None:
    """The same; but when it is back, what it lacks is compacted, and a snapshot takes the place of its log."""
    few = NodeSettings(snapshot_threshold_entries=5, trailing_entries=0)
    world, old = change_in_vain(World(3, seed=seed, node_settings=few))
    for number in range(20):
        assert world.ask(elected(world), put("key", str(number))).kind == OK
    world.run(0.2)
    assert leading(world).log.base_index > 5
    world.heal()
    world.run(1)
    converge(world)
    assert old in world.alive


def a_snapshot_before_a_change(seed: int) -> None:
    """Entry 4 makes it time for a snapshot. The log of the leader has a change behind it, which nobody else has."""
    few = NodeSettings(snapshot_threshold_entries=4)
    world = World(3, seed=seed, settings=Settings(max_append_entries=1), node_settings=few)
    leader = elected(world)
    assert world.ask(leader, put("key", "third")).kind == OK
    change = world.hold(Match(kinds={"append"}, src={world.ids[leader]}, index=lambda index: index > 4))
    world.submit(leader, put("key", "fourth"))
    submit(world, leader, **{others(world, leader)[0]: REMOVE})
    world.run(0.1)
    assert change.caught
    assert leading(world).snapshot is not None
    change.deliver()
    converge(world)


# of these scenes


def with_two_learners(seed: int) -> tuple[World, str, list[str]]:
    """Three voters, of which the leader and its followers are returned, and the non-voters n4 and n5."""
    world = World(3, seed=seed)
    leader = elected(world)
    old = others(world, leader)
    for name in ("n4", "n5"):
        world.add(name)
        pending = submit(world, leader, **{name: LEARNER})
        assert world.run_until(lambda pending=pending: pending.outcome is not None, 5)  # type: ignore[misc]
    world.run(2)  # they catch up
    converge(world)
    return world, leader, old


def change_in_vain(world: World) -> tuple[World, str]:
    """A leader that is cut off begins to remove somebody; another one is elected. Returns the first one too."""
    old = elected(world)
    converge(world)
    world.isolate(old)
    submit(world, old, **{others(world, old)[0]: REMOVE})
    assert world.run_until(lambda: world.leader() not in {None, old}, 10)
    return world, old


def exchange(world: World, leader: str, old: list[str]) -> None:
    """Replace the followers of old by n4 and n5, which takes joint consensus."""
    submit(world, leader, **dict.fromkeys(old, REMOVE), n4=VOTER, n5=VOTER)


def submit(world: World, leader: str, **ops: str) -> PendingOutcome:
    """Ask for these changes at once; names are servers of the world."""
    changes = [(op, world.ids[name], world.hosts[name].info.address) for name, op in ops.items()]
    return world.submit(leader, ChangeMembership(tuple(changes)))


def appends(world: World, leader: str, followers: list[str]) -> Hold:
    """From now on keep what the leader has for these followers, but for heartbeats."""
    ids = {world.ids[name] for name in followers}
    return world.hold(Match(kinds={"append"}, src={world.ids[leader]}, dst=ids))


def others(world: World, leader: str) -> list[str]:
    return [name for name in world.names if name != leader]
