"""Causes of an event, back to the root, in a file that is read twice and never held."""

from __future__ import annotations

from array import array
from collections.abc import Collection

from raftsim.trace.file import Record, TraceReader


class Chain:
    """Note every record once, in order; then `back_from` tells the chain of any of them."""

    def __init__(self) -> None:
        self._causes = array("q", [0])  # by seq; 0: a root

    def note(self, record: Record) -> None:
        self._causes.append(record.cause or 0)

    def __len__(self) -> int:
        return len(self._causes) - 1

    def back_from(self, seq: int) -> list[int]:
        """The event itself, its cause, the cause of that, and so on."""
        chain = [seq]
        while cause := self._causes[chain[-1]]:
            chain.append(cause)
        return chain


def pick(path: str, wanted: Collection[int]) -> dict[int, Record]:
    """These records of a file, by `seq`, in order. Raises BadTrace."""
    last = max(wanted, default=0)
    found: dict[int, Record] = {}
    with TraceReader(path) as trace:
        for record in trace:
            if record.seq in wanted:
                found[record.seq] = record
            if record.seq >= last:
                break
    return found
