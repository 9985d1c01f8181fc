"""What came about in a run. A rare thing that is never seen in many runs was not tested by them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from raftsim.core.output import LEADER, PRE_CANDIDATE
from raftsim.node.requests import UNKNOWN, Query, ReadIndex, Relay
from raftsim.trace.events import (
    CONFIG,
    CRASH,
    DELIVER,
    DUPLICATE,
    HALT,
    MEMORY,
    OUTCOME,
    PAUSE,
    READ,
    REQUEST,
    RESTORE,
    RESUME,
    ROLE,
    SEND,
    START,
    WIPE,
    WRITE,
    Event,
)

DEPOSED: Final = "leader deposed"
TWO_LEADERS: Final = "two leaders at once, in different terms"
PRE_VOTE: Final = "pre-vote asked for"
FORCED: Final = "vote asked for by force"
CUT_OFF: Final = "entries cut off"
FROM_SNAPSHOT: Final = "started from a snapshot"
INSTALLED: Final = "snapshot installed"
ENTERED: Final = "joint configuration entered"
LEFT: Final = "joint configuration left"
TRANSFERRED: Final = "leadership transferred"
BY_LEASE: Final = "read answered by lease"
DOUBLED: Final = "message doubled"
PAUSED: Final = "server paused"
HALTED: Final = "stopped by its disk"
TORN: Final = "torn write cut at a start"
ROTTEN: Final = "damaged log refused at a start"
WIPED: Final = "disk wiped"
FORGOTTEN: Final = "lost disk recognised"
RETURNED: Final = "vote given back"
DOUBT: Final = "outcome unknown to a client"

RARE: Final = (FROM_SNAPSHOT, INSTALLED, ENTERED, LEFT, TRANSFERRED, HALTED, WIPED, RETURNED)
FACTS: Final = (
    DEPOSED, TWO_LEADERS, PRE_VOTE, FORCED, CUT_OFF, *RARE, BY_LEASE, DOUBLED, PAUSED, TORN, ROTTEN, FORGOTTEN, DOUBT,
)  # fmt: skip


class Sightings:
    """Give it every event; it counts in `seen` which of the FACTS came about, all but TORN and ROTTEN."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self._started: dict[str, float] = {}
        self._asked: dict[str, float] = {}  # when a read came in last
        self._resumed: dict[str, float] = {}
        self._leads: dict[str, int] = {}  # server -> term
        self._last: dict[str, int] = {}  # where its log ends, as far as its writes tell
        self._configs: dict[str, Any] = {}
        self._on: dict[str, Any] = {
            CONFIG: self._config,
            CRASH: lambda node, *_: self._leads.pop(node, None),
            DELIVER: self._delivered,
            DUPLICATE: lambda *_: self._see(DOUBLED),
            HALT: lambda *_: self._see(HALTED),
            MEMORY: lambda *_: self._see(FORGOTTEN),
            OUTCOME: self._outcome,
            PAUSE: lambda *_: self._see(PAUSED),
            READ: self._read,
            REQUEST: self._request,
            RESTORE: lambda node, now, _: self._see(INSTALLED, now > self._started[node]),
            RESUME: self._resume,
            ROLE: self._role,
            SEND: self._sent,
            START: self._start,
            WIPE: lambda *_: self._see(WIPED),
            WRITE: self._write,
        }

    def observe(self, event: Event) -> None:
        act = self._on.get(event.kind)
        if act is not None:
            act(event.node, event.time, event.subject)

    def _see(self, fact: str, happened: bool = True) -> None:
        if happened:
            self.seen[fact] += 1

    def _start(self, node: str, now: float, restored: Any) -> None:
        self._started[node] = now
        self._last[node] = restored.base_index + len(restored.entries)
        self._configs.pop(node, None)
        self._see(FROM_SNAPSHOT, restored.snapshot is not None)

    def _role(self, node: str, _: float, change: Any) -> None:
        self._see(PRE_VOTE, change.role == PRE_CANDIDATE)
        if change.role == LEADER:
            self._leads[node] = change.term
            self._see(TWO_LEADERS, len(self._leads) > 1)
        elif self._leads.pop(node, None) is not None:
            self._see(DEPOSED)

    def _config(self, node: str, _: float, change: Any) -> None:
        before, config = self._configs.get(node), change.config
        self._configs[node] = config
        joint = before is not None and before.joint
        self._see(ENTERED if config.joint else LEFT, joint != config.joint)
        if before is not None:
            self._see(RETURNED, any(config.is_voter(id) for id in before.returning))

    def _write(self, node: str, _: float, write: Any) -> None:
        if write.entries:
            self._see(CUT_OFF, write.first_index <= self._last[node])
            self._last[node] = write.first_index + len(write.entries) - 1

    def _sent(self, _: str, __: float, message: Any) -> None:
        if getattr(message, "force", False):
            self._see(FORCED)

    def _delivered(self, node: str, now: float, message: Any) -> None:
        if isinstance(message, Relay) and isinstance(message.request, ReadIndex):
            self._asked[node] = now

    def _request(self, node: str, now: float, asked: Any) -> None:
        if isinstance(asked[1], Query | ReadIndex):
            self._asked[node] = now

    def _read(self, node: str, now: float, _: Any) -> None:
        """A round takes time, unless there is nobody else to ask, or all that happened meanwhile had to wait."""
        config = self._configs.get(node)
        alone = config is None or len(config.voters) == 1
        self._see(BY_LEASE, not alone and self._asked.get(node) == now != self._resumed.get(node))

    def _resume(self, node: str, now: float, _: None) -> None:
        self._resumed[node] = now

    def _outcome(self, _: str, __: float, answered: Any) -> None:
        outcome = answered[1]
        self._see(DOUBT, outcome.kind == UNKNOWN)
        if isinstance(outcome.value, dict):
            self._see(TRANSFERRED, outcome.value.get("noop") is False)
