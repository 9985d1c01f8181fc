"""What can still come about, from every state: no cluster may get where no run goes on to a leader any more.

That is less than "it comes about in every run" (a run in which nothing is ever delivered comes to nothing), and more
than "it comes about in some run": there are no dead ends. All steps between states are kept, and followed backwards
from the states in which it has come about. What is not marked then is a dead end.

It is asked of the states that leave a whole term to every server, else the bounds would make dead ends of their own.
Keeping the steps costs about 12 bytes a step and 250 bytes a state; nothing is kept of a state itself.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from raftsim.explore.bounds import Bounds
from raftsim.explore.properties import LEADER, Violation
from raftsim.explore.search import Explorer, Report, Result
from raftsim.explore.servers import View
from raftsim.explore.world import Action, World


@dataclass(frozen=True, slots=True)
class Goal:
    """`holds`: whether it has come about. `condition`: the same for a scenario to wait for."""

    name: str
    holds: Callable[[Sequence[View]], bool]
    condition: str


def _led(views: Sequence[View]) -> bool:
    return any(view.role == LEADER for view in views)


def _settled(views: Sequence[View]) -> bool:
    """One log, and all of it committed everywhere, under a leader that has committed an entry of its own."""
    first = views[0]
    same = all(view.log == first.log and view.commit == len(first.log) for view in views)
    return same and any(view.role == LEADER and view.log[-1] == view.term for view in views)


GOALS: Final = (
    Goal("a leader can still be elected", _led, "{leader: one}"),
    Goal("all logs can still be committed everywhere", _settled, "{converged: true}"),
)


class Mapper(Explorer):
    """An exploration that keeps every step, to look for dead ends when it is over."""

    def __init__(self, bounds: Bounds, *, reduced: bool = True) -> None:
        # A state with more left of the bounds does not stand for one with less: a crash may be the only way out.
        super().__init__(bounds, reduced=reduced, covering=False)
        self._numbers: dict[int, int] = {}
        self._sources, self._targets = array("I"), array("I")
        self._reached = [bytearray() for _ in GOALS]
        self._asked = bytearray()
        self.goal: Goal | None = None  # which cannot be reached from the end of the story

    def run(self, report: Report | None = None) -> Result:
        result = super().run(report)
        if result.violation is None:
            self._look_for_dead_ends(result)
        return result

    def _meet(
        self, world: World, choice: int, action: Action, after: World, following: list[World], result: Result
    ) -> None:
        super()._meet(world, choice, action, after, following, result)
        self._sources.append(world.number)
        self._targets.append(self._numbers[self._key(after)])

    def _is_new(self, world: World) -> bool:
        key = self._key(world)
        if key in self._numbers:
            return False
        self._numbers[key] = len(self._numbers)
        views = self.worlds.views(world)
        for goal, reached in zip(GOALS, self._reached, strict=True):
            reached.append(goal.holds(views))
        self._asked.append(max(view.term for view in views) < self.bounds.terms)
        return True

    def _key(self, world: World) -> int:
        lefts = (self.bounds.crashes + 1) * (self.bounds.entries + 1)
        return self.worlds.prints.least(world.print) * lefts + self._left(world)

    def _look_for_dead_ends(self, result: Result) -> None:
        """What was not explored any more may lead anywhere: what is a dead end then is one whatever lies behind it."""
        back = _Backwards(self._sources, self._targets, len(self._numbers))
        for goal, reached in zip(GOALS, self._reached, strict=True):
            for world in self.unexplored:
                reached[world.number] = True
            back.mark(reached)
            dead_end = next((number for number, asked in enumerate(self._asked) if asked > reached[number]), None)
            if dead_end is not None:
                result.complete, self.goal = False, goal
                result.violation = Violation(goal.name, "not from here, whatever happens")
                result.story = self._story(dead_end)
                return


class _Backwards:
    """The steps by where they lead: those to state `n` come from `_sources[_first[n]:_first[n + 1]]`."""

    def __init__(self, sources: array[int], targets: array[int], states: int) -> None:
        self._first = array("Q", bytes(8 * (states + 2)))
        for target in targets:
            self._first[target + 2] += 1
        for state in range(2, states + 2):
            self._first[state] += self._first[state - 1]
        self._sources = array("I", bytes(4 * len(sources)))
        for source, target in zip(sources, targets, strict=True):
            self._sources[self._first[target + 1]] = source
            self._first[target + 1] += 1

    def mark(self, reached: bytearray) -> None:
        """Mark all states from which a run leads to one that is marked."""
        waiting = [number for number, mark in enumerate(reached) if mark]
        while waiting:
            number = waiting.pop()
            for source in self._sources[self._first[number] : self._first[number + 1]]:
                if not reached[source]:
                    reached[source] = True
                    waiting.append(source)
