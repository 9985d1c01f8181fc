"""Events written by hand: a cluster that never ran, told step by step to the judges."""

from __future__ import annotations

from collections.abc import Callable

from raftsim.check.ghost import Limits
from raftsim.check.judges import Judges
from raftsim.core.config import Config, of
from raftsim.core.entry import COMMAND, NOOP, Entry, HardState, Restored, SnapshotMeta, bootstrapped
from raftsim.core.entry import CONFIG as CONFIG_ENTRY
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, Chunk, Committed, ConfigChanged, RoleChanged, Write
from raftsim.trace.events import (
    APPLY,
    COMMIT,
    CONFIG,
    CRASH,
    RESTORE,
    ROLE,
    SEND,
    SNAPSHOT,
    START,
    SYNCED,
    WRITE,
    Event,
)

TRIO = of("n1", "n2", "n3")


def command(term: int, data: bytes = b"x") -> Entry:
    return Entry(term, COMMAND, data)


def config(term: int, *voters: str) -> Entry:
    return Entry(term, CONFIG_ENTRY, of(*voters))


def meta(index: int, term: int, config: Config = TRIO, config_index: int = 1) -> SnapshotMeta:
    return SnapshotMeta(index, term, config, config_index)


class Story:
    """`logs` is what each server holds in memory. Ids are names."""

    def __init__(self) -> None:
        self.judges = Judges(limits=Limits(uncommitted_bytes=10, pending_requests=2))
        self.time = 0.0
        self.logs: dict[str, list[Entry]] = {}
        self.seqs: dict[str, int] = {}
        for name in TRIO.voters:
            self.start(name, bootstrapped(TRIO))

    @property
    def broken(self) -> list[str]:
        """The invariants that were violated, each once."""
        return list(dict.fromkeys(violation.invariant for violation in self.judges.violations))

    def tell(self, node: str, kind: str, subject: object) -> None:
        self.time += 0.001
        self.judges.observe(Event(self.time, node, kind, subject))

    # single events

    def start(self, node: str, restored: Restored) -> None:
        self.logs[node] = list(restored.entries)
        self.seqs[node] = 0
        self.tell(node, START, restored)

    def role(self, node: str, role: str, term: int) -> None:
        self.tell(node, ROLE, RoleChanged(role, term, node if role == LEADER else None))

    def write(self, node: str, hard: tuple[int, str | None] | None = None, at: int = 0, *entries: Entry) -> None:
        if at:
            self.logs[node][at - 1 :] = entries
        self.seqs[node] += 1
        self.tell(node, WRITE, Write(self.seqs[node], hard and HardState(*hard), at, list(entries)))

    def sync(self, *nodes: str) -> None:
        for node in nodes:
            self.tell(node, SYNCED, self.seqs[node])

    def crash(self, node: str, last_seq: int | None = None) -> None:
        self.tell(node, CRASH, self.seqs[node] if last_seq is None else last_seq)

    def config(self, node: str, index: int, config: Config) -> None:
        self.tell(node, CONFIG, ConfigChanged(index, config))

    def commit(self, node: str, index: int, role: str = FOLLOWER, term: int = 1) -> None:
        self.tell(node, COMMIT, Committed(index, role, term))

    def apply(self, node: str, index: int) -> None:
        self.tell(node, APPLY, (index, self.logs[node][index - 1]))

    def snapshot(self, node: str, of: SnapshotMeta, digest: str = "bytes") -> None:
        self.tell(node, SNAPSHOT, (of, digest))

    def receive(self, node: str, of: SnapshotMeta) -> None:
        """The last chunk of a snapshot is written."""
        self.seqs[node] += 1
        self.tell(node, WRITE, Write(self.seqs[node], None, chunk=Chunk(of, 0, b"bytes", last=True)))

    def restore(self, node: str, of: SnapshotMeta) -> None:
        self.tell(node, RESTORE, of)

    def send(self, message: object) -> None:
        self.tell(message.src, SEND, message)  # type: ignore[attr-defined]

    # what correct servers do

    def stand(self, node: str, term: int) -> None:
        """A candidate with a durable vote for itself."""
        self.role(node, CANDIDATE, term)
        self.write(node, (term, node))
        self.sync(node)

    def ask(self, node: str, term: int, voter: str) -> None:
        log = self.logs[node]
        self.send(Vote(term, node, voter, len(log), log[-1].term))

    def grant(self, voter: str, term: int, candidate: str) -> None:
        self.role(voter, FOLLOWER, term)
        self.write(voter, (term, candidate))
        self.sync(voter)
        self.send(VoteReply(term, voter, candidate, granted=True))

    def elect(self, node: str, term: int, voter: str) -> None:
        """`node` wins with the vote of `voter`, and opens its term with an entry that is durable at once."""
        self.stand(node, term)
        self.ask(node, term, voter)
        self.grant(voter, term, node)
        self.role(node, LEADER, term)
        self.lead_write(node, Entry(term, NOOP))

    def lead_write(self, leader: str, *entries: Entry) -> None:
        self.write(leader, None, len(self.logs[leader]) + 1, *entries)
        self.sync(leader)

    def replicate(self, leader: str, follower: str, term: int, first: int) -> None:
        """The leader's entries from `first` on reach the disk of `follower`, which acknowledges them."""
        entries = self.logs[leader][first - 1 :]
        prev_term = self.logs[leader][first - 2].term if first > 1 else 0
        self.send(Append(term, leader, follower, first - 1, prev_term, entries))
        self.role(follower, FOLLOWER, term)
        self.write(follower, None, first, *entries)
        self.sync(follower)
        self.send(AppendReply(term, follower, leader, ok=True, index=len(self.logs[leader])))

    def install(self, leader: str, follower: str, of: SnapshotMeta) -> None:
        """The snapshot becomes the past of `follower`, whose log ended before it."""
        self.receive(follower, of)
        self.snapshot(follower, of)
        self.sync(follower)
        self.logs[follower] = self.logs[leader][: of.index]
        self.commit(follower, of.index)
        self.restore(follower, of)

    def change(self, leader: str, to: Config, *followers: str, term: int = 1) -> int:
        """The configuration `to` is appended by the leader and reaches `followers`, in memory and on their disks."""
        index = len(self.logs[leader]) + 1
        self.config(leader, index, to)
        self.lead_write(leader, Entry(term, CONFIG_ENTRY, to))
        for follower in followers:
            if follower not in self.logs:
                self.start(follower, Restored())
            self.config(follower, index, to)
            self.replicate(leader, follower, term, len(self.logs[follower]) + 1)
        return index

    def lead_and_commit(self) -> None:
        """n1 leads term 1; its opening entry, index 2, is on n1 and n2 and committed there."""
        self.elect("n1", 1, "n2")
        self.replicate("n1", "n2", 1, 2)
        self.commit("n1", 2, LEADER)
        self.commit("n2", 2)


Tale = Callable[[Story], None]
BREAKING: list[tuple[str, Tale]] = []
KEEPING: list[Tale] = []


def breaks(invariant: str) -> Callable[[Tale], Tale]:
    """The tale breaks this invariant, and no other."""

    def note(tale: Tale) -> Tale:
        BREAKING.append((invariant, tale))
        return tale

    return note


def keeps(tale: Tale) -> Tale:
    """The tale breaks nothing, near as it comes."""
    KEEPING.append(tale)
    return tale
