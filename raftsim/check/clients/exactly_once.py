"""Exactly once: a write stands in the system's order at one place, and at no place stand two. O(1) for each operation.

For values that one operation alone sets, and operations that tell the index of what they set or read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from raftsim.check.clients.models import Fact, Model
from raftsim.check.clients.operation import Operation, shown
from raftsim.check.violation import Violation

EXACTLY_ONCE: Final = "exactly once"


def exactly_once(history: Iterable[Operation], model: Model) -> list[Violation]:
    """What was done twice, or in the place of something else. Give the operations in the order of their returns."""
    places: dict[Fact, tuple[int, Operation]] = {}
    facts: dict[int, tuple[Fact, Operation]] = {}
    takers: dict[Fact, Operation] = {}  # the check-and-set that replaced a value
    found = []
    for operation in history:
        if operation.returned is None or model.keys(operation) != (operation.key,):
            continue
        effect = model.effect(operation, (operation.key,))
        fact = effect.sets or next(iter(effect.finds), None)
        if effect.sets and effect.finds and effect.finds[0][1] is not None:
            first = takers.setdefault(effect.finds[0], operation)
            if first is not operation:
                found.append(_violation(operation, f"{_named(effect.finds[0])} was replaced twice: [{first}] and"))
        if fact is None or fact[1] is None or not operation.index:
            continue
        index, first = places.setdefault(fact, (operation.index, operation))
        if index != operation.index:
            found.append(_violation(operation, f"{_named(fact)} is at index {index} by [{first}] and at another by"))
        other, first = facts.setdefault(operation.index, (fact, operation))
        if other != fact:
            found.append(_violation(operation, f"index {operation.index} is {_named(other)} by [{first}] and not by"))
    return found


def _named(fact: Fact) -> str:
    return f"{shown(fact[1])} of {fact[0]!r}"


def _violation(operation: Operation, beginning: str) -> Violation:
    assert operation.returned is not None
    told = f" at index {operation.index}" if operation.index else ""
    return Violation(EXACTLY_ONCE, operation.returned, operation.process, f"{beginning} [{operation}{told}]")
