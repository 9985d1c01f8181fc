"""One server of the Raft consensus algorithm: everything that affects the state of the protocol lives here.

`Raft` is driven, it never acts: inputs are method calls with the time passed in, `drain()` hands out what is to be
done (the contract is in output.py). The handlers are in the files of their subject; this one holds state and terms.

Invariant: term and vote change together and are written together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from raftsim.core import election, founding, membership, reads, replication, snapshots, transfer
from raftsim.core.config import Change, Config
from raftsim.core.drain import drain
from raftsim.core.durable import Durable
from raftsim.core.entry import COMMAND, NOOP, Entry, HardState, Restored, SnapshotMeta
from raftsim.core.errors import TRANSFER_IN_PROGRESS, Busy, NotLeader, ProtocolViolation, Rejected
from raftsim.core.log import Log
from raftsim.core.messages import Append, AppendReply, Hail, Install, InstallReply, Message, TimeoutNow, Vote, VoteReply
from raftsim.core.output import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    Chunk,
    ChunkWanted,
    Committed,
    Event,
    Output,
    RoleChanged,
)
from raftsim.core.progress import Progress
from raftsim.core.settings import Settings

HANDLERS: dict[type, Callable[[Raft, Any, float], None]] = {}


class Raft:
    """`restored` is what the disk held; `rng` draws the election timeouts and nothing else."""

    def __init__(self, id: str, restored: Restored, settings: Settings, rng: Random, now: float) -> None:
        self.id = id
        self.settings = settings
        self.rng = rng
        self.log = Log(restored.entries, restored.base_index, restored.base_term)
        self.hard = restored.hard  # the vote record: term, vote and founder, as one
        self.term = restored.hard.term
        self.vote = restored.hard.vote
        self.role = FOLLOWER
        self.leader: str | None = None
        self.announced: tuple[str, int, str | None] = (self.role, self.term, None)  # what the last RoleChanged said
        self.started = now
        self.leader_contact = float("-inf")  # when a leader was last heard
        self.snapshot = restored.snapshot  # the newest durable one
        self.commit = restored.snapshot.index if restored.snapshot else 0
        # the configurations in the log from the last committed one on: (index, config), the last is in force
        self.configs: list[tuple[int, Config]] = [(0, Config())]
        if restored.snapshot is not None:
            self.configs = [(restored.snapshot.config_index, restored.snapshot.config)]
        # a snapshot on its way in: (its leader's term, what it is), the bytes that are here; whole: (seq, what it is)
        self.incoming: tuple[tuple[int, SnapshotMeta], int] | None = None
        self.installing: tuple[int, SnapshotMeta] | None = None
        self.durable = Durable(restored.hard, self.log.last_index)
        self.founding = founding.Founding(restored, id, now)
        # elections
        self.votes: dict[str, bool] = {}
        self.last_election: tuple[int, bool] | None = None  # (term, whether it was a pre-vote)
        self.refusals: dict[str, str] = {}  # who refused in it, and why
        self.election_deadline = now
        # leadership
        self.progress: dict[str, Progress] = {}
        self.hungry = False  # some follower may have something that it was not sent yet
        self.term_start_index = 0
        self.heartbeat_deadline = now
        self.uncommitted_bytes = 0
        self.transfer_target: str | None = None
        self.transfer_deadline = now
        self.told_to_stand = False  # somebody was, in this term
        self.round = 0
        self.round_began: deque[float] = deque()  # when the latest rounds began; the last is `round`
        self.new_reads: list[int] = []
        self.waiting_reads: deque[tuple[int, int, int]] = deque()  # (round, read id, index)
        # what this turn produced
        self.unwritten_from: int | None = None
        self.applying = self.commit  # everything up to here was handed out to be applied
        self.restore = restored.snapshot
        self.chunk_received: Chunk | None = None
        self.chunks: list[ChunkWanted] = []
        self.outbox: list[Message] = []
        self.promises: list[Message] = []
        self.ready_reads: list[tuple[int, int]] = []
        self.events: list[Event] = []

        beyond = self.log.slice(max(self.commit, self.log.base_index), self.log.last_index)
        membership.on_append(self, self.log.last_index - len(beyond) + 1, beyond)
        election.begin(self, now)

    # what others ask

    def receive(self, message: Message, now: float) -> None:
        """A message from a peer. Raises ProtocolViolation for what no correct peer sends: nothing in it is believed."""
        if message.dst != self.id or message.src == self.id:
            raise ProtocolViolation(f"a message from {message.src} for {message.dst} reached {self.id}")
        HANDLERS[type(message)](self, message, now)

    def wake(self, now: float) -> None:
        """The clock: call at `deadline` or later; calling early does nothing."""
        if now >= self.founding.deadline:
            founding.hail(self, now)
        if self.role == LEADER:
            if now >= self.heartbeat_deadline and election.keeps_quorum(self, now):
                self.heartbeat_deadline = now + self.settings.heartbeat_interval_s
                election.rest(self, now)  # once deposed, it waits like everyone else
                transfer.expire(self, now)
                reads.begin_round(self, now)
                membership.tend(self, now)
                replication.broadcast(self, now, heartbeat=True)
                transfer.nudge(self)
        elif now >= self.election_deadline:
            election.on_timeout(self, now)

    def propose(self, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        """Append a command (or a RESTORE_STEP). Returns (index, term): it took place if that is applied there.

        Raises NotLeader, Busy when too much is uncommitted, Rejected while leadership is being handed over.
        """
        if self.role != LEADER:
            raise NotLeader(self.leader)
        if self.transfer_target is not None:
            raise Rejected(TRANSFER_IN_PROGRESS, f"to {self.transfer_target}")
        if self.uncommitted_bytes + len(data) > self.settings.max_uncommitted_bytes:
            raise Busy("max_uncommitted_bytes")
        return replication.append_own(self, Entry(self.term, kind, data)), self.term

    def change(self, changes: Sequence[Change], now: float) -> tuple[int, int]:
        """Begin a membership change. Returns (index, term) as `propose`. Raises NotLeader or Rejected(reason)."""
        return membership.change(self, changes, now)

    def read(self, id: int) -> None:
        """Ask for a read index; `id` comes back in Output.reads, or never if leadership is lost. Raises NotLeader."""
        reads.read(self, id)

    def transfer(self, target: str | None, now: float) -> str:
        """Hand leadership over, to the best voter if `target` is None; returns the target.

        It worked if leadership is lost, and failed if `transfer_target` is None again without that. Raises NotLeader or
        Rejected(reason).
        """
        return transfer.begin(self, target, now)

    def unreachable(self, peer: str, now: float) -> None:
        """The process of `peer` is gone: its connection broke and reconnecting was refused."""
        # Without pre-vote, a server that only lost its own link would depose a leader the others still hear.
        if self.settings.fast_failover and self.settings.pre_vote and peer == self.leader and self.role == FOLLOWER:
            election.leader_unreachable(self, now)

    def compacted(self, meta: SnapshotMeta, trailing: int) -> None:
        """A snapshot of our own is durable; the log keeps `trailing` entries before its index, for slow followers."""
        snapshots.compacted(self, meta, trailing)

    def chunk(self, wanted: ChunkWanted, data: bytes | None, *, last: bool, now: float) -> None:
        """Answer to Output.chunks: the bytes, and whether they end the snapshot; None if it is not there any more."""
        snapshots.chunk(self, wanted, data, last=last, now=now)

    def persisted(self, seq: int, now: float) -> None:
        """The write `seq` and all before it are durable."""
        self.durable.finished(seq)
        if self.installing is not None and self.installing[0] <= seq:
            meta, self.installing = self.installing[1], None
            snapshots.install(self, meta)
        if self.role == LEADER:
            replication.advance_commit(self, now)
        elif self.role == CANDIDATE and self.vote == self.id and self.durable.hard == self.hard:
            election.own_vote_durable(self, now)

    # what is to be done

    @property
    def deadline(self) -> float:
        own = self.heartbeat_deadline if self.role == LEADER else self.election_deadline
        return min(own, self.founding.deadline)

    def drain(self, now: float) -> Output | None:
        """End a turn: everything it led to, once. None if there is nothing to do."""
        return drain(self, now)

    # the rule of terms

    def is_current(self, message: Message) -> bool:
        """Whether a reply belongs to this term. A higher term ends what this server was doing (paper 5.1)."""
        if message.term > self.term:
            self.follow(message.term, None)
        return message.term == self.term

    def follow(self, term: int, leader: str | None) -> None:
        """Be a follower in `term`, of `leader` if known."""
        assert term >= self.term, (term, self.term)
        if term > self.term:
            self.set_hard(term, None)
        self.become(FOLLOWER, leader=leader)

    def set_hard(self, term: int, vote: str | None) -> None:
        assert term > self.term or (term == self.term and self.vote in (None, vote)), (term, vote, self.vote)
        if (term, vote) != (self.term, self.vote):
            self.term, self.vote, self.hard = term, vote, HardState(term, vote, self.founding.founder)

    def become(self, role: str, *, leader: str | None) -> None:
        if self.role == LEADER and role != LEADER:
            self.progress, self.hungry = {}, False
            self.transfer_target = None
            self.new_reads.clear()
            self.waiting_reads.clear()
            self.ready_reads.clear()
        self.role, self.leader = role, leader
        if self.announced != (role, self.term, leader):
            self.announced = (role, self.term, leader)
            self.events.append(RoleChanged(role, self.term, leader))

    def lead(self, now: float) -> None:
        """Won: open the term with an entry of its own (paper section 8)."""
        self.become(LEADER, leader=self.id)
        next_index = self.log.last_index + 1
        self.progress = {id: Progress(next_index, now) for id in self.config.members() if id != self.id}
        self.round = 0
        self.round_began.clear()
        self.told_to_stand = False
        self.heartbeat_deadline = now + self.settings.heartbeat_interval_s
        self.uncommitted_bytes = sum(entry.size for entry in self.log.slice(self.commit, self.log.last_index))
        self.term_start_index = replication.append_own(self, Entry(self.term, NOOP))

    # the log and what is durable of it

    def append(self, first_index: int, entries: Sequence[Entry]) -> None:
        """Cut the log before `first_index` if it is longer, and append."""
        last_index = self.log.last_index
        assert self.commit < first_index <= last_index + 1, (self.commit, first_index)
        if first_index <= last_index:
            assert self.role != LEADER
            self.log.truncate(first_index)
            self.durable.cut(first_index - 1)
        self.log.append(entries)
        if self.unwritten_from is None or first_index < self.unwritten_from:
            self.unwritten_from = first_index
        membership.on_append(self, first_index, entries)

    def commit_to(self, index: int) -> None:
        assert self.commit <= index <= self.log.last_index, (self.commit, index, self.log.last_index)
        if index == self.commit:
            return
        self.commit = index
        while len(self.configs) > 1 and self.configs[1][0] <= index:
            del self.configs[0]
        self.events.append(Committed(index, self.role, self.term))

    def send(self, message: Message) -> None:
        """Leaves at the end of the turn."""
        self.outbox.append(message)

    def promise(self, message: Message) -> None:
        """Leaves when everything this server knows at the end of the turn is durable."""
        self.promises.append(message)

    # what an operator may ask

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.configs[-1][1]

    @property
    def config_index(self) -> int:
        return self.configs[-1][0]

    @property
    def open_to_change(self) -> bool:
        """Whether a membership change may begin now: this leads, and nothing is in its way."""
        settled = self.config_index <= self.commit and not self.config.joint
        return self.ready and settled and self.transfer_target is None

    @property
    def ready(self) -> bool:
        """Whether this leader has committed an entry of its own term."""
        return self.role == LEADER and self.commit >= self.term_start_index


HANDLERS.update(
    {
        Vote: election.on_vote,
        VoteReply: election.on_vote_reply,
        Append: replication.on_append,
        AppendReply: replication.on_append_reply,
        Install: snapshots.on_install,
        InstallReply: snapshots.on_install_reply,
        TimeoutNow: transfer.on_timeout_now,
        Hail: founding.on_hail,
    }
)
