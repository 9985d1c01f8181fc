"""What is read from this server: its machine and its view of the membership, at once, at a read index, or on change.

Invariant: what is not stale is answered only when this server has applied everything up to a read index that the
leader confirmed after the question came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush

from raftsim.core.raft import Raft
from raftsim.machine.base import InvalidRequest, Machine
from raftsim.node import operator
from raftsim.node.jobs import CONFIRMED, READING, WATCHING, Job, Jobs
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import BUSY, INVALID, OK, REFUSED, Outcome, Query, ReadIndex, ReadMembership


class Reads:
    def __init__(self, raft: Raft, machine: Machine, jobs: Jobs, seen: Mapping[str, PeerInfo]) -> None:
        self._raft = raft
        self._machine = machine
        self._jobs = jobs
        self._seen = seen
        self._behind: list[tuple[int, int, Job]] = []  # a heap: confirmed at an index not applied yet, by their numbers
        self._watching: dict[int, Job] = {}  # blocking queries, by number
        self._watched_index = 0  # what was applied when they were asked last

    def confirm(self, job: Job) -> None:
        """On the leader: find the read index."""
        job.stage = READING
        self._raft.read(job.number)

    def confirmed(self, number: int, index: int) -> None:
        """The read `number` may be answered once `index` is applied."""
        job = self._jobs.open.get(number)
        if job is None:
            return
        if isinstance(job.request, ReadIndex):
            self._jobs.finish(job, Outcome(OK, index))
        else:
            self.answer_at(index, job)

    def answer_at(self, index: int, job: Job) -> None:
        job.stage = CONFIRMED
        heappush(self._behind, (index, job.number, job))

    def settle(self, applied: int) -> None:
        while self._behind and self._behind[0][0] <= applied:
            job = heappop(self._behind)[2]
            if job.number in self._jobs.open:  # else it was too late for it, and it must not begin to watch
                self.answer(job)
        if self._watching and applied > self._watched_index:
            for job in list(self._watching.values()):
                self.answer(job)
        self._watched_index = applied

    def answer(self, job: Job) -> None:
        if isinstance(job.request, ReadMembership):
            self._jobs.finish(job, Outcome(OK, operator.membership(self._raft, self._seen)))
            return
        assert isinstance(job.request, Query)
        outcome = self._ask(job.request, late=job.stage == WATCHING and job.deadline <= self._jobs.clock.now())
        if outcome is None and job.stage != WATCHING:
            outcome = self._watch(job, job.request)
        if outcome is not None:
            self._watching.pop(job.number, None)
            self._jobs.finish(job, outcome)

    def _ask(self, request: Query, *, late: bool) -> Outcome | None:
        """None if there is nothing new for a blocking query yet."""
        try:
            answer = self._machine.query(request.query)
        except InvalidRequest as error:
            return Outcome(REFUSED, reason=INVALID, detail=str(error))
        if request.after is None:
            return Outcome(OK, answer)
        if not (isinstance(answer, dict) and isinstance(answer.get("index"), int)):
            return Outcome(REFUSED, reason=INVALID, detail="this query has no index to wait for")
        return Outcome(OK, answer) if late or answer["index"] > request.after else None

    def _watch(self, job: Job, request: Query) -> Outcome | None:
        settings = self._jobs.settings
        if len(self._watching) >= settings.max_blocking_queries:
            return Outcome(REFUSED, reason=BUSY, detail="max_blocking_queries")
        job.stage, self._watching[job.number] = WATCHING, job
        self._jobs.limit(job, self._jobs.clock.now() + min(request.wait_s, settings.max_query_wait_s))
        return None
