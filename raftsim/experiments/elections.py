"""How long a cluster is without a leader: one trial, from the leader's last heartbeat to the next leader."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from raftsim.core.config import Config
from raftsim.core.entry import CONFIG, NOOP, Entry, HardState, Restored
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.sim.delays import Delay
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World

PATIENCE_S: Final = 3600.0  # virtual time; more means that nobody can be elected


@dataclass(frozen=True, slots=True)
class Election:
    """What a trial begins with. The rules are those of the paper alone, unless there is a `pre_vote`: then check-quorum
    and stickiness are on too, as they are by default. A dead leader is never noticed before an election timeout.

    `servers`: in the configuration; `failed` of them are down for good. `unequal`: each of the others has a longer log
    than the one before it; the shortest cannot win, and none gets the votes of those with longer logs.
    `synchronised`: every timer begins when the last heartbeat, sent at 0, arrives; else all begin at 0.
    `heard`: the trial ends when all others have heard of the new leader, else when it has its votes.
    """

    servers: int
    failed: int
    unequal: bool
    timeout_min_s: float
    timeout_max_s: float
    delay: Delay  # one way
    write_min_s: float = 0.0
    write_max_s: float = 0.0
    synchronised: bool = False
    heard: bool = False
    pre_vote: bool = False

    @property
    def heartbeat_s(self) -> float:
        return self.timeout_min_s / 2


@dataclass(frozen=True, slots=True)
class Elected:
    """`after_s`: since 0. `terms`: how many elections that took."""

    after_s: float
    terms: int


def elect(election: Election, seed: int) -> Elected:
    """One trial. The same seed is the same trial."""
    names = [f"n{number + 1}" for number in range(election.servers)]
    up = names[: election.servers - election.failed]
    settings = Settings(
        election_timeout_min_s=election.timeout_min_s,
        election_timeout_max_s=election.timeout_max_s,
        heartbeat_interval_s=election.heartbeat_s,
        pre_vote=election.pre_vote,
        check_quorum=election.pre_vote,
        stickiness=election.pre_vote,
        fast_failover=False,
    )
    world = World(
        names,
        seed=seed,
        settings=settings,
        network=NetworkModel(election.delay),
        disk=DiskModel(election.write_min_s, election.write_max_s),
        judges=False,
        down=names,
        held=lambda name, config: _log(config, 1 + names.index(name) * election.unequal),
    )
    for arrival_s, name in _arrivals(election, up, Random(f"{seed}/last heartbeat")):
        world.run(arrival_s - world.now)
        world.restart(name)

    def leader() -> Raft | None:
        return next((raft for raft in _rafts(world, up) if raft.role == LEADER), None)

    def over() -> bool:
        new = leader()
        if new is None or not election.heard:
            return new is not None
        return all(raft.leader == new.id and raft.term == new.term for raft in _rafts(world, up))

    world.run_until(over, PATIENCE_S)
    new = leader()
    if new is None:
        raise ValueError(f"nobody was elected within {PATIENCE_S:.0f} s")
    return Elected(world.now, new.term - 1)


def _rafts(world: World, names: list[str]) -> list[Raft]:
    return [node.raft for name in names if (node := world.hosts[name].node) is not None]


def _log(config: Config, entries: int) -> Restored:
    """Of term 1, whose leader is gone."""
    return Restored(HardState(1), [Entry(0, CONFIG, config), *[Entry(1, NOOP)] * entries])


def _arrivals(election: Election, up: list[str], rng: Random) -> list[tuple[float, str]]:
    """When each timer begins."""
    if not election.synchronised:
        return [(0.0, name) for name in up]
    return sorted((election.delay.draw(rng), name) for name in up)
