"""What was sent on to the leader, and whom its answers are for.

A command or an operator's wish travels by itself. Of queries only the read index is asked for, once for all of a turn
(dissertation 6.4): the answer comes from this server's own machine, so that reading does not load the leader.
"""

from __future__ import annotations

from raftsim.core.raft import Raft
from raftsim.node.jobs import RELAYED, Job, Jobs
from raftsim.node.ports import Network
from raftsim.node.requests import ReadIndex, Relay, RelayReply, Request


class Relays:
    def __init__(self, raft: Raft, network: Network, jobs: Jobs) -> None:
        self._raft = raft
        self._network = network
        self._jobs = jobs
        self._sent: dict[int, list[Job]] = {}  # by the number of the relay
        self._readers: list[Job] = []  # they need a read index

    def send(self, job: Job) -> bool:
        """False if there is nobody it can be sent to now."""
        return self._raft.term != job.refused_term and self._send(job.request, [job])

    def ask_index(self, job: Job) -> None:
        """A read index of a moment after now, asked for at the end of the turn."""
        self._readers.append(job)

    def flush(self) -> list[Job]:
        """End of a turn: ask for the read index. Returns those for whom nobody can be asked now."""
        if not self._readers:
            return []
        readers = [job for job in self._readers if job.number in self._jobs.open]
        asking = [job for job in readers if job.refused_term != self._raft.term]
        self._readers = []
        if asking and self._send(ReadIndex(), asking):
            return [job for job in readers if job.refused_term == self._raft.term]
        return readers

    def _send(self, request: Request, jobs: list[Job]) -> bool:
        raft, number = self._raft, self._jobs.next_number()
        if raft.leader is None or not self._network.send(Relay(raft.id, raft.leader, number, request)):
            return False
        for job in jobs:
            job.stage, job.leader, job.term, job.relay_id = RELAYED, raft.leader, raft.term, number
            self._jobs.work_on(job)
        self._sent[number] = jobs
        return True

    def answered(self, reply: RelayReply) -> list[Job]:
        """Whom this is for: those that were not answered meanwhile, or sent to somebody else."""
        if reply.id not in self._sent or self._sent[reply.id][0].leader != reply.src:
            return []
        return [job for job in self._sent.pop(reply.id) if self._waits_for(reply.id, job)]

    def prune(self) -> None:
        """Requests were taken back: forget the relays that nobody waits for any more."""
        self._sent = {id: jobs for id, jobs in self._sent.items() if any(self._waits_for(id, job) for job in jobs)}

    def _waits_for(self, id: int, job: Job) -> bool:
        return job.number in self._jobs.open and job.stage == RELAYED and job.relay_id == id
