"""What clients wait for: every request that came in and is not answered yet.

A request waits for a leader, is relayed to it, or, on the leader, is proposed, read or queued behind another membership
change. Invariants: every request is answered exactly once; `ok` only after its own entry (same index, same term) was
applied, or its read was confirmed; what may have been proposed is never answered `refused`; all that can wait is
bounded in number and in time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from raftsim.core import errors
from raftsim.core.config import Change, Config
from raftsim.core.entry import COMMAND, Entry
from raftsim.core.errors import CHANGE_IN_FLIGHT, NO_OWN_COMMIT, TRANSFER_IN_PROGRESS, Busy, Rejected
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.machine.base import InvalidRequest, Machine
from raftsim.node import operator
from raftsim.node.ports import Clock, Network, Observer, PeerInfo
from raftsim.node.requests import (
    BUSY,
    INVALID,
    LAGGING,
    LEADERSHIP_LOST,
    LINK_LOST,
    NO_LEADER,
    NOT_A_VOTER,
    NOT_LEADER,
    NOT_READY,
    NOT_TAKEN,
    OK,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    TRANSFERRING,
    UNKNOWN,
    UNREACHABLE,
    ChangeMembership,
    Command,
    Outcome,
    Query,
    ReadMembership,
    Relay,
    RelayReply,
    RemovePeer,
    Request,
    TransferLeadership,
)
from raftsim.node.settings import NodeSettings
from raftsim.trace.events import OUTCOME, REQUEST

WAITING: Final = "waiting"  # for a leader, or for a link to it
RELAYED: Final = "relayed"  # sent to the leader
READING: Final = "reading"  # a read index is being confirmed, or applied up to
WATCHING: Final = "watching"  # a blocking query waits for a change
QUEUED: Final = "queued"  # behind another membership change, or the first commit of the term
PROPOSED: Final = "proposed"  # in the log
HANDING_OVER: Final = "handing over"  # leadership is on its way to somebody


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


class Clients:
    def __init__(
        self,
        raft: Raft,
        machine: Machine,
        network: Network,
        clock: Clock,
        settings: NodeSettings,
        observer: Observer | None,
        first_number: int,
    ) -> None:
        self.raft = raft
        self.machine = machine
        self.network = network
        self.clock = clock
        self.settings = settings
        self.observer = observer
        self.seen: dict[str, PeerInfo] = {}  # by address
        self.jobs: dict[int, Job] = {}  # all that is not answered, by number
        self.relayed: dict[int, Job] = {}  # by the number of the relay
        self.stopped = False
        # Not from 0: an answer meant for this server before it restarted must not find a new request of that number.
        self.count = first_number
        self.waiting: list[Job] = []
        self.queued: deque[Job] = deque()
        self.proposed: dict[int, Job] = {}  # by index
        self.leaving: Job | None = None  # a joint configuration that is committed
        self.handing_over: Job | None = None
        self.behind: list[tuple[int, Job]] = []  # reads confirmed at an index not applied yet
        self.watching: dict[int, Job] = {}  # blocking queries, by number
        self.watched_index = 0  # what was applied when they were asked last
        self.next_deadline = float("inf")

    # coming in

    def take(self, request: Request, done: Callable[[Outcome], None], *, relay: bool = False) -> None:
        self.count += 1
        job = Job(self.count, request, done, self.clock.now() + self.settings.leader_wait_s, relay)
        if self.observer:
            self.observer(REQUEST, (job.number, request))
        refusal = self._refusal(request)
        self.jobs[job.number] = job
        if refusal is not None:
            self._finish(job, refusal)
        elif isinstance(request, Query | ReadMembership) and request.stale:
            self._answer_read(job)
        else:
            self._limit(job, job.wait_until)
            self._dispatch(job)

    def _refusal(self, request: Request) -> Outcome | None:
        if self.stopped:
            return Outcome(REFUSED, reason=STOPPED)
        if len(self.jobs) >= self.settings.max_pending_requests:
            return Outcome(REFUSED, reason=BUSY, detail="max_pending_requests")
        if isinstance(request, Command):
            try:
                self.machine.check_command(request.data)
            except InvalidRequest as error:
                return Outcome(REFUSED, reason=INVALID, detail=str(error))
        return None

    def take_relay(self, relay: Relay) -> None:
        """Another server asks on behalf of its client."""

        def reply(outcome: Outcome) -> None:
            self.network.send(RelayReply(relay.dst, relay.src, relay.id, outcome))

        if self.raft.role == LEADER:
            self.take(relay.request, reply, relay=True)
        else:
            reply(Outcome(REFUSED, reason=NOT_LEADER))

    def take_reply(self, reply: RelayReply) -> None:
        job = self.relayed.get(reply.id)
        if job is None or job.leader != reply.src:
            return  # it was answered meanwhile, or sent to somebody else
        if reply.outcome.reason == NOT_LEADER:
            job.refused_term = job.term
            self._wait(job)
        else:
            self._finish(job, replace(reply.outcome, forwarded=True))

    # finding someone who can do it

    def _dispatch(self, job: Job) -> None:
        if self.raft.role == LEADER:
            self._lead(job)
        elif job.relay:
            self._finish(job, Outcome(REFUSED, reason=NOT_LEADER))
        elif not self._relay(job):
            self._wait(job)

    def _relay(self, job: Job) -> bool:
        raft = self.raft
        if raft.leader is None or raft.term == job.refused_term:
            return False
        self.count += 1
        if not self.network.send(Relay(raft.id, raft.leader, self.count, job.request)):
            return False
        job.stage, job.leader, job.term, job.relay_id = RELAYED, raft.leader, raft.term, self.count
        self.relayed[job.relay_id] = job
        self._limit(job, self.clock.now() + self.settings.request_timeout_s + self._wait_s(job.request))
        return True

    def _wait(self, job: Job) -> None:
        job.stage = WAITING
        self.relayed.pop(job.relay_id, None)
        self._limit(job, job.wait_until)
        self.waiting.append(job)

    def _limit(self, job: Job, deadline: float) -> None:
        job.deadline = deadline
        self.next_deadline = min(self.next_deadline, deadline)

    def _lead(self, job: Job) -> None:
        request = job.request
        if isinstance(request, Command):
            try:
                index, term = self.raft.propose(request.data)
            except Rejected:
                self._wait(job)  # leadership is being handed over: the next leader takes it
            except Busy as busy:
                self._finish(job, Outcome(REFUSED, reason=BUSY, detail=busy.limit))
            else:
                self._proposed(job, index, term)
        elif isinstance(request, RemovePeer | ChangeMembership):
            self._change(job, request)
        elif isinstance(request, TransferLeadership):
            self._transfer(job, request)
        else:
            job.stage = READING
            self.raft.read(job.number)

    def _change(self, job: Job, request: RemovePeer | ChangeMembership) -> None:
        changes: list[Change] = []
        if isinstance(request, RemovePeer):
            change = operator.removal(self.raft.config, request)
            if isinstance(change, Outcome):
                self._finish(job, change)
                return
            changes = [change]
        else:
            changes = [Change(*change) for change in request.changes]
        try:
            index, term = self.raft.change(changes, self.clock.now())
        except Rejected as rejected:
            if rejected.reason not in (CHANGE_IN_FLIGHT, NO_OWN_COMMIT, TRANSFER_IN_PROGRESS):
                reason = LAGGING if rejected.reason == errors.LAGGING else INVALID
                self._finish(job, Outcome(REFUSED, reason=reason, detail=rejected.detail))
                return
            job.stage = QUEUED
            in_flight = rejected.reason == CHANGE_IN_FLIGHT and self.raft.ready
            self._limit(job, self.clock.now() + self.settings.request_timeout_s if in_flight else job.wait_until)
            self.queued.append(job)
        else:
            self._proposed(job, index, term)

    def _transfer(self, job: Job, request: TransferLeadership) -> None:
        target: str | None = None
        if request.id is not None or request.address is not None:
            found = operator.named(self.raft.config, request)
            if isinstance(found, Outcome):
                self._finish(job, found)
                return
            target = found.id
        if target == self.raft.id:
            self._finish(job, Outcome(OK, self._handed_over(target)))
            return
        try:
            job.target = self.raft.transfer(target, self.clock.now())
        except Rejected as rejected:
            reason = TRANSFERRING if rejected.reason == TRANSFER_IN_PROGRESS else NOT_A_VOTER
            self._finish(job, Outcome(REFUSED, reason=reason, detail=rejected.detail))
        else:
            job.stage, self.handing_over = HANDING_OVER, job
            self._limit(job, self.clock.now() + self.settings.request_timeout_s)

    def _handed_over(self, target: str) -> dict[str, Any]:
        config = self.raft.config
        own, other = ({"id": id, "address": config.address(id)} for id in (self.raft.id, target))
        return {"noop": target == self.raft.id, "from": own, "to": other}

    def _proposed(self, job: Job, index: int, term: int) -> None:
        job.stage, job.term = PROPOSED, term
        self._limit(job, self.clock.now() + self.settings.request_timeout_s)
        self.proposed[index] = job

    # coming to an end

    def applied(self, index: int, entry: Entry) -> None:
        """The entry at `index` is committed: apply it, and answer whoever proposed it."""
        result = None
        if entry.kind == COMMAND:
            assert isinstance(entry.data, bytes)
            result = self.machine.apply(index, entry.data)
        job = self.proposed.pop(index, None)
        if isinstance(entry.data, Config):
            job, self.leaving = job or self.leaving, None
            if job is not None and entry.data.joint and job.term == entry.term:
                self.leaving = job  # it is done when nobody needs the outgoing voters any more
                return
        if job is not None:
            same = job.term == entry.term
            self._finish(job, Outcome(OK, result) if same else Outcome(UNKNOWN, reason=LEADERSHIP_LOST))

    def confirmed(self, number: int, index: int) -> None:
        """The read `number` may be answered once `index` is applied."""
        job = self.jobs.get(number)
        if job is not None:
            self.behind.append((index, job))

    def settle(self, applied: int, now: float) -> None:
        """End of a turn: answer reads, try again what waits, give up what is late."""
        if self.behind:
            ready = [job for index, job in self.behind if index <= applied]
            self.behind = [(index, job) for index, job in self.behind if index > applied]
            for job in ready:
                self._answer_read(job)
        if self.watching and applied > self.watched_index:
            for job in list(self.watching.values()):
                self._answer_read(job)
        self.watched_index = applied
        while self.queued and self.raft.open_to_change:
            self._again(self.queued.popleft())
        if self.waiting and (self.raft.role == LEADER or self.raft.leader is not None):
            waiting, self.waiting = self.waiting, []
            for job in waiting:
                self._again(job)
        if self.handing_over is not None and self.raft.role == LEADER and self.raft.transfer_target is None:
            job, self.handing_over = self.handing_over, None
            self._finish(job, Outcome(REFUSED, reason=NOT_TAKEN, detail=job.target))
        if now >= self.next_deadline:
            self._expire(now)

    def _again(self, job: Job) -> None:
        if job.number in self.jobs:
            self._dispatch(job)

    def _answer_read(self, job: Job) -> None:
        request = job.request
        if isinstance(request, ReadMembership):
            self._finish(job, Outcome(OK, operator.membership(self.raft, self.seen)))
            return
        assert isinstance(request, Query)
        try:
            answer = self.machine.query(request.query)
        except InvalidRequest as error:
            self._finish(job, Outcome(REFUSED, reason=INVALID, detail=str(error)))
            return
        if request.after is None:
            self._finish(job, Outcome(OK, answer))
        elif not (isinstance(answer, dict) and isinstance(answer.get("index"), int)):
            self._finish(job, Outcome(REFUSED, reason=INVALID, detail="this query has no index to wait for"))
        elif answer["index"] > request.after or (job.stage == WATCHING and job.deadline <= self.clock.now()):
            self._finish(job, Outcome(OK, answer))
        elif job.stage != WATCHING:
            self._watch(job)

    def _watch(self, job: Job) -> None:
        if len(self.watching) >= self.settings.max_blocking_queries:
            self._finish(job, Outcome(REFUSED, reason=BUSY, detail="max_blocking_queries"))
            return
        job.stage, self.watching[job.number] = WATCHING, job
        self._limit(job, self.clock.now() + self._wait_s(job.request))

    def _wait_s(self, request: Request) -> float:
        """How long the answer to `request` may be held back on purpose."""
        if isinstance(request, Query) and request.after is not None:
            return min(request.wait_s, self.settings.max_query_wait_s)
        return 0.0

    def _finish(self, job: Job, outcome: Outcome) -> None:
        if self.jobs.pop(job.number, None) is None:
            return  # answered before
        self.relayed.pop(job.relay_id, None)
        self.watching.pop(job.number, None)
        if self.observer:
            self.observer(OUTCOME, (job.number, outcome))
        job.done(outcome)

    def _expire(self, now: float) -> None:
        for job in [job for job in self.jobs.values() if job.deadline <= now]:
            if job.stage == WATCHING:
                self._answer_read(job)
            else:
                self._finish(job, self._too_late(job))
        self.waiting = [job for job in self.waiting if job.number in self.jobs]
        self.queued = deque(job for job in self.queued if job.number in self.jobs)
        self.next_deadline = min((job.deadline for job in self.jobs.values()), default=float("inf"))

    def _too_late(self, job: Job) -> Outcome:
        if job.stage == WAITING:
            leader = self.raft.config.address(self.raft.leader or "")
            return Outcome(REFUSED, reason=UNREACHABLE if leader else NO_LEADER, detail=leader)
        if job.stage in (READING, QUEUED):
            return Outcome(REFUSED, reason=TIMED_OUT if self.raft.ready else NOT_READY)
        return _interrupted(job, TIMED_OUT)

    # what interrupts

    def role_changed(self) -> None:
        """Leadership was lost or gained somewhere: whatever hung on the old one goes on or ends."""
        leading = self.raft.role == LEADER
        for job in list(self.jobs.values()):
            if job.stage == PROPOSED and (not leading or job.term != self.raft.term):
                self._finish(job, Outcome(UNKNOWN, reason=LEADERSHIP_LOST))
            elif job.stage == HANDING_OVER and not leading:
                self._finish(job, Outcome(OK, self._handed_over(job.target)))
            elif job.stage in (READING, QUEUED) and not leading:
                self._dispatch(job)
            elif job.stage == RELAYED and job.leader != self.raft.leader:
                self._leader_gone(job)
        if not leading:
            self.proposed.clear()
            self.leaving = None
            self.queued.clear()
            self.behind.clear()

    def _leader_gone(self, job: Job) -> None:
        if isinstance(job.request, Query | ReadMembership):
            self._wait(job)
        else:
            # The old leader may still answer, but it is not worth a long wait.
            self._limit(job, min(job.deadline, self.clock.now() + self.settings.leader_wait_s))

    def link_lost(self, peer: str) -> None:
        """What was relayed to `peer` may or may not have arrived."""
        for job in [job for job in self.jobs.values() if job.stage == RELAYED and job.leader == peer]:
            if isinstance(job.request, Query | ReadMembership):
                self._wait(job)
            else:
                self._finish(job, replace(_interrupted(job, LINK_LOST), forwarded=True))

    def stop(self) -> None:
        self.stopped = True
        for job in list(self.jobs.values()):
            self._finish(job, _interrupted(job, STOPPED))


def _interrupted(job: Job, reason: str) -> Outcome:
    """No answer will come: unknown if what was asked for may have happened or may yet happen, else refused."""
    reading = isinstance(job.request, Query | ReadMembership)
    may_have_happened = not reading and job.stage in (PROPOSED, RELAYED, HANDING_OVER)
    return Outcome(UNKNOWN if may_have_happened else REFUSED, reason=reason)
