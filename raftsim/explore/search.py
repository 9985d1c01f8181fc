"""Breadth first over everything that may happen, so that the first violation found has the shortest story."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from raftsim.explore.bounds import Bounds
from raftsim.explore.properties import Seen, Violation, notice
from raftsim.explore.world import Action, World, Worlds

Report = Callable[[int, int, int], None]


@dataclass(slots=True)
class Result:
    """`states`: different ones. `steps`: taken; most reach a state that is known. `complete`: everything within the
    bounds was seen. `story`: the actions that lead to `violation`, with the state before each."""

    states: int = 1
    steps: int = 0
    depth: int = 0
    complete: bool = False
    seen: Seen = field(default_factory=Seen)
    violation: Violation | None = None
    story: list[tuple[World, Action]] = field(default_factory=list)


class Explorer:
    """One exploration. `reduced`: states that need no look of their own are not counted: see `forget_unread` and, if
    `covering`, `_covered`. `unexplored`: after the run, the states whose steps were not taken."""

    def __init__(self, bounds: Bounds, *, reduced: bool = True, covering: bool = True) -> None:
        self.worlds = Worlds(bounds, reduced=reduced)
        self.bounds = bounds
        self.unexplored: list[World] = []
        self._covered = _covered(bounds, covering=reduced and covering)
        # by the least print: with what may be left of the bounds it needs no further look, as bits
        self._known: dict[int, int] = {}
        # by the number of a state: whence it was found first, and by which of the actions there
        self._parents = array("I", [0])
        self._choices = array("H", [0])

    def run(self, report: Report | None = None) -> Result:
        """Explore. `report` is told the depth, the states and the steps after every level of the search."""
        result, level = Result(), [self.worlds.first()]
        self._is_new(level[0])
        while level and result.violation is None and result.states <= self.bounds.max_states:
            level = self._next_level(level, result)
            result.depth += 1
            if report is not None:
                report(result.depth, result.states, result.steps)
        self.unexplored = level
        result.complete = not level and result.violation is None
        return result

    def _next_level(self, level: list[World], result: Result) -> list[World]:
        following: list[World] = []
        level.reverse()
        while level:
            world = level.pop()  # so that its memory is free again
            for choice, action in enumerate(self.worlds.actions(world)):
                after = self.worlds.after(world, action)
                if isinstance(after, Violation):
                    result.violation = after
                    result.story = [*self._story(world.number), (world, action)]
                    return following
                if after is not None:
                    result.steps += 1
                    self._meet(world, choice, action, after, following, result)
        return following

    def _meet(
        self, world: World, choice: int, action: Action, after: World, following: list[World], result: Result
    ) -> None:
        if not self._is_new(after):
            return
        after.number = len(self._parents)
        self._parents.append(world.number)
        self._choices.append(choice)
        following.append(after)
        result.states += 1
        if action.step is not None and (world.servers[action.place] != after.servers[action.place]):
            views = self.worlds.views(world), self.worlds.views(after)
            notice(result.seen, after.history, *views, action.place, result.depth + 1)

    def _is_new(self, world: World) -> bool:
        """Whether it was not met before, nor one that differs by having more left of the bounds alone."""
        least, left = self.worlds.prints.least(world.print), self._left(world)
        known = self._known.get(least, 0)
        if known >> left & 1:
            return False
        self._known[least] = known | self._covered[left]
        return True

    def _left(self, world: World) -> int:
        """What is left of the bounds, as one number."""
        return world.crashes * (self.bounds.entries + 1) + world.entries

    def _story(self, number: int) -> list[tuple[World, Action]]:
        """How the state of this number was reached: again from the first state, by the choices that were noted."""
        choices = []
        while number:
            choices.append(self._choices[number])
            number = self._parents[number]
        story = []
        here: World | Violation | None = self.worlds.first()
        for choice in reversed(choices):
            assert isinstance(here, World)
            action = self.worlds.actions(here)[choice]
            story.append((here, action))
            here = self.worlds.after(here, action)
        return story


def _covered(bounds: Bounds, *, covering: bool) -> list[int]:
    """By what is left of the bounds, as `_left` counts it: what a state with so much left stands for, as bits.

    With more left, all may happen that may happen with less, and the bounds are in no property. So a state that was
    met needs no second look with less left. Breadth first, the shortest story is still found: the state with more left
    was met no later.
    """
    lefts = [(crashes, entries) for crashes in range(bounds.crashes + 1) for entries in range(bounds.entries + 1)]
    if not covering:
        return [1 << place for place in range(len(lefts))]
    return [
        sum(1 << place for place, less in enumerate(lefts) if less[0] <= left[0] and less[1] <= left[1])
        for left in lefts
    ]
