"""A history cut into parts that can be judged by themselves.

A history is linearizable if, and only if, that of every key is (Herlihy and Wing 1990, locality). An operation that
looks at several keys at once, a list, ties those keys together. So there are two ways to cut:

By single keys: what a list found at a key counts as a read of that key. If one of these parts is not linearizable, the
whole is not; without lists the converse holds too. By tied keys: those that lists tie together are one part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from raftsim.check.clients.models import Effect, Fact, Model, Value
from raftsim.check.clients.operation import Operation

NEVER: Final = float("inf")
State = tuple[Value, ...]  # by slot


@dataclass(slots=True)
class Step:
    """An operation as it concerns one part. The first of every fact is a slot: the number of the key in the part."""

    number: int  # of the operation in the history
    called: float
    returned: float  # NEVER: open, it may have happened
    finds: tuple[Fact, ...]
    misses: tuple[Fact, ...]
    sets: Fact | None
    inferred: bool = False  # `returned` is when an open operation was known to have happened

    @property
    def open(self) -> bool:
        return self.returned == NEVER

    def after(self, state: State) -> State | None:
        """The state after it, None if it cannot happen in `state`."""
        for slot, value in self.finds:
            if state[slot] != value:
                return None
        for slot, value in self.misses:
            if state[slot] == value:
                return None
        if self.sets is None:
            return state
        slot, value = self.sets
        return (*state[:slot], value, *state[slot + 1 :])


@dataclass(slots=True)
class Partition:
    """`steps` in the order of their calls."""

    keys: tuple[str, ...]
    initial: State
    steps: list[Step]


class Parts:
    """A history by the keys it touches. Raises ValueError for an operation that the model does not know."""

    def __init__(self, history: Sequence[Operation], model: Model, keys: Sequence[str] | None = None) -> None:
        """`keys`: all there are, if more than the history names."""
        self._history = history
        self._initial = model.initial
        self.keys = sorted({key for operation in history for key in model.keys(operation)} | set(keys or ()))
        self.effects = [model.effect(operation, self.keys) for operation in history]
        self._touching: dict[str, list[int]] = {key: [] for key in self.keys}
        for number, effect in enumerate(self.effects):
            for key in touched(effect):
                self._touching[key].append(number)

    def single(self) -> list[tuple[str, ...]]:
        """The keys, each by itself."""
        return [(key,) for key in self.keys]

    def tied(self) -> list[tuple[str, ...]]:
        """The sets of several keys that operations tie together."""
        group = {key: {key} for key in self.keys}
        for effect in self.effects:
            first, *others = sorted(touched(effect)) or [""]
            for other in others:
                if group[other] is not group[first]:
                    group[first] |= group[other]
                    for key in group[other]:
                        group[key] = group[first]
        return sorted({tuple(sorted(keys)) for keys in group.values() if len(keys) > 1})

    def operations(self, keys: Sequence[str]) -> list[int]:
        """The numbers of the operations that touch any of these keys, in the order of their calls."""
        numbers = {number for key in keys for number in self._touching[key]}
        return sorted(numbers, key=lambda number: (self._history[number].called, number))

    def part(self, keys: tuple[str, ...]) -> Partition:
        """What concerns these keys."""
        slots = {key: slot for slot, key in enumerate(keys)}
        steps = []
        for number in self.operations(keys):
            operation, effect = self._history[number], self.effects[number]
            sets = effect.sets and (slots[effect.sets[0]], effect.sets[1])
            finds = tuple((slots[key], value) for key, value in effect.finds if key in slots)
            misses = tuple((slots[key], value) for key, value in effect.misses if key in slots)
            returned = NEVER if operation.returned is None else operation.returned
            steps.append(Step(number, operation.called, returned, finds, misses, sets))
        return Partition(keys, (self._initial,) * len(keys), steps)


def touched(effect: Effect) -> set[str]:
    """The keys of an effect."""
    keys = {key for key, _ in (*effect.finds, *effect.misses)}
    return keys | {effect.sets[0]} if effect.sets else keys
