"""The end of every run with faults: what is broken is mended, and the cluster must be whole again.

What is not as it must be is a violation, as one of safety is: InvariantViolated is raised.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from raftsim.check.violation import InvariantViolated, Violation
from raftsim.core.raft import Raft
from raftsim.machine.variables import put_command
from raftsim.node.requests import OK, Command, Outcome, Query
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.wipes import Copies

CALM_S: Final = 6.0  # what waited for a leader meanwhile (up to 5 s) is done or given up, a removal too
AGREE_S: Final = 20.0
LOOKS: Final = 5  # at the logs, while nobody leads for long
CONVERGE_S: Final = 600.0  # a log is long where Appends hold one entry each, and so is a snapshot in tiny chunks
ELECT_S: Final = 10.0

CONVERGENCE: Final = "convergence"
SERVICE: Final = "service"
DURABILITY: Final = "durability"


def put(path: str, value: str) -> Command:
    return Command(put_command("default", path, {"value": value}, None, 0))


def get(path: str) -> Query:
    return Query(("get", "default", path))


def settle(world: World, *, retire: bool = False, copies: Copies | None = None) -> None:
    """Mend all faults; then one leader, equal logs, a fresh write and read, and every acknowledged write in place.

    `retire`: servers that are no members are shut down first, as an operator does. Where nothing protects from a server
    that was not told of its removal, it disturbs the others for ever. `copies`: whose damaged disks may be emptied.
    """
    mend(world)
    for name in world.names:
        if copies is not None and copies.may_be_emptied(name):
            world.wipe(name)
            world.restart(name)
    world.run(CALM_S)
    if retire:
        demand(world, _agree(world), CONVERGENCE, "there are no agreed members")
        _keep_only(world, members(world))
        world.run(1)  # its last messages are still on their way
    converge(world)
    serve(world)


def _agree(world: World) -> bool:
    """Whether there is a leader that is ready. While there is none, those are shut down whom the longest log does not
    name: they may be what keeps the others from it. The next look at the logs may find that they are needed."""
    for _ in range(LOOKS):
        if world.run_until(lambda: settled(world), AGREE_S):
            return True
        rafts = [node.raft for host in world.hosts.values() if (node := host.node) is not None]
        newest = max(rafts, key=lambda raft: (raft.log.last_term, raft.log.last_index))
        _keep_only(world, [world.name_of(id) for id in newest.config.members()])
    return False


def _keep_only(world: World, names: Collection[str]) -> None:
    """Shut down all others, and start these."""
    for name in world.names:
        if name in world.alive and name not in names:
            world.stop(name)
        elif name in names and name not in world.alive:
            world.restart(name)


def mend(world: World, broken: Collection[str] = ()) -> None:
    """A calm network, and every server at work, all but the `broken` ones."""
    world.network.model = NetworkModel()
    world.heal()
    for name in world.names:
        if name in broken:
            continue
        world.disk(name).mend()
        if world.hosts[name].paused:
            world.resume(name)
        if name not in world.alive:
            world.restart(name)


def converge(world: World, broken: Collection[str] = ()) -> None:
    """Wait for one leader, and all members but the `broken` ones to have applied all there is."""
    reached = world.run_until(lambda: converged(world, broken), CONVERGE_S)
    demand(world, reached, CONVERGENCE, f"the cluster does not converge within {CONVERGE_S:.0f} s of calm")


def serve(world: World, broken: Collection[str] = ()) -> None:
    """A fresh write and a read of it succeed, and reach every member, which then has all that was acknowledged."""
    name = next(name for name in members(world) if name not in broken)
    written = _answer(world, name, put("fresh", str(world.now)))
    found = _answer(world, name, get("fresh"))
    same = index_of(found) == index_of(written)
    demand(world, same, SERVICE, f"{name} answered a read with an older state than its last write made")
    spread = world.run_until(lambda: converged(world, broken), CONVERGE_S)
    demand(world, spread, SERVICE, "a fresh write does not reach every member")
    assert world.judges is not None
    for name in members(world):
        lost = [] if name in broken else world.judges.durability.lost(name)
        demand(world, not lost, DURABILITY, f"{name} lost {len(lost)} acknowledged writes, of them {lost[:1]}")


def demand(world: World, holds: bool, judge: str, sentence: str) -> None:
    """Raise InvariantViolated unless it holds."""
    if not holds:
        raise InvariantViolated(Violation(judge, world.now, "", sentence))


def elected(world: World) -> str:
    """Wait for a leader. Returns its name."""
    demand(world, world.run_until(lambda: world.leader() is not None, ELECT_S), CONVERGENCE, "there is no leader")
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


def converged(world: World, broken: Collection[str] = ()) -> bool:
    """It is settled, and every member, but for the `broken` ones, has applied all there is."""
    if not settled(world):
        return False
    others = [world.hosts[name].node for name in members(world) if name not in broken]
    return {other and other.applied_index for other in others} == {leading(world).log.last_index}


def index_of(outcome: Outcome) -> int:
    """The log index of the value that was written or read; 0: there is none."""
    variable = outcome.value["variable"]
    return 0 if variable is None else int(variable["ModifyIndex"])


def _answer(world: World, name: str, request: Command | Query) -> Outcome:
    """The server's answer, which must be one."""
    outcome = world.ask(name, request)
    what = "write" if isinstance(request, Command) else "read"
    demand(world, outcome.kind == OK, SERVICE, f"{name} did not answer a {what}: {outcome.kind}, {outcome.reason}")
    return outcome
