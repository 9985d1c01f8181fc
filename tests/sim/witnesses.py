"""What is observed of a run from outside, besides the judges."""

from __future__ import annotations

from collections import Counter
from typing import Final

from raftsim.trace.events import CONFIG, HALT, OUTCOME, RESTORE, START, WIPE, Event

FROM_SNAPSHOT: Final = "started from a snapshot"
INSTALLED: Final = "snapshot installed"
ENTERED: Final = "joint configuration entered"
LEFT: Final = "joint configuration left"
TRANSFERRED: Final = "leadership transferred"
HALTED: Final = "stopped by its disk"
WIPED: Final = "disk wiped"
RETURNED: Final = "vote given back"
RARE: Final = (FROM_SNAPSHOT, INSTALLED, ENTERED, LEFT, TRANSFERRED, HALTED, WIPED, RETURNED)


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


class Sightings:
    """Counts in `seen` what is RARE, so that a test can tell that it came about."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._started: dict[str, float] = {}
        self._joint: dict[str, bool] = {}
        self._returning: dict[str, tuple[str, ...]] = {}

    def observe(self, event: Event) -> None:
        node, subject = event.node, event.subject
        if event.kind == START:
            self._started[node] = event.time
            self._joint[node] = False
            self.seen[FROM_SNAPSHOT] += subject.snapshot is not None
        elif event.kind == HALT:
            self.seen[HALTED] += 1
        elif event.kind == RESTORE:
            self.seen[INSTALLED] += event.time > self._started[node]
        elif event.kind == CONFIG:
            before, now = self._joint[node], subject.config.joint
            self._joint[node] = now
            before_returning, config = self._returning.get(node, ()), subject.config
            self._returning[node] = config.returning
            self.seen[RETURNED] += any(config.is_voter(id) for id in before_returning)
            if before != now:
                self.seen[ENTERED if now else LEFT] += 1
        elif event.kind == WIPE:
            self.seen[WIPED] += 1
        elif event.kind == OUTCOME and isinstance(subject[1].value, dict):
            self.seen[TRANSFERRED] += subject[1].value.get("noop") is False
