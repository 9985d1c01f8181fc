"""A depth-first search for a linearization (Wing and Gong 1993, Lowe 2017), which can be stopped and taken up again.

Where a sweep follows all orders at once, this follows one to its end and remembers where it has been. What it remembers
is short: the first answered operation that has not happened, and which of the later ones have.
"""

from __future__ import annotations

from collections.abc import Iterator

from raftsim.check.clients.lookahead import finders
from raftsim.check.clients.partition import NEVER, Partition, State, Step

Place = tuple[int, int, int, State]  # first answered step not done; bits of those done behind it; open ones done; state


class Search:
    """`nodes` is how many places were visited, all of which are remembered."""

    def __init__(self, part: Partition) -> None:
        self._steps = [step for step in part.steps if not step.open]
        self._open = [step for step in part.steps if step.open]
        self._position = {step.number: position for position, step in enumerate(self._steps)}
        self._equal_before = _equal_before(self._open)
        self._finders = {fact: [self._position[step.number] for step in steps] for fact, steps in finders(part).items()}
        start: Place = (0, 0, 0, part.initial)
        self._stack = [start]
        self._seen = {start}

    @property
    def nodes(self) -> int:
        return len(self._seen)

    def go_on(self, max_nodes: int) -> bool | None:
        """Search until `max_nodes` places were visited. Whether the part is linearizable; None: not decided yet."""
        while self._stack:
            if len(self._seen) >= max_nodes:
                return None
            place = self._stack.pop()
            if place[0] == len(self._steps):
                return True
            for after in self._successors(place):
                if after not in self._seen:
                    self._seen.add(after)
                    self._stack.append(after)
        return False

    def _successors(self, place: Place) -> list[Place]:
        """Where one operation leads; the one that returns first comes last, so that it is tried first."""
        base, done, used, state = place
        candidates, horizon = self._candidates(base, done)
        found = []
        for position in candidates:
            step = self._steps[position]
            after = step.after(state)
            if after is None:
                continue
            bits = done | 1 << (position - base)
            if step.sets is None:
                return [_place(base, bits, used, after)]  # it changes nothing: doing it now closes no way
            if self._may_leave(state, step, position, base, bits):
                found.append((step.returned, _place(base, bits, used, after)))
        found.sort(key=lambda one: one[0], reverse=True)
        return [*self._by_open(place, horizon), *(after for _, after in found)]

    def _by_open(self, place: Place, horizon: float) -> Iterator[Place]:
        base, done, used, state = place
        for number, step in enumerate(self._open):
            if step.called > horizon:
                break
            before = self._equal_before[number]
            if used >> number & 1 or (before is not None and not used >> before & 1):
                continue
            after = step.after(state)
            if after is not None and after != state and self._may_leave(state, step, -1, base, done):
                yield base, done, used | 1 << number, after

    def _candidates(self, base: int, done: int) -> tuple[list[int], float]:
        """The answered operations that may come next, and until when one must have been called to be one."""
        horizon = NEVER
        found = []
        for position in range(base, len(self._steps)):
            step = self._steps[position]
            if step.called > horizon:
                break
            if not done >> (position - base) & 1:
                horizon = min(horizon, step.returned)
                found.append(position)
        return found, horizon

    def _may_leave(self, state: State, step: Step, position: int, base: int, done: int) -> bool:
        """Whether nobody has yet to find the value that `step` replaces."""
        assert step.sets is not None
        slot = step.sets[0]
        to_come = self._finders.get((slot, state[slot]), ())
        return all(other < base or other == position or done >> (other - base) & 1 for other in to_come)


def _place(base: int, done: int, used: int, state: State) -> Place:
    while done & 1:
        done >>= 1
        base += 1
    return base, done, used, state


def _equal_before(steps: list[Step]) -> list[int | None]:
    """For each open step, the number of the last one before it that is just like it."""
    last: dict[tuple[object, ...], int] = {}
    found: list[int | None] = []
    for number, step in enumerate(steps):
        kind = (step.finds, step.misses, step.sets)
        found.append(last.get(kind))
        last[kind] = number
    return found
