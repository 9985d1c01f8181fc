"""What clients and operators ask of a server: the way of every request from its arrival to its outcome.

A request waits for a leader, is relayed to it, or, on the leader, is proposed, read or queued behind another membership
change. Invariants: `ok` only after its own entry (same index, same term) was applied, or its read was confirmed; what
may have been proposed is never answered `refused`; one bounded table (jobs.py) holds all that is not answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from raftsim.core.config import Config
from raftsim.core.entry import COMMAND, RESTORE_STEP, Entry
from raftsim.core.errors import Busy, Rejected
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.machine.base import InvalidRequest, Machine, UnreadableState
from raftsim.node.changes import Changes
from raftsim.node.jobs import (
    CHANGES_NOTHING,
    HANDING_OVER,
    PROPOSED,
    QUEUED,
    READING,
    RELAYED,
    WAITING,
    WATCHING,
    Job,
    Jobs,
    interrupted,
)
from raftsim.node.ports import Network, PeerInfo
from raftsim.node.reads import Reads
from raftsim.node.relays import Relays
from raftsim.node.requests import (
    BUSY,
    INVALID,
    LEADERSHIP_LOST,
    LINK_LOST,
    NO_LEADER,
    NOT_LEADER,
    NOT_READY,
    OK,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    UNKNOWN,
    UNREACHABLE,
    ChangeMembership,
    Command,
    Outcome,
    Query,
    ReadIndex,
    ReadMembership,
    ReadStatus,
    Relay,
    RelayReply,
    RemovePeer,
    Request,
    RestoreStep,
    SetCompaction,
    TransferLeadership,
)
from raftsim.node.restore import Staging

AtOnce = Mapping[type, Callable[[Any], Outcome]]


class Clients:
    """`at_once` answers requests that this server can answer by itself, by their type."""

    def __init__(
        self, raft: Raft, machine: Machine, staging: Staging, network: Network, jobs: Jobs, at_once: AtOnce
    ) -> None:
        self.seen: dict[str, PeerInfo] = {}  # by address
        self.jobs = jobs
        self._raft = raft
        self._machine = machine
        self._staging = staging
        self._network = network
        self._at_once = at_once
        self._relays = Relays(raft, network, jobs)
        self._reads = Reads(raft, machine, jobs, self.seen)
        self._changes = Changes(raft, jobs)
        self.waiting: list[Job] = []  # for a leader, or for a link to it
        self._proposed: dict[int, Job] = {}  # by index
        self._applied = 0  # as of the last turn
        self._stopped = False

    # coming in

    def take(self, request: Request, done: Callable[[Outcome], None], *, relay: bool = False) -> None:
        refusal = self._refusal(request)
        job = self.jobs.begin(request, done, relay=relay)
        if refusal is not None:
            self.jobs.finish(job, refusal)
        elif _local(request):
            self._answer_here(job)
        else:
            self.jobs.limit(job, job.wait_until)
            self._dispatch(job)

    def _refusal(self, request: Request) -> Outcome | None:
        if self._stopped:
            return Outcome(REFUSED, reason=STOPPED)
        if len(self.jobs.open) >= self.jobs.settings.max_pending_requests:
            return Outcome(REFUSED, reason=BUSY, detail="max_pending_requests")
        if isinstance(request, Command):
            try:
                self._machine.check_command(request.data)
            except InvalidRequest as error:
                return Outcome(REFUSED, reason=INVALID, detail=str(error))
        return None

    def _answer_here(self, job: Job) -> None:
        answer = self._at_once.get(type(job.request))
        snapshot = self._raft.snapshot
        if answer is not None:
            self.jobs.finish(job, answer(job.request))
        elif isinstance(job.request, Query) and snapshot is not None and not self._applied:
            # A server that has just started is nothing yet, not even something old: it waits for its own snapshot.
            self.jobs.limit(job, job.wait_until)
            self._reads.answer_at(snapshot.index, job)
        else:
            self._reads.answer(job)

    def take_relay(self, relay: Relay) -> None:
        """Another server asks on behalf of its client."""

        def reply(outcome: Outcome) -> None:
            self._network.send(RelayReply(relay.dst, relay.src, relay.id, outcome))

        if self._raft.role == LEADER:
            self.take(relay.request, reply, relay=True)
        else:
            reply(Outcome(REFUSED, reason=NOT_LEADER))

    def take_reply(self, reply: RelayReply) -> None:
        outcome = replace(reply.outcome, forwarded=True)
        for job in self._relays.answered(reply):
            if outcome.reason == NOT_LEADER:
                job.refused_term = job.term
                self._wait(job)
            elif outcome.kind == OK and isinstance(job.request, Query):
                self._reads.answer_at(outcome.value, job)
            else:
                self.jobs.finish(job, outcome)

    # finding someone who can do it

    def _dispatch(self, job: Job) -> None:
        if self._raft.role == LEADER:
            self._lead(job)
        elif job.relay:
            self.jobs.finish(job, Outcome(REFUSED, reason=NOT_LEADER))
        elif isinstance(job.request, Query):
            self._relays.ask_index(job)
        elif not self._relays.send(job):
            self._wait(job)

    def _wait(self, job: Job) -> None:
        job.stage = WAITING
        self.jobs.limit(job, job.wait_until)
        self.waiting.append(job)

    def _lead(self, job: Job) -> None:
        request = job.request
        if isinstance(request, Command | RestoreStep):
            kind = COMMAND if isinstance(request, Command) else RESTORE_STEP
            try:
                index, term = self._raft.propose(request.data, kind)
            except Rejected:
                self._wait(job)  # leadership is being handed over: the next leader takes it
            except Busy as busy:
                self.jobs.finish(job, Outcome(REFUSED, reason=BUSY, detail=busy.limit))
            else:
                self._propose(job, index, term)
        elif isinstance(request, RemovePeer | ChangeMembership):
            place = self._changes.change(job, request)
            if place is not None:
                self._propose(job, *place)
        elif isinstance(request, TransferLeadership):
            self._changes.transfer(job, request)
        elif isinstance(request, Query | ReadIndex | ReadMembership):
            self._reads.confirm(job)
        else:
            self._answer_here(job)

    def _propose(self, job: Job, index: int, term: int) -> None:
        job.stage, job.term = PROPOSED, term
        self.jobs.work_on(job)
        self._proposed[index] = job

    # coming to an end

    def applied(self, index: int, entry: Entry) -> None:
        """The entry at `index` is committed: apply it, and answer whoever proposed it."""
        result = None
        data = entry.data
        if entry.kind == COMMAND:
            assert isinstance(data, bytes)
            try:
                result = self._machine.apply(index, data)
            except InvalidRequest as error:
                raise UnreadableState(f"the entry at index {index} is no command of this machine: {error}") from None
        elif entry.kind == RESTORE_STEP:
            assert isinstance(data, bytes)
            result = self._staging.apply(index, data)
        job = self._proposed.pop(index, None)
        if isinstance(data, Config):
            job = self._changes.applied(data, entry, job)
        if job is not None:
            same = job.term == entry.term
            self.jobs.finish(job, Outcome(OK, result) if same else Outcome(UNKNOWN, reason=LEADERSHIP_LOST))

    def confirmed(self, number: int, index: int) -> None:
        """The read `number` may be answered once `index` is applied."""
        self._reads.confirmed(number, index)

    def settle(self, applied: int, now: float) -> bool:
        """End of a turn: answer reads, try again what waits, give up what is late. True: the core was asked."""
        self._applied = applied
        asked = bool(self.jobs.open) and self._go_on(applied)  # at rest there is nothing to look for
        if now >= self.jobs.next_deadline:
            self._expire(now)
        return asked

    def _go_on(self, applied: int) -> bool:
        asked = False
        self._reads.settle(applied)
        while (job := self._changes.next_queued()) is not None:
            self._dispatch(job)
            asked = True
        if self.waiting and (self._raft.role == LEADER or self._raft.leader is not None):
            waiting, self.waiting = self.waiting, []
            for job in waiting:
                if job.number in self.jobs.open:
                    self._dispatch(job)
            asked = True
        for job in self._relays.flush():
            self._wait(job)
        self._changes.settle()
        return asked

    def _expire(self, now: float) -> None:
        for job in self.jobs.late(now):
            if job.stage == WATCHING:
                self._reads.answer(job)
            else:
                self.jobs.finish(job, self._too_late(job))
        self.waiting = [job for job in self.waiting if job.number in self.jobs.open]
        self._changes.prune()
        self._relays.prune()
        self.jobs.recount()

    def _too_late(self, job: Job) -> Outcome:
        if job.stage == WAITING:
            leader = self._raft.config.address(self._raft.leader or "")
            return Outcome(REFUSED, reason=UNREACHABLE if leader else NO_LEADER, detail=leader)
        if job.stage in (READING, QUEUED):
            return Outcome(REFUSED, reason=TIMED_OUT if self._raft.ready else NOT_READY)
        return interrupted(job, TIMED_OUT)

    # what interrupts

    def role_changed(self) -> None:
        """Leadership was lost or gained somewhere: whatever hung on the old one goes on or ends."""
        raft = self._raft
        leading = raft.role == LEADER
        for job in list(self.jobs.open.values()):
            if job.stage == PROPOSED and (not leading or job.term != raft.term):
                self.jobs.finish(job, Outcome(UNKNOWN, reason=LEADERSHIP_LOST))
            elif job.stage == HANDING_OVER and not leading:
                self._changes.handed_over(job, job.target)
            elif job.stage in (READING, QUEUED) and not leading:
                self._dispatch(job)
            elif job.stage == RELAYED and job.leader != raft.leader:
                self._leader_gone(job)
        self._relays.prune()
        if not leading:
            self._proposed.clear()
            self._changes.leadership_lost()

    def _leader_gone(self, job: Job) -> None:
        if isinstance(job.request, CHANGES_NOTHING):
            self._wait(job)
        else:
            # The old leader may still answer, but it is not worth a long wait.
            soon = self.jobs.clock.now() + self.jobs.settings.leader_wait_s
            self.jobs.limit(job, min(job.deadline, soon))

    def link_lost(self, peer: str) -> None:
        """What was relayed to `peer` may or may not have arrived."""
        for job in self.jobs.at(RELAYED):
            if job.leader == peer and isinstance(job.request, CHANGES_NOTHING):
                self._wait(job)
            elif job.leader == peer:
                self.jobs.finish(job, replace(interrupted(job, LINK_LOST), forwarded=True))
        self._relays.prune()

    def stop(self) -> None:
        self._stopped = True
        for job in list(self.jobs.open.values()):
            self.jobs.finish(job, interrupted(job, STOPPED))


def _local(request: Request) -> bool:
    """Whether any server answers this by itself, at once."""
    match request:
        case Command():  # first: there are the most of these
            return False
        case Query(stale=True) | ReadMembership(stale=True) | ReadStatus(leader=False) | SetCompaction():
            return True
    return False
