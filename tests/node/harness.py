"""Servers whose ports are lists: the test is the disk, the network and the clock.

A `Station` is one server with its ports; its peers are played by the test. Several together are in world.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from raftsim.core.config import Config, of
from raftsim.core.entry import SnapshotMeta, bootstrapped
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import LEADER, ChunkWanted, Write
from raftsim.core.settings import Settings
from raftsim.node.ports import PeerInfo, PeerMessage
from raftsim.node.requests import Outcome, Query, Request
from raftsim.node.server import Node
from raftsim.node.settings import NodeSettings
from tests.core.disk import HandDisk
from tests.node.recorder import Recorder

M = TypeVar("M")

ALL = Query(("all",))


class HandClock:
    """Moved by the test; several servers may share one."""

    def __init__(self) -> None:
        self.time = 0.0


class Station:
    """One server on the test's disk, network and clock."""

    def __init__(
        self,
        id: str,
        config: Config,
        *,
        clock: HandClock | None = None,
        settings: Settings | None = None,
        node_settings: NodeSettings | None = None,
        seed: int = 0,
    ) -> None:
        self.id = id
        self.clock = clock or HandClock()
        self.settings = settings or Settings()
        self.node_settings = node_settings or NodeSettings()
        self.seed = seed
        self.lives = 0
        begun = bootstrapped(config)
        self.disk = HandDisk(begun.hard, begun.entries)
        self.linked = {*config.members()} - {id}  # the peers a message can be sent to
        self.start()

    def start(self, *, turn: bool = True) -> None:
        """Begin a life with what the disk holds. Without `turn`, what it asks for at once is left to the test."""
        self.lives += 1
        self.machine = Recorder()
        self.deadline = float("inf")
        self.turn_wanted = False
        restored = self.disk.restored()
        self.saving: list[tuple[SnapshotMeta, Iterator[bytes]]] = []
        self.reading: list[tuple[ChunkWanted, int]] = []
        self.sent: list[PeerMessage] = []
        self.peers: dict[str, str] = {}
        self.used: list[str] = []  # the ports, in the order in which they were used
        self.told: list[tuple[str, Any]] = []  # what the observer was told
        self.node = Node(
            PeerInfo(self.id, f"{self.id}.global", self.id, 3),
            restored,
            self.machine,
            disk=self,
            network=self,
            clock=self,
            rng=Random(f"{self.seed}/{self.id}/{self.lives}"),
            settings=self.settings,
            node_settings=self.node_settings,
            observer=lambda kind, subject: self.told.append((kind, subject)),
        )
        self.node.start()
        if turn:
            self.turn()

    # the ports

    def submit(self, write: Write) -> None:
        self.used.append("submit")
        self.disk.unsynced.append(write)

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        assert not self.saving, "two at a time"
        self.saving.append((meta, state))

    def read_chunk(self, wanted: ChunkWanted, max_bytes: int) -> None:
        self.reading.append((wanted, max_bytes))

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        self.used.append("load_snapshot")
        state = dict(self.disk.snapshots)[meta]
        return (state[place : place + 3] for place in range(0, len(state), 3))

    def compact(self, index: int) -> None:
        self.disk.compact(index)

    def send(self, message: PeerMessage) -> bool:
        if message.dst not in self.linked:
            return False
        self.used.append(type(message).__name__)
        self.sent.append(message)
        return True

    def set_peers(self, addresses: Mapping[str, str]) -> None:
        self.used.append("set_peers")
        self.peers = dict(addresses)

    def now(self) -> float:
        return self.clock.time

    def wall_ns(self) -> int:
        return 0

    def wake_at(self, deadline: float) -> None:
        self.deadline = deadline

    def turn_soon(self) -> None:
        self.turn_wanted = True

    # the hands of the test

    def turn(self) -> None:
        """The turn the server has asked for, if it has."""
        while self.turn_wanted:
            self.turn_wanted = False
            self.node.turn()

    def wait(self, seconds: float) -> None:
        """Let time pass; the server is woken whenever it wants."""
        end = self.clock.time + seconds
        while self.deadline <= end:
            self.clock.time = max(self.clock.time, self.deadline)
            self.node.turn()
            self.turn()
        self.clock.time = end

    def receive(self, *messages: PeerMessage) -> None:
        """Several messages are one turn."""
        for message in messages:
            self.node.receive(message)
        self.turn()

    def ask(self, *requests: Request) -> list[Outcome]:
        """Ask in one turn; the list receives the outcomes."""
        outcomes: list[Outcome] = []
        for request in requests:
            self.node.request(request, outcomes.append)
        self.turn()
        return outcomes

    @property
    def unsynced(self) -> Sequence[Write]:
        return self.disk.unsynced

    def sync(self, *, writes: int | None = None) -> None:
        """The disk has done the first `writes` of what it was given, or all; one report stands for all of them."""
        count = len(self.unsynced) if writes is None else min(writes, len(self.unsynced))
        for _ in range(count):
            seq = self.disk.keep_write()
        if count:
            self.node.synced(seq)
            self.turn()

    def save(self) -> SnapshotMeta:
        """The disk has saved the snapshot it was given."""
        ((meta, state),) = self.saving
        self.saving.clear()
        self.disk.keep_snapshot(meta, b"".join(state))
        self.node.snapshot_saved(meta)
        self.turn()
        return meta

    def read(self) -> None:
        """The disk has read what followers need of our snapshots."""
        reading, self.reading = self.reading, []
        for wanted, max_bytes in reading:
            self.node.chunk_read(wanted, *self.disk.read(wanted, max_bytes))
        self.turn()

    def work(self) -> None:
        """The disk has done all it was given."""
        self.sync()
        self.read()
        if self.saving:
            self.save()

    def took(self, kind: type[M]) -> list[M]:
        """What left since the last call and is of this kind; the rest is forgotten."""
        left, self.sent = self.sent, []
        return [message for message in left if isinstance(message, kind)]


