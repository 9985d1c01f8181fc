"""The invariants over logs as the paper states them: every pair of servers, every index. Slow, obvious, independent.

A check of the checker: it shares nothing with the ghost, so both must find the same.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from raftsim.trace.events import APPLY, ROLE, START, SYNCED, WRITE, Event


class Naive:
    """Give every event to `observe`; `check` looks at everything there is and returns what is wrong, as sentences."""

    def __init__(self) -> None:
        self.logs: dict[str, dict[int, Any]] = {}  # server -> index -> entry, as far as they are known
        self.applied: dict[str, dict[int, Any]] = {}  # in all lives
        self.leaders: dict[int, set[str]] = {}
        self._installing: dict[str, tuple[int, Any]] = {}  # server -> (seq of the write that ends a snapshot, its meta)

    def observe(self, event: Event) -> None:
        node, kind, subject = event.node, event.kind, event.subject
        if kind == START:
            self.logs[node] = dict(enumerate(subject.entries, subject.base_index + 1))
            self._installing.pop(node, None)
        elif kind == WRITE:
            self._write(node, subject)
        elif kind == SYNCED:
            self._synced(node, subject)
        elif kind == APPLY:
            self.applied.setdefault(node, {}).setdefault(*subject)
        elif kind == ROLE and subject.role == "leader":
            self.leaders.setdefault(subject.term, set()).add(node)

    def _write(self, node: str, write: Any) -> None:
        log = self.logs.setdefault(node, {})
        if write.entries:
            cut = write.first_index
            while log.pop(cut, None) is not None:
                cut += 1
            log.update(enumerate(write.entries, write.first_index))
        if write.chunk is not None and write.chunk.last:
            self._installing[node] = write.seq, write.chunk.meta

    def _synced(self, node: str, seq: int) -> None:
        if node in self._installing and self._installing[node][0] <= seq:
            _, meta = self._installing.pop(node)
            last = self.logs[node].get(meta.index)
            if last is None or last.term != meta.term:
                self.logs[node].clear()  # what contradicts a snapshot is no longer part of the log

    def check(self) -> list[str]:
        return [*self._election_safety(), *self._log_matching(), *self._state_machine_safety()]

    def _election_safety(self) -> list[str]:
        return [f"term {term} has leaders {sorted(who)}" for term, who in sorted(self.leaders.items()) if len(who) > 1]

    def _log_matching(self) -> list[str]:
        wrong = []
        for (first, one), (second, other) in combinations(sorted(self.logs.items()), 2):
            both = sorted(one.keys() & other.keys())
            same_term = max((index for index in both if one[index].term == other[index].term), default=0)
            if any(one[index] != other[index] for index in both if index <= same_term):
                wrong.append(f"the logs of {first} and {second} differ below index {same_term}")
        return wrong

    def _state_machine_safety(self) -> list[str]:
        return [
            f"{first} and {second} applied different entries at index {index}"
            for (first, one), (second, other) in combinations(sorted(self.applied.items()), 2)
            for index in sorted(one.keys() & other.keys())
            if one[index] != other[index]
        ]
