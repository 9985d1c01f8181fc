"""A random schedule of faults, drawn from a seed, under all judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from typing import Final

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.node.requests import ChangeMembership, TransferLeadership
from raftsim.sim.build import Observer
from raftsim.sim.bytestore import ByteStore
from raftsim.sim.disk import FORMS, RECORDS, Form
from raftsim.sim.host import PendingOutcome
from raftsim.sim.world import World
from raftsim.swarm.aimed import Aimed
from raftsim.swarm.settle import put
from raftsim.swarm.sightings import ROTTEN, TORN, Sightings
from raftsim.swarm.weather import Weather
from raftsim.swarm.wipes import Copies

MAX_SERVERS: Final = 7
SIZES: Final = (3, 4, 5)
BURST: Final = 25  # requests to one server: a leader that is cut off grows a log that comes to nothing
FEW: Final = 0.2  # of the runs have servers that take little before it is committed
OPS: Final = (VOTER, VOTER, LEARNER, REMOVE)


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How long a server stays up, or down, at least. `windows`: the probability that a crash lasts for a time around
    the election timeout, from half of the shortest to twice that: when it comes back, there may just be a new leader,
    or none yet."""

    up_s: float = 0.0
    down_s: float = 0.0
    windows: float = 0.0


class Storm:
    """`seen` counts what came about. `sizes`: how many servers there may be at first, by lot. `keep_copies`: disks are
    lost and damaged only as far as everything can be repaired (`wipes.Copies`)."""

    def __init__(
        self,
        seed: int,
        *,
        sizes: Sequence[int] = SIZES,
        steadiness: Steadiness | None = None,
        keep_copies: bool = True,
        observers: Iterable[Observer] = (),
    ) -> None:
        self.rng = Random(f"{seed}/chaos")
        self._clocks = Random(f"{seed}/clocks")
        self.drift = self._clocks.choice([0, 0, 0.01, 0.2, 1])  # 0: no leases
        self._disk_rng = disk_rng = Random(f"{seed}/disk faults")
        self.disk_faults = disk_rng.choice([0, 0.1, 0.3])
        self.form: Form = disk_rng.choice(FORMS)
        weather = Weather.draw(self.rng)
        self.weather = weather = weather.with_leases(self.drift) if self.drift else weather
        if Random(f"{seed}/limits").random() < FEW:
            self.weather = weather = weather.with_little_room()
        self.steadiness = steadiness or Steadiness()
        self._windows = Random(f"{seed}/windows")
        self._until: dict[str, float] = {}  # server -> when it may go up, or down, again
        self._storming = False
        self._sightings = Sightings()
        self.seen = self._sightings.seen
        self._changes: list[PendingOutcome] = []
        size, self.raft_protocol = self.rng.choice(sizes), self.rng.choice([2, 3])
        self.founded = self.rng.random() < 0.7 or not weather.settings.pre_vote
        self.world = World(
            size,
            seed=seed,
            raft_protocol=self.raft_protocol,
            network=weather.network,
            disk=replace(weather.disk, form=self.form),
            settings=weather.settings,
            node_settings=weather.node_settings,
            founded=self.founded,
            observers=[self._sightings.observe, *observers],
        )
        self._aimed = Aimed(self.world, weather.settings.election_timeout_max_s, self._aim_change, seed)
        self._rot_rng = Random(f"{seed}/rot")
        self.copies = Copies(self.world, self.rng, self._rot_rng, keep=keep_copies, founded=self.founded)

    def storm(self, for_s: float) -> None:
        """Faults and requests, until `for_s` seconds of virtual time. Raises InvariantViolated."""
        self._storming = True
        while self.world.now < for_s:
            self.world.run(self.rng.choice([0.001, 0.01, 0.1, 0.4]))
            self._break_or_mend()
            if self._disk_rng.random() < self.disk_faults:
                self._break_a_disk()
            if self.drift and self._clocks.random() < 0.1:
                self._set_clock()
            self._aimed.strike()
            self.ask()
        self._aimed.end()
        self._storming = False

    def ask(self) -> None:
        """What is asked of the servers between two faults."""
        if self.rng.random() < self.weather.burst:
            name = self.rng.choice(self.world.names)
            for number in range(BURST):
                self.world.submit(name, put(f"burst/{number}", f"{self.world.now}-{number}"))

    def _break_or_mend(self) -> None:
        weather, luck, name = self.weather, self.rng.random(), self.rng.choice(self.world.names)
        if luck > 0.85:
            self._mend()
        elif luck < weather.crash:
            self._crash(name)
        elif (luck := luck - weather.crash) < weather.cut:
            self.rng.choice([self._isolate, self._lose_links, self._split, self._cut])(name)
        elif (luck := luck - weather.cut) < weather.pause:
            if name in self.world.alive and not self.world.hosts[name].paused:
                self.world.pause(name)
        elif (luck := luck - weather.pause) < weather.change:
            self._change(name)
        elif (luck := luck - weather.change) < weather.transfer:
            self._transfer(name)
        elif luck - weather.transfer < weather.wipe:
            self._wipe()

    def _crash(self, name: str) -> None:
        world, steadiness = self.world, self.steadiness
        if name not in world.alive or not self._may_move(name):
            return
        world.crash(name)
        down_s = steadiness.down_s
        if steadiness.windows and self._windows.random() < steadiness.windows:
            down_s = self.weather.settings.election_timeout_min_s * self._windows.uniform(0.5, 2)
            world.after(down_s, lambda: self._come_back(name))
        self._until[name] = world.now + down_s

    def _come_back(self, name: str) -> None:
        if self._storming and name not in self.world.alive:
            self._restart(name)

    def _restart(self, name: str) -> None:
        self.world.restart(name)
        self._until[name] = self.world.now + self.steadiness.up_s
        store = self.world.hosts[name].disk.store
        if isinstance(store, ByteStore) and store.torn:
            self.seen[TORN] += 1

    def _may_move(self, name: str) -> bool:
        return self.world.now >= self._until.get(name, 0)

    def _break_a_disk(self) -> None:
        """One of the faults that a server survives, or comes back from when the disk is mended."""
        rng = self._disk_rng
        disk = self.world.disk(rng.choice(self.world.names))
        slow: list[Callable[[], None]] = [
            lambda: disk.stall(rng.choice([0.01, 0.5, 3, inf])),
            lambda: disk.slow(rng.choice([3, 20])),
        ]
        broken: list[Callable[[], None]] = [
            lambda: disk.fail("write"),
            lambda: disk.fail("sync"),
            lambda: disk.fill(rng.randrange(2_000)),
            disk.read_only,
            lambda: disk.cut_power(rng.randrange(1_000)),
            lambda: disk.cut_power(rng.randrange(300)),
        ]
        rng.choice(slow if self.form == RECORDS else slow + broken)()

    def _mend(self) -> None:
        world = self.world
        world.heal()
        for name in world.names:
            world.disk(name).mend()
        for name in [name for name in world.names if name not in world.alive and self._may_move(name)][:1]:
            self._restart(name)
            if self.copies.may_be_emptied(name):
                world.wipe(name)
                self._restart(name)
        for name in world.alive:
            if world.hosts[name].paused:
                world.resume(name)

    def _set_clock(self) -> None:
        """No two clocks are ever further apart than leases allow."""
        name = self._clocks.choice(self.world.names)
        rate = self._clocks.choice([1, 1 + self.drift, self._clocks.uniform(1, 1 + self.drift)])
        self.world.set_clock(name, rate=rate)

    def _isolate(self, name: str) -> None:
        self.world.isolate(name)

    def _lose_links(self, name: str) -> None:
        self.world.isolate(name, refused=True)

    def _split(self, name: str) -> None:
        self.world.partition([[name, self.rng.choice(self.world.names)]])

    def _cut(self, name: str) -> None:
        self.world.cut(name, self.rng.choice(self.world.names))

    def _wipe(self) -> None:
        """Disks are lost, none while who is a member is in motion: a quorum must be able to bear it."""
        self._changes = [change for change in self._changes if change.outcome is None]
        if self._changes and self.copies.keep:
            return
        for name in self.copies.choose():
            self.copies.lose(name)
            if not self._rot(name):
                self.world.wipe(name)
                if self.rng.random() < 0.5:
                    self._restart(name)

    def _rot(self, name: str) -> bool:
        """By lot, and if there is a place where it must be seen: the server goes down, and does not start again."""
        disk = self.world.disk(name)
        if self._rot_rng.random() < 0.5 or not (size := disk.rottable()):
            return False
        self.world.crash(name)
        disk.rot_log(self._rot_rng.randrange(size))
        self._restart(name)
        self.seen[ROTTEN] += name not in self.world.alive
        return True

    def _change(self, name: str) -> None:
        """One to three changes at once; those of more than one vote take joint consensus."""
        world, rng = self.world, self.rng
        if not self.copies.whole:
            return
        if len(world.names) < MAX_SERVERS and rng.random() < 0.3:
            world.add(new := f"n{len(world.names) + 1}")
            chosen = {new: LEARNER}
        else:
            count = min(rng.choice([1, 1, 2, 3]), len(world.names))
            chosen = {other: rng.choice(OPS) for other in rng.sample(world.names, count)}
        changes = [(op, world.ids[other], world.hosts[other].info.address) for other, op in chosen.items()]
        self._changes.append(world.submit(name, ChangeMembership(tuple(changes))))

    def _aim_change(self, name: str) -> None:
        if self.weather.change:
            self._change(name)

    def _transfer(self, name: str) -> None:
        target = self.rng.choice([None, *self.world.ids.values()])
        self.world.submit(name, TransferLeadership(id=target))
