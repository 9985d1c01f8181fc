"""The requests that came in and are not answered yet, each with its deadline.

Invariants: every request is answered exactly once; all of them are bounded in number and in time; what may have
happened, or may yet happen, is never answered `refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from raftsim.node.ports import Clock, Observer
from raftsim.node.requests import (
    REFUSED,
    UNKNOWN,
    Outcome,
    Query,
    ReadIndex,
    ReadMembership,
    ReadStatus,
    Request,
    SetCompaction,
)
from raftsim.node.settings import NodeSettings
from raftsim.trace.events import OUTCOME, REQUEST

WAITING: Final = "waiting"  # for a leader, or for a link to it
RELAYED: Final = "relayed"  # sent to the leader
READING: Final = "reading"  # this leader is confirming a read index
CONFIRMED: Final = "confirmed"  # the read index is known and not applied yet
WATCHING: Final = "watching"  # a blocking query waits for a change
QUEUED: Final = "queued"  # behind another membership change, or the first commit of the term
PROPOSED: Final = "proposed"  # in the log
HANDING_OVER: Final = "handing over"  # leadership is on its way to somebody

CHANGES_NOTHING: Final = (Query, ReadIndex, ReadMembership, ReadStatus, SetCompaction)


@dataclass(slots=True)
class Job:
    number: int
    request: Request
    done: Callable[[Outcome], None]
    wait_until: float  # for a leader, counted from when the request came in
    relay: bool  # it came from another server, which does the waiting
    deadline: float = 0.0
    stage: str = WAITING
    leader: str = ""  # RELAYED: to whom
    relay_id: int = 0  # RELAYED: the number of this very message, so that an answer to an earlier one is known as such
    target: str = ""  # HANDING_OVER: to whom
    term: int = -1  # RELAYED: our term then; PROPOSED: the term of its entry
    refused_term: int = -1  # the leader of this term has said that it is none any more


class Jobs:
    def __init__(self, clock: Clock, settings: NodeSettings, observer: Observer | None, first_number: int) -> None:
        self.clock = clock
        self.settings = settings
        self.observer = observer
        self.open: dict[int, Job] = {}  # by number
        self.next_deadline = float("inf")
        # Not from 0: an answer meant for this server before it restarted must not find a new request of that number.
        self._count = first_number

    def next_number(self) -> int:
        self._count += 1
        return self._count

    def begin(self, request: Request, done: Callable[[Outcome], None], *, relay: bool) -> Job:
        wait_until = self.clock.now() + self.settings.leader_wait_s
        job = Job(self.next_number(), request, done, wait_until, relay)
        if self.observer:
            self.observer(REQUEST, (job.number, request))
        self.open[job.number] = job
        return job

    def finish(self, job: Job, outcome: Outcome) -> None:
        if self.open.pop(job.number, None) is None:
            return  # answered before
        if self.observer:
            self.observer(OUTCOME, (job.number, outcome))
        job.done(outcome)

    def at(self, stage: str) -> list[Job]:
        return [job for job in self.open.values() if job.stage == stage]

    def limit(self, job: Job, deadline: float) -> None:
        job.deadline = deadline
        if deadline < self.next_deadline:
            self.next_deadline = deadline

    def work_on(self, job: Job) -> None:
        """There is a leader, so it has request_timeout_s from now."""
        self.limit(job, self.clock.now() + self.settings.request_timeout_s)

    def late(self, now: float) -> list[Job]:
        return [job for job in self.open.values() if job.deadline <= now]

    def recount(self) -> None:
        self.next_deadline = min((job.deadline for job in self.open.values()), default=float("inf"))


def interrupted(job: Job, reason: str) -> Outcome:
    """No answer will come: unknown if what was asked for may have happened or may yet happen, else refused."""
    begun = job.stage in (PROPOSED, RELAYED, HANDING_OVER)
    may_have_happened = begun and not isinstance(job.request, CHANGES_NOTHING)
    return Outcome(UNKNOWN if may_have_happened else REFUSED, reason=reason)
