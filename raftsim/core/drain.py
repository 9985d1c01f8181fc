"""The end of a turn: everything its inputs led to becomes one Output (the contract is in output.py).

Batching is a consequence of this: however many proposals, reads and replies a turn brought, there is one write, one
round for all reads, and as few Appends as the limits allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core import reads, replication
from raftsim.core.output import LEADER, Output, Write

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def drain(raft: Raft, now: float) -> Output | None:
    if raft.role == LEADER:
        asked = bool(raft.new_reads) and not reads.by_lease(raft, now)
        if asked:
            reads.begin_round(raft, now)
        if asked or raft.hungry:
            replication.broadcast(raft, now, heartbeat=asked)
    if not _produced(raft):
        return None
    apply = (raft.applying, raft.commit) if raft.commit > raft.applying else None
    output = Output(
        _write(raft, now),
        raft.outbox,
        raft.promises,
        raft.durable.last_seq,
        raft.restore,
        apply,
        raft.chunks,
        raft.ready_reads,
        raft.events,
    )
    raft.outbox, raft.promises, raft.chunks, raft.ready_reads, raft.events = [], [], [], [], []
    raft.restore = None
    raft.applying = raft.commit
    return output


def stirred(raft: Raft) -> bool:
    """Whether the inputs so far led to anything: if not, a turn would come to nothing."""
    return raft.hungry or bool(raft.new_reads) or _produced(raft)


def _produced(raft: Raft) -> bool:
    """What is to be applied is announced by an event."""
    return bool(
        raft.promises
        or raft.events
        or raft.outbox
        or raft.unwritten_from is not None
        or _vote_changed(raft)
        or raft.ready_reads
        or raft.chunks
        or raft.chunk_received
        or raft.restore
    )


def _vote_changed(raft: Raft) -> bool:
    """Whether term or vote differ from those of the last write. They are nearly always the very same."""
    return raft.hard is not raft.durable.written and raft.hard != raft.durable.written


def _write(raft: Raft, now: float) -> Write | None:
    changed = _vote_changed(raft)
    first, chunk = raft.unwritten_from, raft.chunk_received
    if first is None and not changed and chunk is None:
        return None
    seq = raft.durable.begin(raft.hard, raft.log.last_index, now)
    write = Write(seq, raft.hard if changed else None, chunk=chunk)
    if first is not None:
        write.first_index, write.entries = first, raft.log.slice(first - 1, raft.log.last_index)
    if chunk is not None and chunk.last:
        raft.installing = (seq, chunk.meta)
    raft.unwritten_from = raft.chunk_received = None
    return write
