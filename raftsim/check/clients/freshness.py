"""Reads judged as they return, O(1) for each: a poor man's linearizability that needs no search and names the culprit.

A value is over once another one was asked to be written, or seen by a read that was asked for, after it was there. Who
asks after *that* was answered must not see it again: neither who wrote or read the newer value (read your writes,
monotonic reads) nor anybody else. Only values that one operation sets are judged: they cannot come back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from raftsim.check.clients.models import Fact, Model
from raftsim.check.clients.operation import Operation, shown
from raftsim.check.violation import Violation

PHANTOM: Final = "no phantoms"
READ_YOUR_WRITES: Final = "read your writes"
MONOTONIC_READS: Final = "monotonic reads"
FRESH_READS: Final = "fresh reads"

Seen = tuple[Fact, Operation]  # a value, and the operation that set or found it


class Freshness:
    """Give it every operation twice: to `called`, and, complete, to `returned`, both in the order of time."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._writes: dict[Fact, int] = {}  # how many were asked for
        self._known: dict[Fact, float] = {}  # when the first answer showed it
        self._newest: dict[str, list[Seen]] = {}  # by key: of two values, those seen by what was called last
        self._floors: dict[str, list[Seen]] = {}  # by process: of its key, when its operation was called

    def called(self, operation: Operation) -> None:
        """It was asked for; its output does not count yet."""
        self._floors[operation.process] = self._newest.get(operation.key, [])
        sets = self._model.effect(operation, (operation.key,)).sets
        if sets is not None:
            self._writes[sets] = self._writes.get(sets, 0) + 1

    def returned(self, operation: Operation) -> Violation | None:
        """It was answered; what is wrong with the answer."""
        floor = self._floors.pop(operation.process, [])
        if operation.returned is None or self._model.keys(operation) != (operation.key,):
            return None
        effect = self._model.effect(operation, (operation.key,))
        found = next((self._judge(fact, operation, floor) for fact in effect.finds), None)
        for fact in (*effect.finds, *([effect.sets] if effect.sets else [])):
            if fact[1] is not None:
                self._known.setdefault(fact, operation.returned)
                self._newest[operation.key] = _newest(self._newest.get(operation.key, []), (fact, operation))
        return found

    def _judge(self, fact: Fact, operation: Operation, floor: list[Seen]) -> Violation | None:
        assert operation.returned is not None
        if fact[1] is None:
            if not floor or (operation.key, None) in self._writes:
                return None
            newer: Operation | None = floor[0][1]
        elif fact not in self._writes and fact[1] != self._model.initial:
            return Violation(
                PHANTOM, operation.returned, operation.process, f"nobody had written what [{operation}] found"
            )
        else:
            newer = self._over(fact, floor)
        if newer is None:
            return None
        sentence = f"[{operation}] found {shown(fact[1])}, which was over: [{newer}]"
        return Violation(_broken(operation, newer, self._model), operation.returned, operation.process, sentence)

    def _over(self, fact: Fact, floor: list[Seen]) -> Operation | None:
        """What had shown a newer value, when the floor was taken."""
        if self._writes.get(fact) != 1:
            return None
        known = self._known.get(fact, float("inf"))
        return next((newer for other, newer in floor if other != fact and known < newer.called), None)


def freshness(history: Iterable[Operation], model: Model) -> list[Violation]:
    """All that `Freshness` finds in a history that is over. One process must not do two things at once."""
    events = []
    for number, operation in enumerate(history):
        events.append((operation.called, 0, number, operation))
        if operation.returned is not None:
            events.append((operation.returned, 1, number, operation))
    judge, found = Freshness(model), []
    for _, is_return, _, operation in sorted(events, key=lambda event: event[:3]):
        if not is_return:
            judge.called(operation)
        elif violation := judge.returned(operation):
            found.append(violation)
    return found


def _newest(seen: list[Seen], new: Seen) -> list[Seen]:
    """The two with the latest calls, of two values: whichever value a read finds, the other one is there to compare."""
    best: dict[Fact, Seen] = {}
    for fact, operation in sorted([*seen, new], key=lambda one: one[1].called, reverse=True):
        best.setdefault(fact, (fact, operation))
    return list(best.values())[:2]


def _broken(operation: Operation, newer: Operation, model: Model) -> str:
    if operation.process != newer.process:
        return FRESH_READS
    writes = model.effect(newer, (newer.key,)).sets is not None
    return READ_YOUR_WRITES if writes else MONOTONIC_READS