# one server whose peers are played by the test


def follower_of_b(**node_settings: Any) -> Station:
    """`a`, one of three, which follows `b` in term 1."""
    station = Station("a", of("a", "b", "c"), node_settings=NodeSettings(**node_settings))
    station.receive(heartbeat(station, term=1, leader="b"))
    station.sync()
    station.took(object)
    return station


def heartbeat(station: Station, *, term: int, leader: str, commit: int = 0) -> Append:
    log = station.node.raft.log
    return Append(term, leader, station.id, log.last_index, log.last_term, [], commit, 0)


def leader_of_three(*, ready: bool = True, settings: Settings | None = None, **node_settings: Any) -> Station:
    """`a`, one of three, which leads term 1; its opening entry is at 2, held by all and committed if `ready`."""
    station = Station("a", of("a", "b", "c"), settings=settings, node_settings=NodeSettings(**node_settings))
    station.wait(station.deadline)
    while station.node.raft.role != LEADER:
        station.sync()
        votes = station.took(Vote)
        assert votes
        station.receive(VoteReply(votes[0].term, votes[0].dst, "a", granted=True, pre=votes[0].pre))
    station.sync()
    if ready:
        acknowledge(station, by="b")
        acknowledge(station, by="c")
    station.took(object)
    return station


def acknowledge(station: Station, *, by: str = "b") -> None:
    """The follower `by` holds all that the leader holds, and has answered its latest round."""
    raft = station.node.raft
    station.receive(AppendReply(raft.term, by, station.id, ok=True, index=raft.log.last_index, round=raft.round))


def depose(station: Station, *, term: int | None = None) -> None:
    """A message of a higher term, whose leader is not known yet."""
    higher = station.node.raft.term + 1 if term is None else term
    station.receive(AppendReply(higher, "c", station.id, ok=False, index=0))
    station.sync()
