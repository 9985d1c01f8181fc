"""The kinds of events, what each carries, and the record of one.

The judges see a run through these records alone; so do digests and files. `subject` is the object itself while a run
is going on (judges read its attributes and change nothing); in a file it is the same fields as plain data.

The order within one turn of a server, on which the judges rely: ROLE, CONFIG and COMMIT as they came about, then the
WRITE they led to, then SEND, RESTORE, APPLY, READ and OUTCOME. A COMMIT of a follower may so name entries of the WRITE
after it. A received snapshot becomes the past of a server with the SYNCED of the WRITE that holds its last chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

# told by node/
WRITE: Final = "write"  # core Write handed to the disk: the log in memory now ends so
SYNCED: Final = "synced"  # int seq: this write and all before it are durable
ROLE: Final = "role"  # core RoleChanged
CONFIG: Final = "config"  # core ConfigChanged
COMMIT: Final = "commit"  # core Committed
MEMORY: Final = "memory"  # core MemoryLost: the disk of this server was lost, as another one knows
APPLY: Final = "apply"  # (index, core Entry)
RESTORE: Final = "restore"  # core SnapshotMeta: the machine is now what this snapshot holds
SEND: Final = "send"  # a peer message, at the moment it may leave
READ: Final = "read"  # (read id, index): a linearizable read was confirmed at this index
REQUEST: Final = "request"  # (request number, node Request)
OUTCOME: Final = "outcome"  # (request number, node Outcome)
# told by the world
DELIVER: Final = "deliver"  # a peer message
DROP: Final = "drop"  # (a peer message, why)
DUPLICATE: Final = "duplicate"  # a peer message that will be delivered twice
START: Final = "start"  # core Restored: what the disk held
SNAPSHOT: Final = "snapshot"  # (core SnapshotMeta, digest of its bytes): saved or received, it is durable now
CRASH: Final = "crash"  # int seq: the last write that survives on the disk
PAUSE: Final = "pause"  # None
RESUME: Final = "resume"  # None
ERROR: Final = "error"  # str: an exception that escaped the server, which is stopped for it
HALT: Final = "halt"  # str: the disk failed, or holds what no server must start from; the server is, or stays, down
WIPE: Final = "wipe"  # None: what was on the disk of this server, which is down, is lost
FAULT: Final = "fault"  # plain data: what was done to the world

TOLD_BY_NODE: Final = (WRITE, SYNCED, ROLE, CONFIG, COMMIT, MEMORY, APPLY, RESTORE, SEND, READ, REQUEST, OUTCOME)
TOLD_BY_WORLD: Final = (DELIVER, DROP, DUPLICATE, START, SNAPSHOT, CRASH, PAUSE, RESUME, ERROR, HALT, WIPE, FAULT)


@dataclass(slots=True)
class Event:
    """One thing that happened, at `time` (seconds since the run began), to `node` ("" for the world itself)."""

    time: float
    node: str
    kind: str
    subject: Any
