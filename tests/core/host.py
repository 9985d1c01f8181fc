"""One server whose disk and clock are moved by hand.

With a slow disk, what it wrote is durable only after `sync`, and what it promised leaves only then. The state of its
machine is the list of its commands, so a snapshot shows what it stands for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from raftsim.core.config import Config
from raftsim.core.entry import COMMAND, CONFIG, Entry, HardState, SnapshotMeta
from raftsim.core.messages import Message
from raftsim.core.output import ChunkWanted, Event, Output, Write
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from tests.core.disk import HandDisk

M = TypeVar("M")

PLAIN = Settings(pre_vote=False, stickiness=False, check_quorum=False)  # the paper without what came later


def command(term: int, index: int) -> Entry:
    """The one entry that can be at `index` in `term`: what a leader wrote there."""
    return Entry(term, COMMAND, f"{term}.{index}".encode())


def log_of(config: Config, *terms: int) -> list[Entry]:
    """A log that begins with `config` at index 1; `terms` are those of the entries from index 2 on."""
    return [Entry(0, CONFIG, config), *(command(term, index) for index, term in enumerate(terms, 2))]


def terms_of(raft: Raft) -> list[int]:
    """Of what the log holds, from its base on."""
    return [entry.term for entry in raft.log.slice(raft.log.base_index, raft.log.last_index)]


@dataclass
class Time:
    now: float = 0.0


class Host:
    """One server, its disk, and what left it."""

    def __init__(
        self,
        id: str,
        entries: Sequence[Entry],
        *,
        hard: HardState | None = None,
        settings: Settings | None = None,
        time: Time | None = None,
        slow_disk: bool = False,
    ) -> None:
        self.id = id
        self.settings = settings or Settings()
        self.time = time or Time()
        self.slow_disk = slow_disk  # True: only `sync` makes anything durable
        self.slow_reads = False  # True: only `read_chunks` reads of a snapshot what a follower needs
        self.chunk_bytes = 4
        self.disk = HandDisk(hard or HardState(), entries)
        self._start()

    def _start(self) -> None:
        self.raft = Raft(self.id, self.disk.restored(), self.settings, Random(self.id), self.time.now)
        self.synced_seq = 0
        self.held: deque[tuple[int, list[Message]]] = deque()
        self.sent: list[Message] = []
        self.applied: list[Entry] = []
        self.state: list[bytes] = []  # of the machine
        self.restored: list[SnapshotMeta] = []
        self.wanted: list[ChunkWanted] = []
        self.reads: list[tuple[int, int]] = []
        self.events: list[Event] = []

    def restart(self, *, surviving_writes: int = 0) -> None:
        """Lose power and come back: of what was not synced, the first `surviving_writes` writes are on the disk."""
        for _ in range(min(surviving_writes, len(self.unsynced))):
            self.disk.keep_write()
        self._start()

    @property
    def unsynced(self) -> deque[Write]:
        return self.disk.unsynced

    # inputs

    def receive(self, *messages: Message) -> None:
        """Several messages are one turn."""
        for message in messages:
            self.raft.receive(message, self.time.now)
        self.turn()

    def wake(self) -> None:
        self.raft.wake(self.time.now)
        self.turn()

    def time_out(self) -> None:
        """Let the time pass until this server's timer fires."""
        self.time.now = max(self.time.now, self.raft.deadline)
        self.wake()

    def propose(self, *commands: bytes) -> list[int]:
        """Propose in one turn. Returns the indexes."""
        indexes = [self.raft.propose(data)[0] for data in commands]
        self.turn()
        return indexes

    def read(self, *ids: int) -> None:
        for id in ids:
            self.raft.read(id)
        self.turn()

    def snapshot(self, *, trailing: int = 0) -> SnapshotMeta:
        """Take a snapshot of the machine; it is durable at once, and the log is compacted."""
        self.turn()
        index, term = self.raft.commit, self.raft.log.term_at(self.raft.commit)
        assert term is not None
        config_index, config = self.raft.configs[0]
        meta = SnapshotMeta(index, term, config, config_index)
        self.disk.keep_snapshot(meta, b"|".join(self.state))
        self.raft.compacted(meta, trailing)
        self.disk.compact(self.raft.log.base_index)
        return meta

    def read_chunks(self) -> None:
        """Read what was wanted of our snapshots."""
        while self.wanted:
            wanted = self.wanted.pop(0)
            data, last = self.disk.read(wanted, self.chunk_bytes)
            self.raft.chunk(wanted, data, last=last, now=self.time.now)
        self.turn()

    # the turn and the disk

    def turn(self) -> None:
        while (output := self.raft.drain(self.time.now)) is not None:
            self._act(output)
            if not self.slow_disk:
                self._sync_all()
            if self.wanted and not self.slow_reads:
                self.read_chunks()

    def _act(self, output: Output) -> None:
        self.events += output.events
        if output.write is not None:
            self.unsynced.append(output.write)
        self.sent += output.send
        if output.send_after_sync:
            self.held.append((output.after, output.send_after_sync))
        self.wanted += output.chunks
        if output.restore is not None:
            self.restored.append(output.restore)
            state = dict(self.disk.snapshots)[output.restore]
            self.state = state.split(b"|") if state else []
        if output.apply is not None:
            self._apply(*output.apply)
        self.reads += output.reads
        self._release()

    def _apply(self, lo: int, hi: int) -> None:
        entries = self.raft.log.slice(lo, hi)
        assert len(entries) == hi - lo
        self.applied += entries
        self.state += [entry.data for entry in entries if entry.kind == COMMAND and isinstance(entry.data, bytes)]

    def sync(self) -> None:
        """The disk has done all it was given."""
        self._sync_all()
        self.turn()

    def sync_one(self) -> None:
        self._synced(self.disk.keep_write())
        self.turn()

    def _sync_all(self) -> None:
        if self.unsynced:
            while self.unsynced:
                seq = self.disk.keep_write()
            self._synced(seq)

    def _synced(self, seq: int) -> None:
        self.synced_seq = seq
        self.raft.persisted(seq, self.time.now)
        self._release()

    def _release(self) -> None:
        while self.held and self.held[0][0] <= self.synced_seq:
            self.sent += self.held.popleft()[1]

    # what left

    def take(self) -> list[Message]:
        """What left since the last call."""
        left, self.sent = self.sent, []
        return left

    def took(self, kind: type[M]) -> list[M]:
        """Of what left since the last call, the messages of this kind."""
        return [message for message in self.take() if isinstance(message, kind)]

    def only(self, kind: type[M]) -> M:
        (message,) = self.took(kind)
        return message
