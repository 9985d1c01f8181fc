"""What /v1/metrics tells of this server, under the names Nomad and its raft library use.

Counted once per write, commit and change of role, not per entry; all else is read when somebody asks.
"""

from __future__ import annotations

import gc
import resource
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from raftsim.agent.intervals import Intervals
from raftsim.core.entry import COMMAND, RESTORE_STEP
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Committed, RoleChanged, Write
from raftsim.trace import events

COLLECTION_INTERVAL_S: Final = 1.0
MAX_ON_THEIR_WAY: Final = 1024  # writes whose times are being taken; with more, the oldest are not
COUNTERS: Final = (
    "raft.apply",
    "raft.state.candidate",
    "raft.state.follower",
    "raft.state.leader",
    "raft.transition.heartbeat_timeout",
)
_STATES: Final = {FOLLOWER: "follower", PRE_CANDIDATE: "candidate", CANDIDATE: "candidate", LEADER: "leader"}


class Metrics:
    """`acts` are what an observer of the server calls, by the kind of event."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self.acts: Mapping[str, Callable[[Any], None]] = {
            events.WRITE: self._write,
            events.SYNCED: self._synced,
            events.COMMIT: self._commit,
            events.ROLE: self._role_changed,
        }
        self._clock = clock
        self._wall = wall
        self._intervals = Intervals(wall())
        self._state = ""
        self._dispatched = 0  # entries of the last write of this leader
        self._syncing: deque[tuple[int, float]] = deque(maxlen=MAX_ON_THEIR_WAY)  # (number of a write, its time)
        self._committing: deque[tuple[int, float]] = deque(maxlen=MAX_ON_THEIR_WAY)  # (its last index, its time)

    def collect(self, status: Mapping[str, Any]) -> None:
        """To be called every COLLECTION_INTERVAL_S with what `Node.status` says."""
        voters = {server["id"] for server in status["configuration"]["servers"] if server["voter"]}
        for follower in status["followers"]:
            if follower["id"] in voters:
                self._sample("raft.leader.lastContact", follower["last_contact_s"])

    def view(self, status: Mapping[str, Any], connections: int) -> dict[str, Any]:
        """See `AgentFacts.metrics`."""
        began_s, values = self._intervals.latest(self._wall())
        totals = self._intervals.totals()
        told = {name: aggregate.view() for name, aggregate in sorted(values.items())}
        return {
            "began_s": began_s,
            "gauges": {"raft.leader.dispatchNumLogs": float(self._dispatched), **_gauges(status, connections)},
            "counters": {name: value for name, value in told.items() if name in COUNTERS},
            "samples": {name: value for name, value in told.items() if name not in COUNTERS},
            "counted": {name: int(totals.get(name, (0, 0.0))[1]) for name in COUNTERS},
            "sampled": {name: total for name, total in totals.items() if name not in COUNTERS},
        }

    # what happens

    def _write(self, write: Write) -> None:
        now = self._clock()
        self._syncing.append((write.seq, now))
        if self._state == "leader" and write.entries:
            self._committing.append((write.first_index + len(write.entries) - 1, now))
            self._dispatched = len(write.entries)
            proposed = sum([entry.kind in (COMMAND, RESTORE_STEP) for entry in write.entries])
            if proposed:
                self._count("raft.apply", proposed)

    def _synced(self, seq: int) -> None:
        leads = self._state == "leader"
        self._ended(self._syncing, seq, "raft.leader.dispatchLog" if leads else "raft.rpc.appendEntries.storeLogs")

    def _commit(self, commit: Committed) -> None:
        self._ended(self._committing, commit.index, "raft.commitTime")

    def _role_changed(self, change: RoleChanged) -> None:
        state = _STATES[change.role]
        if state == self._state:
            return
        if state == "candidate":
            self._count("raft.transition.heartbeat_timeout")
        self._count(f"raft.state.{state}")
        self._state = state
        self._committing.clear()

    def _ended(self, begun: deque[tuple[int, float]], number: int, name: str) -> None:
        now = self._clock()
        while begun and begun[0][0] <= number:
            self._sample(name, now - begun.popleft()[1])

    def _count(self, name: str, number: int = 1) -> None:
        self._intervals.add(name, number, self._wall())

    def _sample(self, name: str, seconds: float) -> None:
        self._intervals.add(name, 1000 * seconds, self._wall())


def _gauges(status: Mapping[str, Any], connections: int) -> dict[str, float]:
    numbers = {
        "nomad.agent.http.connections": connections,
        "raft.appliedIndex": status["applied_index"],
        "raft.lastIndex": status["last_log_index"],
        "raft.peers": len(status["configuration"]["servers"]),
        "runtime.sys_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
        "runtime.total_gc_runs": sum(generation["collections"] for generation in gc.get_stats()),
        "state.snapshotIndex": status["snapshot_index"],
    }
    return {name: float(number) for name, number in numbers.items()}
