"""From "not linearizable" to when it became so: the shortest prefix, the states before its end, what was pending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from raftsim.check.clients.models import Model, Value
from raftsim.check.clients.operation import Operation
from raftsim.check.clients.partition import Partition, Parts
from raftsim.check.clients.sweep import GaveUp, Limits, Sweep
from raftsim.check.clients.tidy import tidy
from raftsim.check.clients.verdict import Counterexample

LIMITS: Final = Limits(configurations=20_000)


class Evidence:
    """For the part of `keys`, which is not linearizable. `violated`: whether a tidied part is known not to be."""

    def __init__(
        self,
        history: Sequence[Operation],
        model: Model,
        parts: Parts,
        keys: tuple[str, ...],
        violated: Callable[[Partition], bool],
    ) -> None:
        self._operations = [history[number] for number in parts.operations(keys)]
        self._returns = sorted((o.returned, n) for n, o in enumerate(self._operations) if o.returned is not None)
        self._model = model
        self._all_keys = parts.keys
        self._keys = keys
        self._violated = violated

    def counterexample(self) -> Counterexample:
        """The history up to the first return that no order allows."""
        first = self._first_illegal()
        prefix = self._until(first)
        return Counterexample(
            keys=self._keys,
            prefix=tuple(prefix),
            last=self._operations[self._returns[first - 1][1]],
            states=self._states(first - 1, prefix),
            pending=tuple(operation for operation in prefix if operation.returned is None),
        )

    def _first_illegal(self) -> int:
        """After how many returns; a history only grows, so it stays illegal once it is.

        A sweep tells how far it is legal for certain. Where it gave up the rest is found by doubling and halving.
        """
        sweep = Sweep(tidy(self._part(self._operations)), LIMITS, foresee=False)
        with suppress(GaveUp):
            sweep.run()
        legal, stride = sweep.returns, 1
        while legal + stride < len(self._returns) and not self._is_illegal(legal + stride):
            legal, stride = legal + stride, 2 * stride
        illegal = min(legal + stride, len(self._returns))
        while illegal - legal > 1:
            middle = (legal + illegal) // 2
            legal, illegal = (legal, middle) if self._is_illegal(middle) else (middle, illegal)
        return illegal

    def _is_illegal(self, count: int) -> bool:
        return self._violated(tidy(self._part(self._until(count))))

    def _states(self, count: int, prefix: Sequence[Operation]) -> tuple[Mapping[str, Value], ...] | None:
        """All states there may be after `count` returns, when the calls of `prefix` are known."""
        known = {number for _, number in self._returns[:count]}
        before = [o if n in known else _pending(o) for n, o in enumerate(prefix)]
        part = self._part(before)
        for rename in (False, True):  # with their names, if they are not too many
            sweep = Sweep(tidy(part, leave_out=False, rename=rename), LIMITS)
            with suppress(GaveUp):
                states = sweep.states() if sweep.run() else frozenset()
                return tuple(sorted((dict(zip(self._keys, state, strict=True)) for state in states), key=repr))
        return None

    def _until(self, count: int) -> list[Operation]:
        """The operations as they were known at the `count`th return."""
        if count == 0:
            return []
        end = self._returns[count - 1]
        return [
            operation if operation.returned is None or (operation.returned, number) <= end else _pending(operation)
            for number, operation in enumerate(self._operations)
            if operation.called <= end[0]
        ]

    def _part(self, operations: Sequence[Operation]) -> Partition:
        return Parts(operations, self._model, self._all_keys).part(self._keys)


def _pending(operation: Operation) -> Operation:
    return replace(operation, output=None, returned=None)
