"""What every server's state must be, rebuilt from the events alone; the judges compare what servers do with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from raftsim.check.history import Change, Hard, LogGhost, changed

LEADER: Final = "leader"
FOLLOWER: Final = "follower"


@dataclass(frozen=True, slots=True)
class Limits:
    """What servers are told not to go beyond."""

    uncommitted_bytes: float = inf
    pending_requests: float = inf


@dataclass(slots=True)
class NodeGhost:
    """One server: in memory, and what of it would survive a crash now."""

    name: str
    log: LogGhost = field(default_factory=LogGhost)
    hard: Hard = (0, None)
    durable_log: LogGhost = field(default_factory=LogGhost)
    durable_hard: Hard = (0, None)
    snapshot: Any = None  # the newest durable one
    pending: deque[Change] = field(default_factory=deque)  # written, not durable yet
    role: str = FOLLOWER
    term: int = 0
    config_index: int = 0  # in force, as the server says
    config: Any = None
    commit: int = 0
    applied: int = 0
    half: Any = None  # the snapshot whose last chunk a crash met: it is there, or it is not
    known: bool = False  # it was started before, and its disk is still the same
    incarnation: int = 0  # as which it speaks
    lost: list[tuple[int, LogGhost]] = field(default_factory=list)  # what wipes took, with who held it

    def held(self, incarnation: int) -> list[LogGhost]:
        """The durable logs of this incarnation: the present one, and what a wipe took from it after it was promised."""
        present = [self.durable_log] if self.incarnation == incarnation else []
        return present + [log for lost, log in self.lost if lost == incarnation]

    @property
    def halves(self) -> tuple[Sequence[str], ...]:
        """The voters of which a majority must agree: those of both halves, if the configuration is joint."""
        config = self.config
        return () if config is None else tuple(half for half in (config.voters, config.outgoing) if half)


def incarnations(config: Any) -> dict[str, int]:
    """Of each member, which incarnation has the vote, if it has one."""
    return {server.id: server.incarnation for server in config.servers}


class Ghost:
    """All servers, and the one history of what was committed and applied.

    Called after the judges have seen the event, except `prepare_*`, which come before.
    """

    def __init__(self, names: Mapping[str, str] | None = None, limits: Limits | None = None) -> None:
        self.names: Mapping[str, str] = {} if names is None else names  # id -> name, where they differ
        self.limits = limits or Limits()
        self.nodes: dict[str, NodeGhost] = {}
        self.committed = LogGhost()  # what leaders have committed
        self.committed_by: list[tuple[int, str]] = [(0, "")]  # per index: (term, name) of the leader that was first
        self.reach: list[tuple[int, int]] = [(0, 0)]  # (term, highest index committed by then), both rising
        self.applied: list[tuple[str, Any]] = [("", None)]  # per index: who was first, and the entry
        self.change: Change  # the one being judged
        self.found: LogGhost  # the log of the server that is starting

    def node(self, name: str) -> NodeGhost:
        found = self.nodes.get(name)
        if found is None:
            found = self.nodes[name] = NodeGhost(name)
        return found

    def name(self, id: str | None) -> str:
        """The name of the server with this id."""
        return "nobody" if id is None else self.names.get(id, id)

    def prepare_write(self, node: NodeGhost, write: Any) -> None:
        change = self.change = changed(node.log, write.first_index, write.entries)
        change.seq = write.seq
        if write.hard is not None:
            change.hard = (write.hard.term, write.hard.vote)
        if write.chunk is not None and write.chunk.last:
            change.snapshot = write.chunk.meta

    def prepare_start(self, node: NodeGhost, restored: Any) -> None:
        """What its disk no longer says of the log is known from what it was given, or from what was committed."""
        if node.half is not None and restored.snapshot == node.half:
            self._install(node, node.half)
            self._stand_on_snapshot(node)
        base = restored.base_index
        own = node.durable_log.term_at(base) == restored.base_term
        self.found = (node.durable_log if own else self.committed).copy(base)
        self.change = changed(self.found, base + 1, restored.entries)
        self.found.take(self.change)

    def on_start(self, node: NodeGhost, restored: Any) -> None:
        node.known = True
        node.incarnation = 0 if restored.hard.founder else restored.incarnation
        node.hard = node.durable_hard = (restored.hard.term, restored.hard.vote)
        node.log = self.found
        node.durable_log = self.found.copy(self.found.last)
        node.snapshot = restored.snapshot
        node.half = None
        node.pending.clear()
        node.role, node.term = FOLLOWER, node.hard[0]
        node.config_index, node.config = node.log.config_at(node.log.last)
        node.commit = 0 if restored.snapshot is None else restored.snapshot.index
        node.applied = 0

    def on_wipe(self, node: NodeGhost, _: Any) -> None:
        lost = (*node.lost, (node.incarnation, node.durable_log))
        self.nodes[node.name] = NodeGhost(node.name, lost=[*lost])

    def on_write(self, node: NodeGhost, write: Any) -> None:
        change = self.change
        if write.hard is not None and write.hard.founder:
            node.incarnation = 0
        if change.hard is not None:
            node.hard = change.hard
            node.term = max(node.term, change.hard[0])
        if change.first_index:
            node.log.take(change)
        node.pending.append(change)

    def on_synced(self, node: NodeGhost, seq: int) -> None:
        while node.pending and node.pending[0].seq <= seq:
            change = node.pending.popleft()
            if change.hard is not None:
                node.durable_hard = change.hard
            if 0 < change.first_index <= node.durable_log.last + 1:
                node.durable_log.take(change)
            if change.snapshot is not None:
                self._install(node, change.snapshot)
            self._stand_on_snapshot(node)

    def on_crash(self, node: NodeGhost, seq: int) -> None:
        """What survives. A chunk is written behind the record of its write, so the last one may have got lost alone."""
        last = next((change for change in node.pending if change.seq == seq), None)
        if last is not None:
            node.half, last.snapshot = last.snapshot, None
        self.on_synced(node, seq)

    def on_snapshot(self, node: NodeGhost, kept: Any) -> None:
        meta, _ = kept
        if node.snapshot is None or node.snapshot.index < meta.index:
            node.snapshot = meta
            self._stand_on_snapshot(node)

    def _install(self, node: NodeGhost, meta: Any) -> None:
        """A received snapshot becomes the past: what contradicts it is no longer part of the log (paper section 7)."""
        self.on_snapshot(node, (meta, None))
        if meta.index > node.commit and node.log.term_at(meta.index) != meta.term:
            node.log = self.committed.copy(meta.index)

    def _stand_on_snapshot(self, node: NodeGhost) -> None:
        """What a restart makes of the log if it does not lead up to the snapshot."""
        meta = node.snapshot
        if meta is not None and node.durable_log.term_at(meta.index) != meta.term:
            node.durable_log = self.committed.copy(meta.index)

    def on_role(self, node: NodeGhost, role: Any) -> None:
        node.role = role.role
        node.term = max(node.term, role.term)

    def on_config(self, node: NodeGhost, config: Any) -> None:
        node.config_index, node.config = config.index, config.config

    def on_commit(self, node: NodeGhost, commit: Any) -> None:
        node.commit = max(node.commit, commit.index)
        known = self.committed.last
        if commit.role == LEADER and commit.index > known:
            self._commit(node.log, known + 1, commit.index)
            self.committed_by.extend([(commit.term, node.name)] * (self.committed.last - known))
            if commit.term > self.reach[-1][0]:
                self.reach.append((commit.term, commit.index))
            else:
                # A leader of an older term that got further first: all later terms reach at least as far.
                self.reach[-1] = (self.reach[-1][0], commit.index)

    def _commit(self, log: LogGhost, first: int, last: int) -> None:
        places = slice(first, last + 1)
        configs = [found for found in log.configs if first <= found[0] <= last]
        self.committed.take(Change(first, log.terms[places], log.hashes[places], configs))

    def on_apply(self, node: NodeGhost, applied: Any) -> None:
        index, entry = applied
        node.applied = max(node.applied, index)
        if index == len(self.applied):
            self.applied.append((node.name, entry))

    def on_restore(self, node: NodeGhost, meta: Any) -> None:
        node.applied = max(node.applied, meta.index)
