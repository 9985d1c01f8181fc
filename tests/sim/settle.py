"""The end of every run with faults: everything is mended, and the cluster must be whole again."""

from __future__ import annotations

from raftsim.core.raft import Raft
from raftsim.machine.variables import put_command
from raftsim.node.requests import Command, Outcome, Query
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World

CALM_S = 6.0  # what waited for a leader meanwhile (up to 5 s) is done or given up, a removal too


def put(path: str, value: str) -> Command:
    return Command(put_command("default", path, {"value": value}, None, 0))


def get(path: str) -> Query:
    return Query(("get", "default", path))


def settle(world: World, *, retire: bool = False) -> None:
    """Mend all faults; then one leader, equal logs, a fresh write and read, and every acknowledged write in place.

    `retire`: servers that are no members are shut down first, as an operator does. Where nothing protects from a server
    that was not told of its removal, it disturbs the others for ever.
    """
    world.network.model = NetworkModel()
    world.heal()
    for name in world.names:
        world.disk(name).mend()
        if world.hosts[name].paused:
            world.resume(name)
        if name not in world.alive:
            world.restart(name)
    world.run(CALM_S)
    if retire:
        assert world.run_until(lambda: settled(world), 20), "the cluster does not agree on its members"
        for name in world.alive:
            if name not in members(world):
                world.stop(name)
        world.run(1)  # its last messages are still on their way
    assert world.run_until(lambda: converged(world), 10), "the cluster does not converge"
    name = members(world)[0]
    written = world.ask(name, put("fresh", str(world.now)))
    assert written.kind == "ok", written
    found = world.ask(name, get("fresh"))
    assert (found.kind, index_of(found)) == ("ok", index_of(written)), (written, found)
    assert world.run_until(lambda: converged(world), 5), "the fresh write does not reach every member"
    assert world.judges is not None
    for name in members(world):
        assert world.judges.durability.lost(name) == [], f"{name} lost acknowledged writes"


def elected(world: World) -> str:
    """Wait for a leader. Returns its name."""
    assert world.run_until(lambda: world.leader() is not None, 10)
    leader = world.leader()
    assert leader is not None
    return leader


def leading(world: World) -> Raft:
    """The protocol's part of the leader."""
    leader = world.leader()
    node = world.hosts[leader].node if leader else None
    assert node is not None, "no leader"
    return node.raft


def members(world: World) -> list[str]:
    """The members of the cluster, as its leader sees them."""
    return [world.name_of(id) for id in leading(world).config.members()]


def settled(world: World) -> bool:
    """One leader that is ready, and no change of the membership under way."""
    return world.leader() is not None and leading(world).open_to_change


def converged(world: World) -> bool:
    """It is settled, and every member has applied all there is."""
    if not settled(world):
        return False
    others = [world.hosts[name].node for name in members(world)]
    return {other and other.applied_index for other in others} == {leading(world).log.last_index}


def index_of(outcome: Outcome) -> int:
    """The log index of the value that was written or read; 0: there is none."""
    variable = outcome.value["variable"]
    return 0 if variable is None else int(variable["ModifyIndex"])
