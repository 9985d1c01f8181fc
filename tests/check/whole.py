"""The invariants as they are stated: whole logs and whole histories, looked through from the beginning every time.

A check of the checkers: it shares nothing with the judges, which see each event once and keep hashes. What is already
about one message has no such form (up-to-date votes, message sanity, durable before send, leadership transfer), nor
have exceptions, and reads, whose beginning no event of theirs names. `stated.py` has what holds of it all at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from raftsim.trace.events import (
    APPLY,
    COMMIT,
    CONFIG,
    CRASH,
    RESTORE,
    ROLE,
    SEND,
    SNAPSHOT,
    START,
    SYNCED,
    WIPE,
    WRITE,
    Event,
)
from tests.check.stated import STATED, Log, configs, holds_end, index_of

LEADER = "leader"
Hard = tuple[int, str | None]


@dataclass(slots=True)
class Moment:
    """What a server held after a write. `committed`: how much leaders had committed by then."""

    life: int
    leads: int  # in which term, 0 if it does not
    log: Log
    committed: int


@dataclass(slots=True)
class Server:
    """One server since its disk was new. Lists are histories; those of lives begin anew with each."""

    log: Log = field(default_factory=list)
    durable: Log = field(default_factory=list)
    hard: Hard = (0, None)
    durable_hard: Hard = (0, None)
    pending: list[Any] = field(default_factory=list)
    snapshot: Any = None
    half: Any = None  # one whose last chunk a crash met
    life: int = 0
    role: str = "follower"
    incarnation: int = 0
    config_index: int = 0  # of the configuration that it says is in force
    moments: list[Moment] = field(default_factory=list)
    promised: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by term: told, or durable
    voted: defaultdict[tuple[int, int], list[str | None]] = field(
        default_factory=lambda: defaultdict(list)
    )  # life, term
    terms: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # by life
    commits: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))  # by life
    applied: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    restored: list[tuple[int, int]] = field(default_factory=list)  # (applied before, index of the snapshot)


class Whole:
    """Give every event to `observe`; `broken` is the names of all invariants that were broken so far."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names  # of servers, by id
        self.servers: dict[str, Server] = {}
        self.lost: defaultdict[str, list[tuple[int, Log]]] = defaultdict(list)  # what wipes took
        self.committed: Log = []
        self.committed_in: list[int] = []  # in which leader's term
        self.applied: defaultdict[int, list[Any]] = defaultdict(list)  # by index, of all servers
        self.leaders: defaultdict[int, set[str]] = defaultdict(set)
        self.elected: list[tuple[int, Log, int]] = []  # term, log, and how much was committed by then
        self.grants: list[Any] = []  # replies that grant a vote
        self.snapshots: list[tuple[Any, str]] = []
        self.at_once: set[str] = set()  # what only the moment shows

    def observe(self, event: Event) -> None:
        name, subject = event.node, event.subject
        if name and event.kind in _TAKES:
            _TAKES[event.kind](self, name, self.servers.setdefault(name, Server()), subject)

    # what happens

    def _start(self, _: str, server: Server, restored: Any) -> None:
        if server.half is not None and restored.snapshot == server.half:
            self._install(server, server.half)
            self._stand(server)
        server.half = None
        base = restored.base_index
        beginning = server.durable if len(server.durable) >= base else self.committed
        found = [*beginning[:base], *restored.entries]
        hard, given = (restored.hard.term, restored.hard.vote), server.durable_hard
        if server.snapshot is not None and server.snapshot.term > given[0]:
            given = (server.snapshot.term, None)
        if server.life and (found != server.durable or hard != given or restored.snapshot != server.snapshot):
            self.at_once.add("restored as written")
        server.life += 1
        server.log, server.durable = found, [*found]
        server.hard = server.durable_hard = hard
        server.snapshot = restored.snapshot
        if not base <= index_of(restored.snapshot) <= len(found):
            self.at_once.add("ordering")
        server.applied[server.life] = [0]
        server.pending, server.role = [], "follower"
        server.config_index = max((index for index, _ in configs(found)), default=0)
        server.incarnation = 0 if restored.hard.founder else restored.incarnation
        server.voted[server.life, hard[0]].append(hard[1])
        if hard[1] is not None:
            server.promised[hard[0]].add(hard[1])
        self._remember(server)

    def _write(self, _: str, server: Server, write: Any) -> None:
        if write.hard is not None:
            server.hard = (write.hard.term, write.hard.vote)
            server.terms[server.life].append(write.hard.term)
            server.incarnation = 0 if write.hard.founder else server.incarnation
            server.voted[server.life, write.hard.term].append(write.hard.vote)
        if write.entries:
            if write.first_index > len(server.log) + 1:
                self.at_once.add("ordering")
            server.log[write.first_index - 1 :] = write.entries
            self._remember(server)
            self._goes_by_the_last(server)
        server.pending.append(write)

    def _crash(self, name: str, server: Server, seq: int) -> None:
        """Of the last write that survives, the chunk behind the record may be lost."""
        last = [write.chunk for write in server.pending if write.seq == seq and write.chunk is not None]
        server.half = last[0].meta if last and last[0].last else None
        self._synced(name, server, seq, whole=server.half is None)

    def _synced(self, _: str, server: Server, seq: int, *, whole: bool = True) -> None:
        while server.pending and server.pending[0].seq <= seq:
            write = server.pending.pop(0)
            if write.hard is not None:
                server.durable_hard = (write.hard.term, write.hard.vote)
            if write.entries and write.first_index <= len(server.durable) + 1:
                server.durable[write.first_index - 1 :] = write.entries
            if write.chunk is not None and write.chunk.last and (whole or write.seq < seq):
                self._install(server, write.chunk.meta)
            self._stand(server)

    def _install(self, server: Server, meta: Any) -> None:
        if server.snapshot is None or server.snapshot.index < meta.index:
            server.snapshot = meta
        beyond = meta.index > max(server.commits[server.life], default=0)
        if beyond and not holds_end(server.log, meta):
            server.log = self.committed[: meta.index]

    def _stand(self, server: Server) -> None:
        if server.snapshot is not None and not holds_end(server.durable, server.snapshot):
            server.durable = self.committed[: server.snapshot.index]

    def _kept(self, _: str, server: Server, kept: Any) -> None:
        self.snapshots.append(kept)
        received = any(write.chunk is not None and write.chunk.meta == kept[0] for write in server.pending)
        if not received and kept[0].index > server.applied[server.life][-1]:
            self.at_once.add("ordering")
        if server.snapshot is None or server.snapshot.index < kept[0].index:
            server.snapshot = kept[0]
            self._stand(server)

    def _wipe(self, name: str, server: Server, _: object) -> None:
        self.lost[name].append((server.incarnation, server.durable))
        self.servers[name] = Server()

    def _role(self, name: str, server: Server, role: Any) -> None:
        server.role = role.role
        server.terms[server.life].append(role.term)
        if role.role in ("pre-candidate", "candidate") and not self._may_stand(name, server):
            self.at_once.add("voters only")
        if role.role == LEADER:
            self.leaders[role.term].add(name)
            self.elected.append((role.term, [*server.log], len(self.committed)))
            if not self._is_elected(server, role.term, role.leader):
                self.at_once.add("voters only")

    def _commit(self, _: str, server: Server, commit: Any) -> None:
        server.commits[server.life].append(commit.index)
        if commit.role != LEADER:
            if commit.index > len(self.committed):
                self.at_once.add("commit quorum")
            return
        log = server.log[: commit.index]
        if len(log) < commit.index:
            self.at_once.add("ordering")
        if server.durable[: commit.index] != log or len(log) < commit.index:
            self.at_once.add("committed is durable")
        if not log or log[-1].term != commit.term or not self._is_on_a_quorum(server, log):
            self.at_once.add("commit quorum")
        new = log[len(self.committed) :]
        self.committed += new
        self.committed_in += [commit.term] * len(new)

    def _apply(self, _: str, server: Server, applied: tuple[int, Any]) -> None:
        index, entry = applied
        self.applied[index].append(entry)
        server.applied[server.life].append(index)
        if index > min(max(server.commits[server.life], default=index_of(server.snapshot)), len(server.log)):
            self.at_once.add("ordering")

    def _restore(self, _: str, server: Server, meta: Any) -> None:
        before = server.applied[server.life]
        server.restored.append((before[-1], meta.index))
        before[:] = [meta.index]
        if meta.index > min(max(server.commits[server.life], default=index_of(server.snapshot)), len(server.log)):
            self.at_once.add("ordering")
        self._goes_by_the_last(server)

    def _send(self, _: str, server: Server, message: Any) -> None:
        kind = type(message).__name__
        if kind == "VoteReply" and message.granted and not message.pre:
            self.grants.append(message)
            server.promised[message.term].add(message.dst)
        elif kind == "Vote" and not message.pre:
            server.promised[message.term].add(message.src)

    def _config(self, _: str, server: Server, config: Any) -> None:
        """A leader begins a change: the one before must be committed, and an entry of its own term."""
        before, server.config_index = server.config_index, config.index
        if server.role != LEADER:
            return
        commit = max(server.commits[server.life], default=index_of(server.snapshot))
        if before > commit or commit > len(server.log) or server.log[commit - 1].term != max(server.terms[server.life]):
            self.at_once.add("configuration safety")

    # questions

    def _remember(self, server: Server) -> None:
        leads = max(server.terms[server.life]) if server.role == LEADER else 0
        server.moments.append(Moment(server.life, leads, [*server.log], len(self.committed)))

    def _may_stand(self, name: str, server: Server) -> bool:
        """Whether it has a vote in the last committed configuration of its log, or in one after that."""
        commit = max(server.commits[server.life], default=index_of(server.snapshot))
        found = configs(server.log)
        first = max((place for place, (index, _) in enumerate(found) if index <= commit), default=0)
        return any(
            self.names.get(member.id, member.id) == name and member.incarnation == server.incarnation
            for _, config in found[first:]
            for member in config.servers
            if member.id in (*config.voters, *config.outgoing)
        )

    def _goes_by_the_last(self, server: Server) -> None:
        if server.config_index != max((index for index, _ in configs(server.log)), default=0):
            self.at_once.add("configuration safety")

    def _is_elected(self, server: Server, term: int, id: str) -> bool:
        granted = {(grant.src, grant.incarnation) for grant in self.grants if (grant.term, grant.dst) == (term, id)}
        if server.durable_hard == (term, id):
            granted.add((id, server.incarnation))
        return self._is_quorum(server, lambda voter, incarnation: (voter, incarnation) in granted)

    def _is_on_a_quorum(self, server: Server, log: Log) -> bool:
        def holds(voter: str, incarnation: int) -> bool:
            name = self.names.get(voter, voter)
            here = self.servers.get(name, Server())
            copies = [(here.incarnation, here.durable), *self.lost[name]]
            return any(which == incarnation and copy[: len(log)] == log for which, copy in copies)

        return self._is_quorum(server, holds)

    def _is_quorum(self, server: Server, counts: Any) -> bool:
        """Whether those that count are a majority of each half of the last configuration in the log."""
        config = configs(server.log)[-1][1]
        lives = {member.id: member.incarnation for member in config.servers}
        halves = [half for half in (config.voters, config.outgoing) if half]
        return all(2 * sum(counts(id, lives[id]) for id in half) > len(half) for half in halves)

    # the invariants

    def broken(self) -> set[str]:
        found = set(self.at_once)
        found |= {name for name, holds in STATED.items() if not all(holds(self))}
        return found


_TAKES: dict[str, Callable[[Whole, str, Server, Any], None]] = {
    START: Whole._start,
    WRITE: Whole._write,
    SYNCED: Whole._synced,
    CRASH: Whole._crash,
    SNAPSHOT: Whole._kept,
    WIPE: Whole._wipe,
    ROLE: Whole._role,
    COMMIT: Whole._commit,
    APPLY: Whole._apply,
    RESTORE: Whole._restore,
    SEND: Whole._send,
    CONFIG: Whole._config,
}
NAMES = {*STATED, "commit quorum", "committed is durable", "voters only", "restored as written"}
