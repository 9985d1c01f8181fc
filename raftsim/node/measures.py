"""How long disk and peers have taken of late, which election timeouts are measured by. For people, not decisions."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from math import inf
from typing import Any, Final

from raftsim.core.progress import Progress
from raftsim.core.raft import Raft

SAMPLES: Final = 256  # the latest, of each
_SHARES: Final = {"min_ms": 0.0, "median_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "max_ms": 1.0}


class _Trips:
    """To one follower and back, as long as this server leads it and its store is the same."""

    __slots__ = ("of", "proven", "times_s")

    def __init__(self, of: Progress) -> None:
        self.of = of
        self.proven = -inf  # when the round began that it answered last
        self.times_s: deque[float] = deque(maxlen=SAMPLES)


class Measures:
    """Told of every finished write and of every answer of a follower; keeps the latest times alone."""

    def __init__(self, raft: Raft) -> None:
        self._raft = raft
        self._syncs_s: deque[float] = deque(maxlen=SAMPLES)
        self._trips: dict[str, _Trips] = {}

    def syncing_ends(self, now: float) -> None:
        """A write is durable, and the core has not heard of it yet."""
        self._syncs_s.append(self._raft.durable.stalled(now))

    def answered(self, follower: str, now: float) -> None:
        """The core took in an answer of `follower`: it counts if it is the first one to a round."""
        progress = self._raft.progress.get(follower)
        if progress is None:
            return
        trips = self._trips.get(follower)
        if trips is None or trips.of is not progress:
            trips = _Trips(progress)
            kept = {id: old for id, old in self._trips.items() if id in self._raft.progress}
            self._trips = {**kept, follower: trips}
        if progress.proven > trips.proven:
            trips.proven = progress.proven
            trips.times_s.append(now - progress.proven)

    def view(self) -> dict[str, Any]:
        """{"syncs": TIMES, "round_trips": [{"id": str, **TIMES}]}, the latter on a leader for each other member.

        TIMES: {"count": int, "min_ms", "median_ms", "p90_ms", "p99_ms", "max_ms": float or None (no sample)}. A sync is
        counted from when a write is handed to the disk, so the end of the one before may be in it; a round trip from
        when a round of heartbeats begins until its first answer, so a sync of the follower may be in it.
        """
        trips = {id: self._trips[id].times_s if id in self._trips else () for id in self._raft.progress}
        return {
            "syncs": _summary(self._syncs_s),
            "round_trips": [{"id": id, **_summary(times_s)} for id, times_s in trips.items()],
        }


def _summary(times_s: Collection[float]) -> dict[str, Any]:
    ordered = sorted(times_s)
    last = len(ordered) - 1
    return {
        "count": len(ordered),
        **{name: round(1000 * ordered[round(share * last)], 3) if ordered else None for name, share in _SHARES.items()},
    }
