"""A storm with requests of its own, under two more outside witnesses."""

from __future__ import annotations

from collections import Counter

from raftsim.check.naive import Naive
from raftsim.node.requests import Outcome, Request
from raftsim.sim.build import Observer
from raftsim.swarm.settle import get, index_of, put, settle
from raftsim.swarm.storm import BURST, Storm
from raftsim.swarm.wipes import remember
from raftsim.trace.events import Event
from tests.sim.witnesses import RealTime

KEYS = 4
NAIVE_EVERY = 3_000  # events


class Chaos(Storm):
    """Run it with `run`. `outcomes` counts how requests ended."""

    def __init__(self, seed: int, *observers: Observer) -> None:
        self.outcomes: Counter[str] = Counter()
        self.naive = Naive()
        self._events = 0
        self._real_time = RealTime()
        self._writes = 0
        super().__init__(seed, observers=[self._watch, *observers])

    def run(self, for_s: float) -> None:
        """A storm of `for_s` seconds; then all is mended and must be well."""
        self.storm(for_s)
        settle(self.world, retire=not self.weather.protected, copies=self.copies)
        assert self.world.run_until(lambda: remember(self.world), 10), "a vote is not given back"
        assert self.naive.check() == []

    def ask(self) -> None:
        for _ in range(self.rng.choice([0, 1, 1, 4])):
            self._ask_one(self.rng.choice(self.world.names))
        if self.rng.random() < self.weather.burst:
            name = self.rng.choice(self.world.names)
            for _ in range(BURST):
                self._ask_one(name)

    def _ask_one(self, name: str) -> None:
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
        self._events += 1
        if self._events % NAIVE_EVERY == 0:
            assert self.naive.check() == []
