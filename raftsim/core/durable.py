"""What of a server's memory is durable, and what is on its way to the disk.

Invariants: the disk's answers come in the order of the writes; a late answer never vouches for an entry that was
replaced in the meantime (B35).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from raftsim.core.entry import HardState


@dataclass(slots=True)
class PendingWrite:
    seq: int
    hard: HardState  # the vote record, once this write is durable
    last_index: int  # the log will then be durable up to here
    since: float


class Durable:
    """`hard`: the durable vote record. `written`: that of the last write. `index`: our log is durable up to here."""

    __slots__ = ("hard", "index", "last_seq", "pending", "written")

    def __init__(self, hard: HardState, index: int) -> None:
        self.hard = self.written = hard
        self.index = index
        self.last_seq = 0
        self.pending: deque[PendingWrite] = deque()

    def begin(self, hard: HardState, last_index: int, now: float) -> int:
        """A write goes to the disk. Returns its number."""
        self.last_seq += 1
        self.written = hard
        self.pending.append(PendingWrite(self.last_seq, hard, last_index, now))
        return self.last_seq

    def finished(self, seq: int) -> None:
        """The write `seq` and all before it are durable."""
        assert self.pending, seq
        assert self.pending[0].seq <= seq <= self.pending[-1].seq, seq
        while self.pending and self.pending[0].seq <= seq:
            write = self.pending.popleft()
            self.hard = write.hard
            self.index = max(self.index, write.last_index)

    def cut(self, index: int) -> None:
        """Our log now ends at `index`: what is durable or on its way beyond it is no longer ours."""
        self.index = min(self.index, index)
        for write in self.pending:
            write.last_index = min(write.last_index, index)

    def stalled(self, now: float) -> float:
        """For how many seconds the disk has not finished what it is doing."""
        return now - self.pending[0].since if self.pending else 0.0
