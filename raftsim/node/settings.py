"""Limits and timeouts of a server, beside those of the core."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeSettings:
    leader_wait_s: float = 5.0  # how long a request waits for a leader, then `No cluster leader`
    request_timeout_s: float = 15.0  # how long one is worked on once there is a leader (a read: leader_wait_s)
    apply_batch_entries: int = 1000  # applied in one turn; more wait for the next, so that a long log stops nothing
    snapshot_threshold_entries: int = 8192  # applied since the last snapshot: take one
    snapshot_threshold_bytes: int = 64 << 20  # or so many bytes of commands
    trailing_entries: int = 10_240  # kept before a snapshot, so that a slow follower needs no snapshot
    snapshot_chunk_bytes: int = 1 << 20  # of a snapshot, in one message
    max_pending_requests: int = 10_000  # requests being worked on at once; more are refused as busy
    max_blocking_queries: int = 1024  # of these, queries that wait for a change; each is asked again after every apply
    max_query_wait_s: float = 600.0  # how long one may wait, whatever it asks for
    autopilot: bool = False  # whether a leader acts on what it sees of the others: promotes, and removes the dead
    dead_after_s: float = 60.0  # not heard for so long, a server counts as dead, as what gossip calls failed
