"""Faults that are aimed at the leader, where those that hit anybody would seldom meet it at the right moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

from raftsim.node.requests import TransferLeadership
from raftsim.sim.world import World
from raftsim.swarm.settle import get, put

DOUBTS: Final = 60  # reads of a leader that is cut off
KEY: Final = "doubt"


class Aimed:
    """`odds`: how often a step of the storm strikes. `timeout_s`: the longest election timeout. `change`: asks a server
    for some change of the membership, if there may be one now."""

    def __init__(self, world: World, timeout_s: float, change: Callable[[str], None], seed: int) -> None:
        self._world = world
        self._timeout_s = timeout_s
        self._change = change
        self._rng = Random(f"{seed}/aimed")
        self._striking = True
        self.odds = self._rng.choice([0, 0.03, 0.1])

    def strike(self) -> None:
        leader = self._world.leader()
        if self._rng.random() < self.odds and leader is not None and len(self._world.names) > 1:
            self._rng.choice([self._delay, self._doubt])(leader)

    def end(self) -> None:
        """What was begun is not gone on with."""
        self._striking = False

    def _delay(self, leader: str) -> None:
        """One way between it and another server everything comes late, maybe in another term."""
        link = leader, self._other(leader)
        src, dst = link if self._rng.random() < 0.5 else reversed(link)
        self._world.clog(src, dst, self._timeout_s * self._rng.uniform(0.2, 3))

    def _doubt(self, leader: str) -> None:
        """It is cut off, perhaps when it hands over or changes the membership, and asked all the time: what it is
        given comes to nothing, and others write what it cannot know."""
        world, rng = self._world, self._rng
        luck = rng.random()
        if luck < 0.4:
            world.submit(leader, TransferLeadership())
        elif luck < 0.7:
            self._change(leader)
        self._after(rng.uniform(0, 0.02), lambda: world.isolate(leader))
        for number in range(DOUBTS):
            moment_s = 3 * self._timeout_s * number / DOUBTS
            self._after(moment_s, lambda: world.submit(leader, get(KEY)))
            if number % 4 == 0:
                self._after(moment_s, partial(self._write, rng.choice(world.names)))

    def _write(self, name: str) -> None:
        self._world.submit(name, put(KEY, repr(self._world.now)))

    def _other(self, leader: str) -> str:
        return self._rng.choice([name for name in self._world.names if name != leader])

    def _after(self, delay_s: float, act: Callable[[], object]) -> None:
        def strike() -> None:
            if self._striking:
                act()

        self._world.after(delay_s, strike)
