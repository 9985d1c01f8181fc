"""Compaction and the transfer of snapshots (paper section 7, in chunks as in Figure 13).

Invariants: the log is cut only where a durable snapshot stands for it; chunks are taken in order, of one snapshot and
one leader (B51); an installed snapshot never takes a server back (B46); entries beyond it are kept only if the log
agrees with it at its last place, else none of them can be trusted (B47).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from raftsim.core import membership, reads, replication
from raftsim.core.entry import SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.log import Log
from raftsim.core.messages import Install, InstallReply
from raftsim.core.output import LEADER, Chunk, ChunkWanted, Committed, ConfigChanged
from raftsim.core.progress import SNAPSHOT, Progress

if TYPE_CHECKING:
    from raftsim.core.raft import Raft


def compacted(raft: Raft, meta: SnapshotMeta, trailing: int) -> None:
    """Our own snapshot `meta` is durable: forget the log it stands for, but for `trailing` entries."""
    assert meta.index <= raft.commit, (meta.index, raft.commit)
    if raft.snapshot is not None and meta.index <= raft.snapshot.index:
        return
    raft.snapshot = meta
    keep_from = max(raft.log.base_index, meta.index - trailing)
    if keep_from > raft.log.base_index:
        raft.log.compact(keep_from)


# the leader's side


def feed(raft: Raft, follower: str, progress: Progress, now: float) -> None:
    """What this follower needs next is compacted: it gets the newest snapshot, a chunk at a time."""
    assert raft.snapshot is not None, "a compacted log has a snapshot"
    if progress.state != SNAPSHOT:
        progress.begin_snapshot(raft.snapshot)
        _ask(raft, follower, progress, now)
    elif now - progress.chunk_asked > raft.settings.election_timeout_min_s:
        _ask(raft, follower, progress, now)  # the chunk or its answer was lost


def _ask(raft: Raft, follower: str, progress: Progress, now: float) -> None:
    progress.chunk_asked = now
    raft.chunks.append(ChunkWanted(follower, progress.snapshot_index, progress.offset))


def chunk(raft: Raft, wanted: ChunkWanted, data: bytes | None, *, last: bool, now: float) -> None:
    """The bytes that were wanted; None if that snapshot is no longer there."""
    progress = raft.progress.get(wanted.follower)
    if progress is None or progress.state != SNAPSHOT or raft.snapshot is None:
        return
    if (progress.snapshot_index, progress.offset) != (wanted.index, wanted.offset):
        return
    if data is None:
        progress.begin_snapshot(raft.snapshot)
        _ask(raft, wanted.follower, progress, now)
    else:
        # Finished even if a newer one was taken meanwhile, or a slow follower would never see the end of any (B52).
        assert progress.snapshot is not None
        install = Install(raft.term, raft.id, wanted.follower, progress.snapshot, wanted.offset, data, last, raft.round)
        raft.send(install)


def on_install_reply(raft: Raft, message: InstallReply, now: float) -> None:
    progress = raft.progress.get(message.src)
    if not raft.is_current(message) or raft.role != LEADER or progress is None:
        return
    if message.round > raft.round or (message.done and message.index > raft.log.last_index):
        raise ProtocolViolation(f"{message.src} answers what was never asked")
    progress = membership.recognise(raft, message.src, message.incarnation, now)
    reads.answered(raft, progress, message.round)
    if message.done:
        progress.matched(message.index, message.round)  # which commits nothing: a snapshot holds what is committed
    elif progress.state == SNAPSHOT and progress.snapshot_index == message.index and progress.offset != message.offset:
        progress.offset = message.offset
        _ask(raft, message.src, progress, now)


# the follower's side


def on_install(raft: Raft, message: Install, now: float) -> None:
    meta = message.meta
    if message.term < raft.term:
        raft.promise(_reply(raft, message, 0, done=False, round=0))
        return
    replication.hear_leader(raft, message.term, message.src, now)
    if meta.index > raft.commit:
        _take(raft, message)
    offset = raft.incoming[1] if raft.incoming is not None else 0
    done = meta.index <= raft.commit or _is_whole(raft, meta)
    raft.promise(_reply(raft, message, offset, done=done, round=message.round))


def _reply(raft: Raft, message: Install, offset: int, *, done: bool, round: int) -> InstallReply:
    return InstallReply(
        raft.term, raft.id, message.src, message.meta.index, offset, done, round, raft.founding.incarnation
    )


def _take(raft: Raft, message: Install) -> None:
    source = (message.term, message.meta)
    if raft.incoming is None or raft.incoming[0] != source:
        raft.incoming = (source, 0)
    if message.offset != raft.incoming[1] or raft.chunk_received or raft.installing:
        return  # not the next one: the answer says which is
    raft.incoming = (source, message.offset + len(message.data))
    raft.chunk_received = Chunk(message.meta, message.offset, message.data, message.last)


def _is_whole(raft: Raft, meta: SnapshotMeta) -> bool:
    """Whether its last chunk is here, and is being written at the least: what waits for that write may say so."""
    chunk, installing = raft.chunk_received, raft.installing
    return (chunk is not None and chunk.last and chunk.meta == meta) or (
        installing is not None and installing[1] == meta
    )


def install(raft: Raft, meta: SnapshotMeta) -> None:
    """A received snapshot is whole and durable: it becomes our past."""
    raft.incoming = None
    if meta.index <= raft.commit:
        if raft.snapshot is None or meta.index > raft.snapshot.index:
            raft.snapshot = meta  # the newest on our disk, though we came further without it
        return
    before = raft.config_index, raft.config
    later = []
    if raft.log.term_at(meta.index) == meta.term:
        later = [(index, config) for index, config in raft.configs if index > meta.index]
        raft.log.compact(meta.index)
        raft.durable.index = max(raft.durable.index, meta.index)
    else:
        raft.log = Log([], meta.index, meta.term)
        raft.durable.cut(meta.index)
        raft.durable.index = meta.index
    if raft.unwritten_from is not None:
        unwritten = max(raft.unwritten_from, meta.index + 1)
        raft.unwritten_from = unwritten if unwritten <= raft.log.last_index else None
    raft.configs = [(meta.config_index, meta.config), *later]
    if (raft.config_index, raft.config) != before:
        raft.events.append(ConfigChanged(raft.config_index, raft.config))
    raft.snapshot = raft.restore = meta
    raft.commit = raft.applying = meta.index
    raft.events.append(Committed(meta.index, raft.role, raft.term))
