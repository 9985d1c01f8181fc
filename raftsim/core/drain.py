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
        asked = bool(raft.new_reads)
        if asked:
            reads.begin_round(raft, now)
        replication.broadcast(raft, now, heartbeat=asked)
    write = _write(raft, now)
    apply = (raft.applying, raft.commit) if raft.commit > raft.applying else None
    sending = raft.outbox or raft.promises or raft.chunks
    if not (write or apply or sending or raft.restore or raft.ready_reads or raft.events):
        return None
    output = Output(
        write,
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


def _write(raft: Raft, now: float) -> Write | None:
    hard, written = raft.hard, raft.durable.written
    first, chunk = raft.unwritten_from, raft.chunk_received
    if first is None and hard == written and chunk is None:
        return None
    seq = raft.durable.begin(hard, raft.log.last_index, now)
    write = Write(seq, hard if hard != written else None, chunk=chunk)
    if first is not None:
        write.first_index, write.entries = first, raft.log.slice(first - 1, raft.log.last_index)
    if chunk is not None and chunk.last:
        raft.installing = (seq, chunk.meta)
    raft.unwritten_from = raft.chunk_received = None
    return write
