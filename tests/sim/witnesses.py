"""What is observed of a run from outside, besides the judges."""

from __future__ import annotations

from collections import Counter


class RealTime:
    """Linearizability by the order the log claims: what an operation sees is no older than what was known before it.

    Each key's versions are log indexes. If every operation's version is at least the highest of all that ended before
    it began (and above it, for a write), then the order of versions is a witness: the history is linearizable.
    """

    def __init__(self) -> None:
        self._known: Counter[str] = Counter()  # key -> highest version seen by an operation that has ended

    def began(self, key: str) -> int:
        return self._known[key]

    def ended(self, key: str, floor: int, version: int, *, write: bool) -> None:
        assert version > floor if write else version >= floor, f"{key}: version {version} after {floor} was known"
        self._known[key] = max(self._known[key], version)
