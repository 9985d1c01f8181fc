"""The system's own order as a witness: not believed, but replayed. If it holds, it proves the history linearizable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raftsim.check.clients.models import Effect, Value
from raftsim.check.clients.operation import Operation, shown


def claimed_order(history: Sequence[Operation], effects: Sequence[Effect]) -> list[int] | None:
    """The numbers of the operations in the order that their `index` claims; None if an answered one has none.

    A write stands at its index. A read stands behind the write at its index, and behind all that had returned when it
    was called: of one key it may be known only how new it is, not that nothing newer had been written elsewhere.
    """
    events = []
    for number, operation in enumerate(history):
        if operation.returned is not None:
            if not operation.index:
                return None
            events += [(operation.called, 0, number), (operation.returned, 1, number)]
        elif operation.index and effects[number].sets is not None:
            events.append((operation.called, 0, number))
    floor = 0
    places: dict[int, tuple[int, bool, float, int]] = {}
    for _, is_return, number in sorted(events):
        operation = history[number]
        if is_return:
            floor = max(floor, places[number][0])
        else:
            reads = effects[number].sets is None
            place = max(operation.index, floor) if reads else operation.index
            places[number] = (place, reads, operation.called, number)
    return sorted(places, key=places.__getitem__)


def refutation(
    history: Sequence[Operation], effects: Sequence[Effect], initial: Value, order: Sequence[int]
) -> str | None:
    """Why `order` (numbers of operations) proves nothing, as a sentence; None if it is a proof."""
    wanted = {number for number, operation in enumerate(history) if operation.returned is not None}
    given = set(order)
    if len(given) != len(order) or not wanted <= given <= set(range(len(history))):
        return "the order does not name every answered operation once"
    state: dict[Any, Value] = {}
    last: Operation | None = None  # of those so far, the one that was called last
    for number in order:
        operation, effect = history[number], effects[number]
        if last is not None and operation.returned is not None and operation.returned < last.called:
            return f"the order has [{last}] before [{operation}], which had returned when the first was called"
        if last is None or operation.called > last.called:
            last = operation
        for key, value in effect.finds:
            if state.get(key, initial) != value:
                return f"in the order, {key!r} holds {shown(state.get(key, initial))} at [{operation}]"
        for key, value in effect.misses:
            if state.get(key, initial) == value:
                return f"in the order, {key!r} holds {shown(value)} at [{operation}]"
        if effect.sets is not None:
            state[effect.sets[0]] = effect.sets[1]
    return None
