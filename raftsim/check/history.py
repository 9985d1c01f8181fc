"""A log as the judges know it: whole, from index 1 on, whatever a server has compacted.

`hashes[i]` stands for the whole prefix up to index i, so that equal logs are recognised in one comparison. Hashes are
compared and never shown, stored or ordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Hard = tuple[int, str | None]  # (term, vote)


@dataclass(slots=True)
class LogGhost:
    """Index 0 is the empty beginning."""

    terms: list[int] = field(default_factory=lambda: [0])
    hashes: list[int] = field(default_factory=lambda: [0])
    configs: list[tuple[int, Any]] = field(default_factory=list)  # those in the log, in order, each with its index

    @property
    def last(self) -> int:
        return len(self.terms) - 1

    @property
    def end(self) -> tuple[int, int]:
        """(last term, last index): of two logs, the one with the higher end is more up to date (paper 5.4.1)."""
        return self.terms[-1], self.last

    def hash_at(self, index: int) -> int | None:
        return self.hashes[index] if index < len(self.hashes) else None

    def term_at(self, index: int) -> int | None:
        return self.terms[index] if index < len(self.terms) else None

    def config_at(self, index: int) -> tuple[int, Any]:
        """The last configuration in the log up to `index`, with its own index; (0, None) if there is none."""
        return next((found for found in reversed(self.configs) if found[0] <= index), (0, None))

    def agrees(self, other: LogGhost, index: int) -> bool:
        """Whether both logs reach `index` and are equal up to it."""
        return index < len(self.hashes) and self.hashes[index] == other.hash_at(index)

    def copy(self, end: int) -> LogGhost:
        """The log up to `end`; what lies beyond this one's own end is made up, and equal to nothing."""
        copy = LogGhost(self.terms[: end + 1], self.hashes[: end + 1])
        copy.configs = [found for found in self.configs if found[0] <= end]
        while copy.last < end:
            copy.terms.append(copy.terms[-1])
            copy.hashes.append(hash((copy.hashes[-1], "unknown")))
        return copy

    def take(self, change: Change) -> None:
        first = change.first_index
        self.terms[first:] = change.terms
        self.hashes[first:] = change.hashes
        while self.configs and self.configs[-1][0] >= first:
            self.configs.pop()
        self.configs.extend(change.configs)


@dataclass(slots=True)
class Change:
    """What a log becomes from `first_index` on (0: unchanged), and what else was written with it."""

    first_index: int
    terms: list[int] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)
    configs: list[tuple[int, Any]] = field(default_factory=list)  # the configurations among the entries
    seq: int = 0
    hard: Hard | None = None
    snapshot: Any = None  # the one that is whole with this write

    @property
    def last(self) -> int:
        """Where the log ends after a change that adds entries."""
        return self.first_index + len(self.terms) - 1


def changed(log: LogGhost, first_index: int, entries: Sequence[Any]) -> Change:
    """The change that puts `entries` into `log` from `first_index` on."""
    change = Change(first_index)
    previous = log.hash_at(first_index - 1) or 0 if first_index else 0
    for index, entry in enumerate(entries, first_index):
        data = entry.data
        previous = hash((previous, entry.term, entry.kind, data))
        change.terms.append(entry.term)
        change.hashes.append(previous)
        if type(data) is not bytes:
            change.configs.append((index, data))
    return change
