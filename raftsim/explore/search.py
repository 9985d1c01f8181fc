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
    """One exploration."""

    def __init__(self, bounds: Bounds) -> None:
        self.worlds = Worlds(bounds)
        self.bounds = bounds
        self._known: set[int] = set()
        # by the number of a state: whence it was found first, and by which of the actions there
        self._parents = array("I", [0])
        self._choices = array("H", [0])

    def run(self, report: Report | None = None) -> Result:
        """Explore. `report` is told the depth, the states and the steps after every level of the search."""
        result, level = Result(), [self.worlds.first()]
        self._known.add(self.worlds.prints.least(level[0].print))
        while level and result.violation is None and result.states <= self.bounds.max_states:
            level = self._next_level(level, result)
            result.depth += 1
            if report is not None:
                report(result.depth, result.states, result.steps)
        result.complete = not level and result.violation is None
        return result

    def _next_level(self, level: list[World], result: Result) -> list[World]:
        following: list[World] = []
        for world in level:
            for choice, action in enumerate(self.worlds.actions(world)):
                after = self.worlds.after(world, action)
                if isinstance(after, Violation):
                    result.violation = after
                    result.story = [*self._story(world), (world, action)]
                    return following
                if after is not None:
                    result.steps += 1
                    self._meet(world, choice, action, after, following, result)
        return following

    def _meet(
        self, world: World, choice: int, action: Action, after: World, following: list[World], result: Result
    ) -> None:
        least = self.worlds.prints.least(after.print)
        if least in self._known:
            return
        self._known.add(least)
        after.number = len(self._parents)
        self._parents.append(world.number)
        self._choices.append(choice)
        following.append(after)
        result.states += 1
        if action.step is not None:
            views = self.worlds.views(world), self.worlds.views(after)
            notice(result.seen, after.history, *views, action.place, result.depth + 1)

    def _story(self, world: World) -> list[tuple[World, Action]]:
        """How `world` was reached: again from the first state, by the choices that were noted."""
        choices = []
        number = world.number
        while number:
            choices.append(self._choices[number])
            number = self._parents[number]
        story = []
        here: World | Violation | None = self.worlds.first()
        for choice in reversed(choices):
            assert isinstance(here, World)
            action = list(self.worlds.actions(here))[choice]
            story.append((here, action))
            here = self.worlds.after(here, action)
        return story
