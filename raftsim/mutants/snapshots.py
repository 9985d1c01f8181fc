"""Planted bugs of snapshots and compaction: of the log that is cut, and of the way of a snapshot to who needs it."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

from raftsim.core import replication, snapshots
from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.messages import Append, AppendReply, Install
from raftsim.core.output import Chunk
from raftsim.core.progress import SNAPSHOT, Progress
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.mutants.scenes_snapshots import a_received_snapshot_at_a_power_cut, a_snapshot_rots, chunks_of_two_leaders
from raftsim.node.compaction import Compaction
from raftsim.storage import recovery, snapfile
from raftsim.storage.snapfile import Writer
from raftsim.storage.snapshots import Snapshots


@mutant(
    "B46",
    "an old snapshot installed over a newer state",
    source="Raft section 7; openraft#543, etcd#1763, camunda#6092",
    needs=("duplicate", "hold"),
    judge="ordering",
)
def old_snapshot_installed() -> None:
    """A follower installs whatever snapshot it is sent. One that comes late, or twice, takes it back behind what it has
    committed and acknowledged since.
    """
    on_install, install = snapshots.on_install, snapshots.install

    def take(raft: Raft, message: Install, now: float) -> None:
        commit, raft.commit = raft.commit, min(raft.commit, message.meta.index - 1)
        on_install(raft, message, now)
        raft.commit = max(commit, raft.commit)

    def overwrite(raft: Raft, meta: SnapshotMeta) -> None:
        raft.commit = min(raft.commit, meta.index - 1)
        install(raft, meta)

    replace(snapshots, "on_install", take)
    replace(snapshots, "install", overwrite)


@mutant(
    "B47",
    "entries that contradict a snapshot survive its installation",
    source="Raft section 7 (Figure 13, step 6); hashicorp/raft#697, openraft#753",
    needs=("partition",),
    judge="liveness",
)
def conflict_survives_install() -> None:
    """A follower that installs a snapshot keeps its log if that is long enough, without a look at the term at the
    snapshot's place. Where it was of another term, the follower refuses every Append behind the snapshot, for ever.
    """
    install = snapshots.install

    def keep(raft: Raft, meta: SnapshotMeta) -> None:
        own = raft.log.term_at(meta.index)
        if own is None or meta.index <= raft.commit:
            install(raft, meta)
        else:
            install(raft, changed(meta, term=own))
            raft.snapshot = raft.restore = meta

    replace(snapshots, "install", keep)


@mutant(
    "B47",
    "a restart keeps entries that contradict the snapshot",
    source="Raft section 7 (Figure 13, steps 6 and 7); openraft#323",
    needs=("partition", "power cut"),
    judge="restored as written",
)
def conflict_survives_restart() -> None:
    """A server that starts takes its newest snapshot and, if its log is long enough, all of the log behind it. What the
    log held before the snapshot was received comes back, entries that were never committed.
    """
    term_at = recovery._term_at

    def as_it_should_be(restored: Restored, index: int) -> int | None:
        snapshot = restored.snapshot
        found = term_at(restored, index)
        return snapshot.term if snapshot is not None and found is not None else found

    replace(recovery, "_term_at", as_it_should_be)


@mutant(
    "B49",
    "the log cut beyond the snapshot",
    source="Raft section 7; openraft#437, redisraft#43",
    needs=("partition", "slow disk"),
    judge="liveness",
)
def log_cut_beyond_snapshot() -> None:
    """When a snapshot is saved the log is cut up to what is applied by then, not up to what the snapshot stands for.
    What lies between is nowhere: a follower gets the snapshot, and then nothing to go on with.
    """
    compacted = snapshots.compacted

    def greedy(raft: Raft, meta: SnapshotMeta, trailing: int) -> None:
        compacted(raft, meta, trailing)
        raft.log.compact(raft.applying)

    def saved(self: Compaction, meta: SnapshotMeta) -> None:
        self._saving = False
        self._raft.compacted(meta, self.settings.trailing_entries)
        self._disk.compact(min(meta.index, self._raft.log.base_index))

    replace(snapshots, "compacted", greedy)
    replace(Compaction, "saved", saved)


@mutant(
    "B49",
    "the log cut though the newest snapshot may turn out damaged",
    source="Raft section 7",
    needs=("bit rot",),
    judge="convergence",
    trap=a_snapshot_rots,
)
def log_cut_for_one_snapshot() -> None:
    """Two snapshots are kept, so that one can stand in for the other, but the log is removed up to the newer one. If
    that is damaged, nothing leads from the older one to the present.
    """

    def newest(self: Snapshots) -> int:
        return self._kept[-1][1] if self._kept else 0

    replace(Snapshots, "covered", property(newest))


@mutant(
    "B50",
    "an Append from before the cut log taken for a conflict",
    source="Raft section 7; openraft 71a290cd, neo4j#6871, RedisLabs/raft#49",
    needs=("hold",),
    judge="committed is immutable",
)
def compacted_taken_for_conflict() -> None:
    """A late Append begins where the follower's log is cut by now. That it cannot compare the first entry is taken for
    a difference: it cuts all it has and takes the few entries of the Append instead.
    """
    take, reply = replication._take, replication._reply

    def cut(raft: Raft, message: Append) -> AppendReply:
        base, end = raft.log.base_index, message.prev_index + len(message.entries)
        if message.prev_index < base < end:
            raft.log.truncate(base + 1)
            raft.durable.cut(base)
            raft.log.append(message.entries[base - message.prev_index :])
            raft.unwritten_from = base + 1
            return reply(raft, message, ok=True, index=end)
        return take(raft, message)

    replace(replication, "_take", cut)


@mutant(
    "B51",
    "chunks of two snapshots mixed",
    source="Raft Figure 13; camunda#4346, camunda#10180, RedisLabs/raft#162",
    needs=("crash", "hold"),
    judge="equal snapshots",
    trap=chunks_of_two_leaders,
)
def chunks_mixed() -> None:
    """A follower looks at the offset of a chunk alone. When the leader changes, the end of the new one's snapshot is
    put behind the beginning of the old one's, and the follower has a state that never was.
    """
    take = snapshots._take
    received: dict[str, bytearray] = {}

    def careless(raft: Raft, message: Install) -> None:
        if raft.incoming is not None:
            raft.incoming = ((message.term, message.meta), raft.incoming[1])
        take(raft, message)

    def receive(self: Snapshots, chunk: Chunk) -> bool:
        state = received.setdefault(self.path, bytearray())
        state[chunk.offset :] = chunk.data
        if chunk.last:
            self.save(chunk.meta, [bytes(state)])
        return chunk.last

    replace(snapshots, "_take", careless)
    replace(Snapshots, "receive", receive)


@mutant(
    "B52",
    "a transfer begun anew whenever there is a newer snapshot",
    source="Raft section 7; hashicorp/raft#212, camunda#4451",
    needs=("slow link",),
    judge="liveness",
)
def transfer_never_finished() -> None:
    """A follower that is being sent a snapshot gets the newest one from its first byte as soon as there is a newer one.
    Where sending takes longer than it takes until the next one is saved, it never sees the end of any.
    """
    chunk: Any = snapshots.chunk

    def newest(raft: Raft, wanted: Any, data: bytes | None, *, last: bool, now: float) -> None:
        progress = raft.progress.get(wanted.follower)
        outdated = progress is not None and progress.snapshot not in (None, raft.snapshot)
        chunk(raft, wanted, None if outdated else data, last=last, now=now)

    replace(snapshots, "chunk", newest)
    replace(Compaction, "_sending", lambda *_: False)


@mutant(
    "B53",
    "a lost chunk never sent again",
    source="etcd, testdata/snapshot_succeed_via_app_resp.txt and slow_follower_after_compaction.txt",
    needs=("partition",),
    judge="liveness",
)
def chunk_never_sent_again() -> None:
    """A leader that has sent a part of a snapshot waits for the answer, for ever: it is neither asked for again nor
    given up. The follower hears heartbeats and gets nothing.
    """
    feed = snapshots.feed

    def once(raft: Raft, follower: str, progress: Progress, now: float) -> None:
        if progress.state != SNAPSHOT:
            feed(raft, follower, progress, now)

    replace(snapshots, "feed", once)


@mutant(
    "B38",
    "a received snapshot acknowledged before it is synced",
    source="Raft section 7; Pillai et al., OSDI 2014",
    needs=("power cut",),
    judge="convergence",
    trap=a_received_snapshot_at_a_power_cut,
)
def snapshot_without_sync() -> None:
    """A snapshot gets its name when it is written, but not synced. After a power cut there is a file of that name with
    nothing in it, and the log that it stood for was never there.
    """

    def finish(self: Writer) -> None:
        if self._rest:
            self._put(bytes(self._rest))
        self._put(snapfile._CLOSING.pack(self.length, self._crc))

    replace(Writer, "finish", finish)
