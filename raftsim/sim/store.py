"""What stands behind a simulated disk: records, or the real log and snapshots over simulated files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.output import Write

Kept = Callable[[SnapshotMeta, bytes], None]  # this snapshot, with this state, is durable


@dataclass(slots=True)
class UnderWay:
    """What a disk was doing when its server died: the writes of the running sync, those that wait for the next one,
    and the snapshot that was being saved."""

    syncing: list[Write] = field(default_factory=list)
    queued: list[Write] = field(default_factory=list)
    saving: tuple[SnapshotMeta, Iterator[bytes]] | None = None


class Store(Protocol):
    """All of it is done at once: how long it takes is the business of `SimDisk`. Everything that touches a file may
    raise StorageError, OSError and PowerCut. The three ends of a life return the seq of the last write that survives
    (0: none since it started)."""

    def look(self) -> Restored:
        """What a server that starts now finds. Changes nothing."""

    def start(self) -> Restored:
        """A server starts. Returns what it finds."""

    def append(self, writes: Sequence[Write]) -> None:
        """Make `writes` durable, in order."""

    def save(self, meta: SnapshotMeta, state: bytes) -> None:
        """Keep a snapshot of the server's own."""

    def read(self, index: int, offset: int, max_bytes: int) -> tuple[bytes | None, bool]:
        """Bytes of the state at `index` from `offset` on, and whether they end it; (None, False) if it is not kept."""

    def load(self, meta: SnapshotMeta) -> Iterator[bytes]:
        """The state in the snapshot `meta`."""

    def compact(self, index: int, last_seq: int) -> None:
        """The log up to `index` is not needed any more; `last_seq` is the last write handed in before this was said."""

    def crash(self, under_way: UnderWay) -> int:
        """The machine goes down, wherever it is in what is under way."""

    def kill(self, under_way: UnderWay) -> int:
        """The process ends at a failure of the disk; the machine goes on."""

    def flush(self, under_way: UnderWay) -> int:
        """The server stops in good order: what was written is made durable."""
