"""What was recorded, done again, or a part of it: in a world such as a scenario begins in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from raftsim.check.clients.durable import DURABILITY as LOST
from raftsim.check.violation import InvariantViolated
from raftsim.machine.variables import put_command
from raftsim.node.requests import ChangeMembership, Command, Query, TransferLeadership
from raftsim.scenario.load import parse
from raftsim.scenario.report import DURABILITY, LIVENESS
from raftsim.scenario.sim_target import NAMESPACE, world_of
from raftsim.scenario.target import ITEM
from raftsim.shrink.document import Document, write
from raftsim.shrink.recording import Act
from raftsim.sim.world import World
from raftsim.swarm import settle
from raftsim.swarm.wipes import wipeable

CONVERGE_S: Final = 60.0
TAIL_S: Final = 2.0  # of what comes after the last act, until the run is over
OF_THE_END: Final = {settle.CONVERGENCE: LIVENESS, settle.DURABILITY: DURABILITY, LOST: DURABILITY}
_PATH: Final = "scenario/put-1/key-0"


@dataclass(frozen=True, slots=True)
class Replayed:
    """`judge`: that of a scenario; empty: nothing is violated. `acts`: those that had an effect."""

    seed: int
    judge: str
    acts: tuple[Act, ...]


Replay = Callable[[Document, Sequence[Act], int, str], Replayed]


def replay(head: Document, acts: Sequence[Act], seed: int, judge: str) -> Replayed:
    """Do the `acts` in the world of `head`. If `judge` is one of the end, all is mended then, and must be well."""
    world = world_of(parse(write({**head, "steps": [{"run": "1s"}]}), ""), seed, strict=True)
    done: list[Act] = []
    found = ""
    try:
        for act in acts:
            world.run(max(0.0, act.time_s - world.now))
            if perform(world, act):
                done.append(act)
        world.run(TAIL_S)
        if judge in OF_THE_END.values():
            done += [act for act in mending(world) if perform(world, act)]
            found = _end(world)
    except InvariantViolated as violated:
        found = violated.violation.invariant
    return Replayed(seed, found, tuple(done))


def mending(world: World) -> list[Act]:
    """All that mends a world."""
    now = round(world.now, 6)
    return [
        Act(now, "heal"),
        Act(now, "mend", world.names),
        *(Act(now, verb, (name,)) for name in world.names for verb in ("resume", "restart")),
    ]


def _end(world: World) -> str:
    """What is wrong with a world that was mended, by the judge of a scenario."""
    assert world.judges is not None
    if not world.run_until(lambda: settle.converged(world), CONVERGE_S):
        return LIVENESS
    lost = any(world.judges.durability.lost(name) for name in settle.members(world))
    return DURABILITY if lost else ""


def perform(world: World, act: Act) -> bool:
    """Do it, unless it comes to nothing as things are. Whether it was done."""
    names = [name for name in act.what[:1] if act.verb not in ("cut", "mend")]
    if act.verb not in _ACTS or not set(names) <= set(world.names):
        return False
    return _ACTS[act.verb](world, *act.what)


def _crash(world: World, name: str) -> bool:
    if name in world.alive:
        world.crash(name)
        return True
    return False


def _restart(world: World, name: str) -> bool:
    if name in world.alive:
        return False
    world.restart(name)
    return name in world.alive


def _wipe(world: World, name: str) -> bool:
    """As in the swarm: one disk at a time, or more would be lost than a quorum can bear."""
    if not wipeable(world):
        return False
    world.wipe(name)
    return True


def _pause(world: World, name: str) -> bool:
    if name not in world.alive or world.hosts[name].paused:
        return False
    world.pause(name)
    return True


def _resume(world: World, name: str) -> bool:
    if not world.hosts[name].paused:
        return False
    world.resume(name)
    return True


def _heal(world: World) -> bool:
    healed = bool(world.network.cuts)
    world.heal()
    return healed


def _cut(world: World, *pairs: tuple[str, str]) -> bool:
    known = [(src, dst) for src, dst in pairs if {src, dst} <= set(world.names)]
    for src, dst in known:
        world.cut(src, dst)
    return bool(known)


def _disk(world: World, name: str, fault: str, value: Any) -> bool:
    getattr(world.disk(name), "rot_log" if fault == "rot" else fault)(value)
    return True


def _mend(world: World, *names: str) -> bool:
    for name in names:
        if name in world.names:
            world.disk(name).mend()
    return True


def _clock(world: World, name: str, rate: float) -> bool:
    world.set_clock(name, rate=rate)
    return True


def _ask(request: Callable[..., Any]) -> Callable[..., bool]:
    def ask(world: World, name: str, *what: Any) -> bool:
        if name not in world.alive:
            return False
        asked = request(world, *what)
        if asked is not None:
            world.submit(name, asked)
        return asked is not None

    return ask


def _put(world: World) -> Command:
    return Command(put_command(NAMESPACE, _PATH, {ITEM: "1-0"}, None, int(world.now * 1e9)))


def _transfer(world: World, name: str) -> TransferLeadership | None:
    return TransferLeadership(id=world.ids[name]) if name in world.ids else None


def _change(world: World, changes: Sequence[tuple[str, str]]) -> ChangeMembership | None:
    if not all(name in world.hosts for _, name in changes):
        return None
    infos = [(op, world.hosts[name].info) for op, name in changes]
    return ChangeMembership(tuple((op, info.id, info.address) for op, info in infos))


_ACTS: Final[Mapping[str, Callable[..., bool]]] = {
    "crash": _crash,
    "restart": _restart,
    "wipe": _wipe,
    "pause": _pause,
    "resume": _resume,
    "heal": _heal,
    "cut": _cut,
    "disk": _disk,
    "mend": _mend,
    "clock": _clock,
    "put": _ask(_put),
    "get": _ask(lambda _: Query(("get", NAMESPACE, _PATH))),
    "transfer": _ask(_transfer),
    "change": _ask(_change),
}
