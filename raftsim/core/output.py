"""What the core wants done after a turn.

The driver's contract: hand `write` to the disk in order of `seq`; send `send` at once; send `send_after_sync` once the
write numbered `after` is durable (at once if it is already); apply the entries in `apply`; then call `Raft.persisted`
when a write is durable and `Raft.applied` when entries are applied; wake the core at `Raft.deadline`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from raftsim.core.config import Config
from raftsim.core.entry import Entry, HardState, SnapshotMeta
from raftsim.core.messages import Message

FOLLOWER: Final = "follower"
PRE_CANDIDATE: Final = "pre-candidate"
CANDIDATE: Final = "candidate"
LEADER: Final = "leader"


@dataclass(slots=True)
class Chunk:
    """Bytes of a snapshot that is being received. With `last`, the file is whole: it becomes the newest snapshot."""

    meta: SnapshotMeta
    offset: int
    data: bytes
    last: bool


@dataclass(slots=True)
class ChunkWanted:
    """Read the bytes of our snapshot `index` from `offset` on and give them to `Raft.chunk`, for `follower`."""

    follower: str
    index: int
    offset: int


@dataclass(slots=True)
class Write:
    """One atomic record for the disk. With entries, the log is first cut to end before `first_index`."""

    seq: int
    hard: HardState | None  # None: unchanged
    first_index: int = 0  # index of entries[0]; 0 without entries
    entries: list[Entry] = field(default_factory=list)
    chunk: Chunk | None = None


@dataclass(slots=True)
class RoleChanged:
    """This server is now `role` in `term`; `leader` is the leader it believes in."""

    role: str
    term: int
    leader: str | None


@dataclass(slots=True)
class ConfigChanged:
    """`config`, appended at `index`, is now in force here (or again, after a truncation)."""

    index: int
    config: Config


@dataclass(slots=True)
class Committed:
    """The commit index moved to `index` while this server was `role` in `term`."""

    index: int
    role: str
    term: int


@dataclass(slots=True)
class MemoryLost:
    """This server begins with an empty disk, but `witness` knows of a past: it has no vote until it caught up (B44)."""

    witness: str


Event = RoleChanged | ConfigChanged | Committed | MemoryLost


@dataclass(slots=True)
class Output:
    """One turn's work; see the contract above."""

    write: Write | None
    send: list[Message]
    send_after_sync: list[Message]
    after: int
    restore: SnapshotMeta | None  # replace the state of the machine by this snapshot, before applying
    apply: tuple[int, int] | None  # (lo, hi]: indexes to apply, in order
    chunks: list[ChunkWanted]
    reads: list[tuple[int, int]]  # (read id, index): answer once applied >= index
    events: list[Event]
