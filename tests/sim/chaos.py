"""A random schedule of faults and requests, drawn from a seed, under all judges and two outside witnesses."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from random import Random

from raftsim.check.naive import Naive
from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.node.requests import ChangeMembership, Outcome, Request, TransferLeadership
from raftsim.sim.build import Observer
from raftsim.sim.disk import FORMS, RECORDS, Form
from raftsim.sim.host import PendingOutcome
from raftsim.sim.world import World
from raftsim.trace.events import Event
from tests.sim.settle import get, index_of, put, settle
from tests.sim.weather import Weather
from tests.sim.wipes import remember, wipeable
from tests.sim.witnesses import RealTime, Sightings

KEYS = 4
NAIVE_EVERY = 3_000  # events
MAX_SERVERS = 7
BURST = 25  # requests to one server: a leader that is cut off grows a log that comes to nothing
OPS = (VOTER, VOTER, LEARNER, REMOVE)


class Chaos:
    """Run it with `run`. `outcomes` counts how requests ended, `seen` what else came about."""

    def __init__(self, seed: int, *observers: Observer) -> None:
        self.rng = Random(f"{seed}/chaos")
        self._clocks = Random(f"{seed}/clocks")
        self._drift = self._clocks.choice([0, 0, 0.01, 0.2, 1])  # 0: no leases
        self._disk_rng = disk_rng = Random(f"{seed}/disk faults")
        self._disk_fault = disk_rng.choice([0, 0.1, 0.3])
        self.form: Form = disk_rng.choice(FORMS)
        weather = Weather.draw(self.rng)
        self.weather = weather = weather.with_leases(self._drift) if self._drift else weather
        self.outcomes: Counter[str] = Counter()
        self.naive = Naive()
        self._sightings = Sightings()
        self.seen = self._sightings.seen
        self._events = 0
        self._real_time = RealTime()
        self._writes = 0
        self._changes: list[PendingOutcome] = []
        self._wiped = False  # a disk was lost, and its server has no vote again yet
        self.world = World(
            self.rng.choice([3, 4, 5]),
            seed=seed,
            raft_protocol=self.rng.choice([2, 3]),
            network=weather.network,
            disk=replace(weather.disk, form=self.form),
            settings=weather.settings,
            node_settings=weather.node_settings,
            founded=self.rng.random() < 0.7 or not weather.settings.pre_vote,
            observers=[self._watch, *observers],
        )

    def run(self, for_s: float) -> None:
        """A storm of `for_s` seconds; then all is mended and must be well."""
        self.storm(for_s)
        settle(self.world, retire=not self.weather.protected)
        assert self.world.run_until(lambda: remember(self.world), 10), "a vote is not given back"
        assert self.naive.check() == []

    def storm(self, for_s: float) -> None:
        """Faults and requests, until `for_s` seconds of virtual time."""
        while self.world.now < for_s:
            self.world.run(self.rng.choice([0.001, 0.01, 0.1, 0.4]))
            self._break_or_mend()
            if self._disk_rng.random() < self._disk_fault:
                self._break_a_disk()
            if self._drift and self._clocks.random() < 0.1:
                self._set_clock()
            for _ in range(self.rng.choice([0, 1, 1, 4])):
                self._ask(self.rng.choice(self.world.names))
            if self.rng.random() < self.weather.burst:
                name = self.rng.choice(self.world.names)
                for _ in range(BURST):
                    self._ask(name)

    def _break_or_mend(self) -> None:
        weather, luck, name = self.weather, self.rng.random(), self.rng.choice(self.world.names)
        if luck > 0.85:
            self._mend()
        elif luck < weather.crash:
            if name in self.world.alive:
                self.world.crash(name)
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

    def _break_a_disk(self) -> None:
        """One of the faults that a server survives, or comes back from when the disk is mended."""
        rng = self._disk_rng
        disk = self.world.disk(rng.choice(self.world.names))
        slow = [lambda: disk.stall(rng.choice([0.01, 0.5, 3, inf])), lambda: disk.slow(rng.choice([3, 20]))]
        broken = [
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
        for name in [name for name in world.names if name not in world.alive][:1]:
            world.restart(name)
        for name in world.alive:
            if world.hosts[name].paused:
                world.resume(name)

    def _set_clock(self) -> None:
        """No two clocks are ever further apart than leases allow."""
        name = self._clocks.choice(self.world.names)
        self.world.set_clock(
            name, rate=self._clocks.choice([1, 1 + self._drift, self._clocks.uniform(1, 1 + self._drift)])
        )

    def _isolate(self, name: str) -> None:
        self.world.isolate(name)

    def _lose_links(self, name: str) -> None:
        self.world.isolate(name, refused=True)

    def _split(self, name: str) -> None:
        self.world.partition([[name, self.rng.choice(self.world.names)]])

    def _cut(self, name: str) -> None:
        self.world.cut(name, self.rng.choice(self.world.names))

    def _wipe(self) -> None:
        """One disk at a time, and none while who is a member is in motion: a quorum must be able to bear it."""
        self._changes = [change for change in self._changes if change.outcome is None]
        self._wiped = self._wiped and not remember(self.world)
        if not self._changes and not self._wiped and wipeable(self.world):
            self._wiped = True
            name = self.rng.choice([name for name in self.world.names if self._votes(name)])
            self.world.wipe(name)
            if self.rng.random() < 0.5:
                self.world.restart(name)

    def _votes(self, name: str) -> bool:
        node = self.world.hosts[name].node
        return node is not None and node.raft.config.is_voter(self.world.ids[name])

    def _change(self, name: str) -> None:
        """One to three changes at once; those of more than one vote take joint consensus."""
        world, rng = self.world, self.rng
        if self._wiped and not remember(world):
            return
        if len(world.names) < MAX_SERVERS and rng.random() < 0.3:
            world.add(new := f"n{len(world.names) + 1}")
            chosen = {new: LEARNER}
        else:
            chosen = {other: rng.choice(OPS) for other in rng.sample(world.names, rng.choice([1, 1, 2, 3]))}
        changes = [(op, world.ids[other], world.hosts[other].info.address) for other, op in chosen.items()]
        self._changes.append(world.submit(name, ChangeMembership(tuple(changes))))

    def _transfer(self, name: str) -> None:
        target = self.rng.choice([None, *self.world.ids.values()])
        self.world.submit(name, TransferLeadership(id=target))

    def _ask(self, name: str) -> None:
        key = f"k{self.rng.randrange(KEYS)}"
        floor = self._real_time.began(key)
        write = self.rng.random() < 0.6

        def done(outcome: Outcome) -> None:
            self.outcomes[outcome.kind] += 1
            if outcome.kind == "ok":
                self._real_time.ended(key, floor, index_of(outcome), write=write)

        self._writes += 1
        request: Request = put(key, str(self._writes)) if write else get(key)
        self.world.submit(name, request, done)

    def _watch(self, event: Event) -> None:
        self.naive.observe(event)
        self._sightings.observe(event)
        self._events += 1
        if self._events % NAIVE_EVERY == 0:
            assert self.naive.check() == []
