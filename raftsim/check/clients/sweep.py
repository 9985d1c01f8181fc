"""One pass over the calls and returns of a part, with the set of all states it may be in.

A configuration is a state and which of the pending operations have happened. At a return, every configuration in which
that operation has not happened is followed through the pending ones until it has. The cost depends on how much is
pending at a time, not on the length. Three prunings keep the set small:

- An operation that changes nothing happens the moment it can: doing so never closes a way.
- Equal open operations happen in the order of their calls.
- Of two configurations with equal state and the same answered operations done, one that has used a subset of the
  other's open operations makes that one needless.

And no configuration leaves a value that somebody has yet to find (lookahead.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from raftsim.check.clients.configurations import Configuration, Configurations
from raftsim.check.clients.lookahead import finders
from raftsim.check.clients.models import Fact
from raftsim.check.clients.partition import Partition, State, Step

_CALL: Final = 0
_RETURN: Final = 1
_INFERRED: Final = 2  # after the return it is inferred from


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a sweep may cost. Counts, not times: a verdict is the same everywhere."""

    configurations: int = 2_000  # at one return
    steps: int = 1_000_000  # operations tried in all


class GaveUp(Exception):
    """A limit is reached."""


def linearizable_by_sweep(part: Partition, limits: Limits) -> bool | None:
    """Whether a tidied part is linearizable; None if that would cost too much to say."""
    try:
        return Sweep(part, limits).run()
    except GaveUp:
        return None


class Sweep:
    """`returns`: how many returns were come through; up to there the part is linearizable.

    Without `foresee` it uses nothing that is found later, and so comes as far as the part is linearizable.
    """

    def __init__(self, part: Partition, limits: Limits, *, foresee: bool = True) -> None:
        self.returns = 0
        self._part = part
        self._limits = limits
        self._steps = 0
        self._configurations = Configurations()
        self._configurations.add((part.initial, 0, 0))
        self._bits: dict[int, int] = {}  # number of a pending answered step -> its bit
        self._free: list[int] = []
        self._readers: dict[int, Step] = {}  # by bit: pending, and change nothing
        self._writers: dict[int, Step] = {}
        self._open: list[tuple[Step, int, int]] = []  # each with its bit, and that of the equal one before it
        self._last_equal: dict[tuple[object, ...], int] = {}
        found = finders(part) if foresee else {}
        self._future = {fact: len(steps) for fact, steps in found.items()}  # not called yet
        self._pending: dict[Fact, int] = dict.fromkeys(found, 0)  # called, not returned: their bits

    def run(self) -> bool:
        """Whether the part is linearizable. Raises GaveUp."""
        for kind, step in _events(self._part):
            if kind == _CALL:
                self._call(step)
            elif not self._return(step):
                return False
            else:
                self.returns += kind == _RETURN
        return True

    def states(self) -> frozenset[State]:
        """After a run: all states there may be at its end. Raises GaveUp."""
        seen, _ = self._follow(bit=0)
        return seen.states()

    def _call(self, step: Step) -> None:
        if step.open:
            kind = (step.finds, step.misses, step.sets)
            bit = 1 << len(self._open)
            self._open.append((step, bit, self._last_equal.get(kind, 0)))
            self._last_equal[kind] = bit
            return
        bit = self._free.pop() if self._free else 1 << len(self._bits)
        self._bits[step.number] = bit
        for fact in step.finds:
            if fact in self._future:
                self._future[fact] -= 1
                self._pending[fact] |= bit
        if step.sets is not None:
            self._writers[bit] = step
            return
        self._readers[bit] = step
        old, self._configurations = self._configurations, Configurations()
        for state, forced, optional in old:
            self._configurations.add((state, forced if step.after(state) is None else forced | bit, optional))

    def _return(self, step: Step) -> bool:
        """Go on to where `step` has happened. False if it cannot have."""
        bit = self._bits.pop(step.number)
        _, done = self._follow(bit)
        self._free.append(bit)
        (self._readers if step.sets is None else self._writers).pop(bit)
        for fact in step.finds:
            if fact in self._pending:
                self._pending[fact] &= ~bit
        self._configurations = Configurations()
        for state, forced, optional in done:
            self._configurations.add((state, forced & ~bit, optional))
        return len(done) > 0

    def _follow(self, bit: int) -> tuple[Configurations, list[Configuration]]:
        """All that can be reached, each only until the operation `bit` has happened in it; and those it has."""
        seen, done = Configurations(), []
        todo = list(self._configurations)
        for configuration in todo:
            seen.add(configuration)
        while todo:
            configuration = todo.pop()
            if configuration[1] & bit:
                done.append(configuration)
            else:
                todo.extend(after for after in self._successors(configuration) if seen.add(after))
                if len(seen) > self._limits.configurations or self._steps > self._limits.steps:
                    raise GaveUp
        return seen, done

    def _successors(self, configuration: Configuration) -> Iterable[Configuration]:
        state, forced, optional = configuration
        for bit, step in self._writers.items():
            if not forced & bit:
                after = step.after(state)
                self._steps += 1
                if after is not None and self._may_leave(state, step, forced | bit):
                    yield after, self._absorb(after, forced | bit), optional
        for step, bit, equal_before in self._open:
            if not optional & bit and optional & equal_before == equal_before:
                after = step.after(state)
                self._steps += 1
                if after is not None and after != state and self._may_leave(state, step, forced):
                    yield after, self._absorb(after, forced), optional | bit

    def _absorb(self, state: State, forced: int) -> int:
        """Let all happen that can and that change nothing."""
        for bit, step in self._readers.items():
            if not forced & bit and step.after(state) is not None:
                forced |= bit
        return forced

    def _may_leave(self, state: State, step: Step, forced: int) -> bool:
        """Whether nobody has yet to find the value that `step` replaces."""
        assert step.sets is not None
        slot = step.sets[0]
        fact = (slot, state[slot])
        return not (self._future.get(fact) or self._pending.get(fact, 0) & ~forced)


def _events(part: Partition) -> list[tuple[int, Step]]:
    """Calls and returns in order; at the same time calls come first, for what touches is concurrent."""
    events: list[tuple[float, int, int, Step]] = []
    for step in part.steps:
        events.append((step.called, _CALL, step.number, step))
        if not step.open:
            events.append((step.returned, _INFERRED if step.inferred else _RETURN, step.number, step))
    events.sort(key=lambda event: event[:3])
    return [(kind, step) for _, kind, _, step in events]
