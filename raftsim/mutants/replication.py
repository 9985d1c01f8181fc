"""Planted bugs of replication: what a follower takes and acknowledges, and how a leader feeds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

from raftsim.core import replication
from raftsim.core.durable import Durable
from raftsim.core.entry import COMMAND, Entry
from raftsim.core.log import Log
from raftsim.core.messages import Append, AppendReply, Message
from raftsim.core.output import LEADER
from raftsim.core.progress import PROBE, REPLICATE, Progress
from raftsim.core.raft import Raft
from raftsim.mutants.mutant import mutant, replace
from raftsim.node.server import Node

FEW: Final = 4  # entries that a bounded search looks at


@mutant(
    "B25",
    "an old Append cuts what a newer one brought",
    source="Raft section 5.3, Figure 2; hashicorp/raft#113, akka-raft#66, old-raft-rs#113, openraft 9540c904",
    needs=("hold", "duplicate"),
    judge="committed is immutable",
)
def any_append_cuts() -> None:
    """A follower cuts its log behind the last entry before every Append, and not where the two differ. An Append that
    comes late takes back what was acknowledged since, perhaps the copy that a majority was counted with.
    """

    def always(_: Log, first_index: int, entries: Sequence[Entry]) -> int | None:
        return first_index if entries else None

    replace(Log, "first_conflict", always)


@mutant(
    "B26",
    "a follower commits beyond what was verified",
    source="Raft Figure 2, AppendEntries rule 5; etcd#1203, copycat#265, scylladb#9965, rabbitmq/ra#508, CCF#8172",
    needs=("partition", "hold"),
    judge="state machine safety",
)
def commit_beyond_verified() -> None:
    """A follower commits up to the leader's commit index or the end of its own log, whichever is less. Behind the last
    entry that the Append verified its log may hold something else, left by a leader before; this is applied.
    """
    take = replication._take

    def trusting(raft: Raft, message: Append) -> AppendReply:
        reply = take(raft, message)
        if reply.ok:
            raft.commit_to(max(raft.commit, min(message.commit, raft.log.last_index)))
        return reply

    replace(replication, "_take", trusting)


@mutant(
    "B27",
    "an acknowledgement names the last index of the log",
    source="Raft Figure 2, matchIndex; RavenDB#9330, CCF#6016, raftos",
    needs=("partition", "hold"),
    judge="commit quorum",
)
def ack_last_index() -> None:
    """A follower acknowledges all of its log instead of what the Append verified. The leader counts entries of a leader
    before as copies of its own, and commits what hardly anybody has.
    """
    take = replication._take

    def boasting(raft: Raft, message: Append) -> AppendReply:
        reply = take(raft, message)
        if reply.ok:
            reply.index = raft.log.last_index
        return reply

    replace(replication, "_take", boasting)


@mutant(
    "B28",
    "the commit index of a heartbeat believed, whatever the log is",
    source="etcd#1737, and the comment of its bcastHeartbeat; etcd#16220, #13509, #10166",
    needs=("partition",),
    judge="state machine safety",
)
def heartbeat_commits() -> None:
    """Heartbeats carry the leader's commit index, and a follower takes it over without comparing logs. One that came
    back with entries nobody else has applies these, before the leader finds out where the logs part.
    """
    on_append = replication.on_append

    def believing(raft: Raft, message: Append, now: float) -> None:
        on_append(raft, message, now)
        if not message.entries and message.term == raft.term:
            raft.commit_to(max(raft.commit, min(message.commit, raft.log.last_index)))

    replace(replication, "on_append", believing)


@mutant(
    "B32",
    "a probe that stops where it is",
    source="Raft section 5.3 (nextIndex is lowered until the logs agree); openraft 6d53aa12, etcd-io/raft#149",
    needs=("partition", "crash"),
    judge="liveness",
)
def probe_stops() -> None:
    """The search for the last common entry looks at a few entries only, and takes the place it began at if that is not
    enough. A follower with more entries of its own than that is asked for the same place for ever.
    """
    hint = Log.agreement_hint

    def bounded(log: Log, index: int, term: int) -> tuple[int, int]:
        found = hint(log, index, term)
        start = min(index, log.last_index)
        return found if start - found[0] <= FEW else (start, log.term_at(start) or 0)

    refused = Progress.refused

    def trusting(progress: Progress, prev_index: int, hint: int, round: int) -> bool:
        answers = progress.state == PROBE and prev_index == progress.next - 1
        window_given_up = refused(progress, prev_index, hint, round)
        if answers and not progress.probing:
            progress.next = max(hint, progress.match) + 1
        return window_given_up

    replace(Log, "agreement_hint", bounded)
    replace(Progress, "refused", trusting)


@mutant(
    "B33",
    "a full window is never given up",
    source="Dissertation section 10.2.1 (pipelining); etcd#14633",
    needs=("drop",),
    judge="liveness",
)
def full_window_stays_full() -> None:
    """While a follower's window is full it is sent heartbeats that say nothing of what is in flight. If all of that
    was lost nobody notices: the follower is never sent anything again, and never complains.
    """
    send = replication._send

    def silent(raft: Raft, follower: str, prev: int, entries: list[Entry]) -> None:
        progress, settings = raft.progress[follower], raft.settings
        full = progress.state == REPLICATE and not progress.may_send(
            settings.max_inflight_appends, settings.max_inflight_bytes
        )
        known = max(progress.match, raft.log.base_index)
        send(raft, follower, known if full and not entries else prev, entries)

    replace(replication, "_send", silent)


@mutant(
    "B34",
    "an entry of a deposed leader stamped with the new term",
    source="Raft section 5.4 (one leader makes the entries of a term); camunda#5360",
    needs=("disk", "partition"),
    judge="log matching",
)
def late_stamp() -> None:
    """A leader whose disk is busy appends a request when it is free again, and only then reads the term. If another
    one leads by now, two servers make entries of one term, and different ones at one index.
    """
    late: WeakKeyDictionary[Raft, list[tuple[bytes, int]]] = WeakKeyDictionary()
    propose, persisted = Raft.propose, Raft.persisted

    def put_off(raft: Raft, data: bytes, kind: int = COMMAND) -> tuple[int, int]:
        if raft.role != LEADER or not raft.durable.pending:
            return propose(raft, data, kind)
        waiting = late.setdefault(raft, [])
        waiting.append((data, kind))
        return raft.log.last_index + len(waiting), raft.term

    def then_append(raft: Raft, seq: int, now: float) -> None:
        persisted(raft, seq, now)
        if not raft.durable.pending:
            for data, kind in late.pop(raft, []):
                replication.append_own(raft, Entry(raft.term, kind, data))

    replace(Raft, "propose", put_off)
    replace(Raft, "persisted", then_append)


@mutant(
    "B35",
    "the end of an old write vouches for a new entry",
    source="etcd, async storage writes (ABA); openraft#1964, canonical/raft#352",
    needs=("disk", "crash", "hold"),
    judge="durable before send",
)
def stale_write_completion() -> None:
    """A follower takes its log for durable up to an index because a write up to there has ended. But that entry was cut
    off and replaced while it was being written: the new one is acknowledged, and is on no disk yet.
    """
    synced = Node.synced

    def cut(durable: Durable, index: int) -> None:
        durable.index = min(durable.index, index)

    def acknowledge(node: Node, seq: int) -> None:
        synced(node, seq)
        for _, promised in node.promises:
            due: list[Message] = [
                message
                for message in promised
                if isinstance(message, AppendReply) and message.ok and message.index <= node.raft.durable.index
            ]
            promised[:] = [message for message in promised if message not in due]
            node._send(due)

    replace(Durable, "cut", cut)
    replace(Node, "synced", acknowledge)
