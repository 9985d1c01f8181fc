"""What an operator asks the leader to change: who is a member, and who leads.

Membership changes wait for each other, in order; a joint one is done when the outgoing voters are not needed any more.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from raftsim.core import errors
from raftsim.core.config import Config
from raftsim.core.entry import Entry
from raftsim.core.errors import CHANGE_IN_FLIGHT, NO_OWN_COMMIT, TRANSFER_IN_PROGRESS, Rejected
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.node import operator
from raftsim.node.jobs import HANDING_OVER, QUEUED, Job, Jobs
from raftsim.node.requests import (
    INVALID,
    LAGGING,
    NOT_A_VOTER,
    NOT_TAKEN,
    OK,
    REFUSED,
    TRANSFERRING,
    ChangeMembership,
    Outcome,
    RemovePeer,
    TransferLeadership,
)


class Changes:
    def __init__(self, raft: Raft, jobs: Jobs) -> None:
        self._raft = raft
        self._jobs = jobs
        self._queued: deque[Job] = deque()
        self._leaving: Job | None = None  # its joint configuration is committed
        self._handing_over: Job | None = None

    def change(self, job: Job, request: RemovePeer | ChangeMembership) -> tuple[int, int] | None:
        """Propose it, or queue or finish it; returns the index and the term of its entry."""
        changes = operator.changes(self._raft.config, request)
        if isinstance(changes, Outcome):
            self._jobs.finish(job, changes)
            return None
        try:
            return self._raft.change(changes, self._jobs.clock.now())
        except Rejected as rejected:
            if rejected.reason in (CHANGE_IN_FLIGHT, NO_OWN_COMMIT, TRANSFER_IN_PROGRESS):
                self._queue(job, in_flight=rejected.reason == CHANGE_IN_FLIGHT)
            else:
                reason = LAGGING if rejected.reason == errors.LAGGING else INVALID
                self._jobs.finish(job, Outcome(REFUSED, reason=reason, detail=rejected.detail))
            return None

    def _queue(self, job: Job, *, in_flight: bool) -> None:
        job.stage = QUEUED
        if in_flight and self._raft.ready:
            self._jobs.work_on(job)
        else:
            self._jobs.limit(job, job.wait_until)
        self._queued.append(job)

    def next_queued(self) -> Job | None:
        """The next change, if one may begin now."""
        while self._queued and self._raft.open_to_change:
            job = self._queued.popleft()
            if job.number in self._jobs.open:
                return job
        return None

    def applied(self, config: Config, entry: Entry, job: Job | None) -> Job | None:
        """A configuration was applied; `job` proposed it. Returns whose change is complete with that."""
        job, self._leaving = job or self._leaving, None
        if job is not None and config.joint and job.term == entry.term:
            self._leaving = job
            return None
        return job

    def transfer(self, job: Job, request: TransferLeadership) -> None:
        target: str | None = None
        if request.id is not None or request.address is not None:
            found = operator.named(self._raft.config, request)
            if isinstance(found, Outcome):
                self._jobs.finish(job, found)
                return
            target = found.id
        if target == self._raft.id:
            self.handed_over(job, target)
            return
        try:
            job.target = self._raft.transfer(target, self._jobs.clock.now())
        except Rejected as rejected:
            reason = TRANSFERRING if rejected.reason == TRANSFER_IN_PROGRESS else NOT_A_VOTER
            self._jobs.finish(job, Outcome(REFUSED, reason=reason, detail=rejected.detail))
        else:
            job.stage, self._handing_over = HANDING_OVER, job
            self._jobs.work_on(job)

    def handed_over(self, job: Job, target: str) -> None:
        config = self._raft.config
        own, other = ({"id": id, "address": config.address(id)} for id in (self._raft.id, target))
        value: dict[str, Any] = {"noop": target == self._raft.id, "from": own, "to": other}
        self._jobs.finish(job, Outcome(OK, value))

    def settle(self) -> None:
        """A transfer that is over while this still leads came to nothing."""
        if self._handing_over is not None and self._raft.role == LEADER and self._raft.transfer_target is None:
            job, self._handing_over = self._handing_over, None
            self._jobs.finish(job, Outcome(REFUSED, reason=NOT_TAKEN, detail=job.target))

    def prune(self) -> None:
        self._queued = deque(job for job in self._queued if job.number in self._jobs.open)

    def leadership_lost(self) -> None:
        self._leaving = None
        self._queued.clear()
