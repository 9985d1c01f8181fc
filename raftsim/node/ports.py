"""The three ports between a server and its world. Live and simulated worlds differ here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from raftsim.core.entry import SnapshotMeta
from raftsim.core.messages import Message
from raftsim.core.output import ChunkWanted, Write
from raftsim.node.requests import Relay, RelayReply


@dataclass(frozen=True, slots=True)
class Ping:
    """`src` lives. Nothing answers it."""

    src: str
    dst: str


PeerMessage = Message | Relay | RelayReply | Ping


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """What a server says of itself when a link is made: its id, member name (`n1.global`), address, raft protocol,
    datacenter and the version of its program."""

    id: str
    name: str
    address: str
    raft_protocol: int
    datacenter: str = "dc1"
    build: str = ""


class Disk(Protocol):
    def submit(self, write: Write) -> None:
        """Make `write` durable, after all earlier ones; then call `Node.synced(write.seq)`.

        One call of `synced` may stand for all earlier writes too. A failure is never reported as success: the world
        stops the server. `write.chunk`, if there is one, is made durable after the rest of the write.
        """

    def save_snapshot(self, meta: SnapshotMeta, state: Iterator[bytes]) -> None:
        """Keep a snapshot of our own machine, beside the writes; then call `Node.snapshot_saved(meta)`.

        `state` may be drawn from another thread. At most one is being saved at a time.
        """

    def read_chunk(self, wanted: ChunkWanted, max_bytes: int) -> None:
        """Read a part of a snapshot for a follower; then call `Node.chunk_read(wanted, data, last)`.

        data: at most `max_bytes` of the state, None if that snapshot is not there any more.
        """

    def load_snapshot(self, meta: SnapshotMeta) -> Iterator[bytes]:
        """The state in the snapshot `meta`, which is durable."""

    def compact(self, index: int) -> None:
        """The log up to `index` will not be asked for any more: what holds nothing else may be removed."""


class Network(Protocol):
    def send(self, message: PeerMessage) -> bool:
        """Send to `message.dst`, as soon as this turn ends. Messages may be lost. False: certainly not sent."""

    def set_peers(self, addresses: Mapping[str, str]) -> None:
        """The members to keep links to: id -> address, without this server itself."""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds of a clock that never goes back; the one clock of this server's timeouts."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, for people: times shown in answers, never for decisions."""

    def wake_at(self, deadline: float) -> None:
        """Call `Node.turn()` at `deadline`; replaces the deadline given before."""

    def turn_soon(self) -> None:
        """Call `Node.turn()` once, after the inputs that are already waiting have been handed in."""


class Observer(Protocol):
    def __call__(self, kind: str, subject: object) -> None:
        """Told of everything that happens to this server, in order; the kinds are those of `raftsim.trace.events`."""
