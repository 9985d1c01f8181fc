"""Two runs side by side, up to the first event in which they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from raftsim.trace.events import Event
from raftsim.trace.file import Record
from raftsim.trace.record import plain


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event that is not the same; None where a run has ended."""

    left: Record | None
    right: Record | None


def first_difference(left: Iterable[Record], right: Iterable[Record]) -> Difference | None:
    """Where two traces part, or None. Causes are compared too."""
    for one, other in zip_longest(left, right):
        if one != other:
            return Difference(one, other)
    return None


class Comparison:
    """An observer of a run that should be the recorded one. `difference` is the first that was found."""

    def __init__(self, recorded: Iterable[Record]) -> None:
        self._recorded: Iterator[Record] = iter(recorded)
        self._seq = 0
        self.difference: Difference | None = None

    def __call__(self, event: Event) -> None:
        if self.difference is not None:
            return
        self._seq += 1
        record = next(self._recorded, None)
        cause = None if record is None else record.cause  # a cause follows from the events: it is not derived again
        now = Record(event.time, self._seq, event.node, event.kind, cause, plain(event.subject))
        if now != record:
            self.difference = Difference(record, now)

    def finish(self) -> None:
        """The run has ended: so must the recorded one."""
        if self.difference is None and (left := next(self._recorded, None)) is not None:
            self.difference = Difference(left, None)
