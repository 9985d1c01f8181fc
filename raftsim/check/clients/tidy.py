"""Open operations made harmless before anything is searched: they, not its length, are what makes a history hard.

Sound for values that only one operation of the part sets, which is why loads write unique ones. An open operation whose
value was found must have happened before the first answer that shows it. One whose value nobody found can be left out,
unless something that was *not* found may need it. What clients did not see of the servers' own times is not used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

from raftsim.check.clients.models import Fact
from raftsim.check.clients.partition import Partition, Step


class _Unread:
    def __repr__(self) -> str:
        return "a value that nobody read"


UNREAD: Final = _Unread()  # stands for every unique value that nobody found or missed


def tidy(part: Partition, *, leave_out: bool = True, rename: bool = True) -> Partition:
    """The same part, linearizable if and only if `part` is, in a form that is easier to decide.

    `leave_out`: whether open operations may be left out. What may hold in the end is the same only with all of them.
    `rename`: whether all values that nobody read may be called the same, UNREAD.
    """
    unique = unique_facts(part)
    steps = _with_returns(part.steps, unique)
    if leave_out:
        steps = _without_unseen(steps, unique)
    if not rename:
        return Partition(part.keys, part.initial, steps)
    mentioned = {fact for step in steps for fact in (*step.finds, *step.misses)}
    for position, step in enumerate(steps):
        if step.sets in unique and step.sets not in mentioned:
            steps[position] = replace(step, sets=(step.sets[0], UNREAD))
    return Partition(part.keys, part.initial, steps)


def unique_facts(part: Partition) -> set[Fact]:
    """What holds at most once in any order: values that one step sets, and first ones that none does."""
    counts = Counter(step.sets for step in part.steps if step.sets is not None)
    counts.update(enumerate(part.initial))
    return {fact for fact, count in counts.items() if count == 1}


def _with_returns(steps: list[Step], unique: set[Fact]) -> list[Step]:
    """An open step whose value was found returned, at the latest, with the first answer that shows it."""
    first: dict[Fact, float] = {}
    for step in steps:
        if not step.open:
            for fact in step.finds:
                first[fact] = min(step.returned, first.get(fact, step.returned))
    by_fact = {step.sets: position for position, step in enumerate(steps) if step.open and step.sets in unique}
    steps = list(steps)
    seen = [fact for fact in by_fact if fact in first]
    while seen:
        fact = seen.pop()
        position = by_fact[fact]
        step = steps[position]
        returned = max(step.called, first[fact])
        if returned >= step.returned:
            continue
        steps[position] = replace(step, returned=returned, inferred=True)
        for found in step.finds:  # what it found must have been there by then, too
            first[found] = min(returned, first.get(found, returned))
            if found in by_fact:
                seen.append(found)
    return steps


def _without_unseen(steps: list[Step], unique: set[Fact]) -> list[Step]:
    """Leave out open steps whose value nobody can have needed."""
    missed = {slot for step in steps for slot, _ in step.misses}
    doubtful = {
        step.sets: step
        for step in steps
        if step.open and step.sets is not None and step.sets in unique and step.sets[0] not in missed
    }
    needed = [fact for step in steps if step.sets not in doubtful for fact in step.finds]
    while needed:
        step = doubtful.pop(needed.pop(), None)
        if step is not None:
            needed.extend(step.finds)
    return [step for step in steps if not (step.open and (step.sets is None or step.sets in doubtful))]
