"""What a client or an operator may ask of a server, and the three outcomes there are.

An outcome is `ok` (it happened, here is the result), `refused` (it did not happen and will not: safe to retry) or
`unknown` (it may or may not have happened). Nothing is ever guessed. Reasons are data; http/ and cli/ find the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

OK: Final = "ok"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"

# reasons of refused
NO_LEADER: Final = "no leader"  # none appeared within leader_wait_s
NOT_READY: Final = "not ready"  # a leader that has not committed an entry of its term within leader_wait_s
NOT_FOUND: Final = "not found"  # detail: {"id": x} or {"address": x}, which is in no configuration
LAST_VOTER: Final = "last voter"  # detail: the non-voters that would remain, as [[id, address], ...]
NOT_LEADER: Final = "not leader"  # only between servers: the asker goes on looking for the leader
LAGGING: Final = "lagging"  # detail: how far the server is behind that was to get a vote
NOT_A_VOTER: Final = "not a voter"  # detail: the server that cannot lead
NOT_TAKEN: Final = "not taken"  # detail: the server that did not take leadership over within an election timeout
TRANSFERRING: Final = "transferring"  # leadership is being handed over already
BUSY: Final = "busy"  # detail: the limit that is reached
UNREACHABLE: Final = "unreachable"  # detail: the leader's address; the request never left
INVALID: Final = "invalid"  # detail: what is wrong with the request
# reasons of unknown
LEADERSHIP_LOST: Final = "leadership lost"  # proposed, then this leader was deposed
LINK_LOST: Final = "link lost"  # sent to the leader, then the connection broke
# reasons of either
TIMED_OUT: Final = "timed out"  # not done within request_timeout_s; unknown for what changes something
STOPPED: Final = "stopped"  # this server is going down; unknown for what was proposed


@dataclass(slots=True)
class Command:
    """Append `data` to the log and apply it to the machine. ok value: what the machine's `apply` returned."""

    data: bytes


@dataclass(slots=True)
class Query:
    """Ask the machine, without changing it. Linearizable by read index unless `stale` (then local).

    `query` is plain data for the machine's `query`, whose return is the ok value. With `after`, the answer, a dict, is
    held back until its "index" is greater than `after`, or for `wait_s` seconds: a blocking query.
    """

    query: tuple[Any, ...]
    stale: bool = False
    after: int | None = None
    wait_s: float = 0.0


@dataclass(slots=True)
class ReadIndex:
    """Ask the leader for an index such that who has applied it may answer linearizable reads (dissertation 6.4).

    ok value: the index. Servers ask this of the leader for their clients' queries.
    """

    stale: ClassVar[bool] = False


@dataclass(slots=True)
class ReadStatus:
    """ok value: what `Node.status()` says, of this server or of the `leader`."""

    leader: bool = False


@dataclass(slots=True)
class SetCompaction:
    """Change when this server takes snapshots, until it restarts; None leaves a value as it is.

    ok value: the policy now in force: {"snapshot_threshold_entries", "snapshot_threshold_bytes", "trailing_entries"}.
    """

    snapshot_threshold_entries: int | None = None
    snapshot_threshold_bytes: int | None = None
    trailing_entries: int | None = None


@dataclass(slots=True)
class ReadMembership:
    """ok value, local if `stale`, else the leader's:

    {"index": int, "committed": bool, "leader": address or "", "servers": [{"id": str, "address": str,
    "name": str or None (never seen), "raft_protocol": int or None, "leader", "voter", "returning": bool}, ...]}
    (returning: it lost its data, and gets its vote back when it has caught up)
    """

    stale: bool = False


@dataclass(slots=True)
class RemovePeer:
    """Remove the member with this id, or with this address (exactly one is given). ok value: None, once committed."""

    id: str | None = None
    address: str | None = None


@dataclass(slots=True)
class ChangeMembership:
    """Make servers voters, non-voters or remove them; all in one step, by joint consensus if several votes move.

    `changes`: (op, id, address) with the ops of core/config.py; the address counts for a new server only, or instead
    of the id, if that is empty, for a member. ok value: None, once the configuration that results is committed.
    """

    changes: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class TransferLeadership:
    """Hand leadership to the member with this id, or with this address; with neither, to the best voter.

    ok value: {"noop": bool, "from": {"id", "address"}, "to": {"id", "address"}}, once leadership was given up.
    """

    id: str | None = None
    address: str | None = None


@dataclass(slots=True)
class RestoreStep:
    """One step of an operator's restore of a whole state; made, and its ok value read, by node/restore.py."""

    data: bytes


Request = (
    Command
    | Query
    | ReadIndex
    | ReadMembership
    | ReadStatus
    | RemovePeer
    | ChangeMembership
    | TransferLeadership
    | SetCompaction
    | RestoreStep
)


@dataclass(slots=True)
class Outcome:
    """How a request ended. `forwarded` is True when another server's answer came back over the peer link."""

    kind: Literal["ok", "refused", "unknown"]
    value: Any = None
    reason: str = ""
    detail: Any = None
    forwarded: bool = False


@dataclass(slots=True)
class Relay:
    """A request on its way from `src`, where a client asked, to the leader `dst`. `id` is the asker's own count."""

    src: str
    dst: str
    id: int
    request: Request


@dataclass(slots=True)
class RelayReply:
    src: str
    dst: str
    id: int
    outcome: Outcome
