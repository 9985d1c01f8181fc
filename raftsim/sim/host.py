"""One simulated machine: its disk, its clock, its end of the network, and the server in its present life.

The world's events reach a server only through here. A paused server is handed nothing: its inputs wait in order.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.output import ChunkWanted
from raftsim.node.ports import PeerInfo, PeerMessage
from raftsim.node.requests import LINK_LOST, REFUSED, UNKNOWN, UNREACHABLE, Outcome, Request
from raftsim.node.server import Node
from raftsim.sim.build import Build
from raftsim.sim.busy import Busy
from raftsim.sim.clock import SimClock
from raftsim.sim.disk import SimDisk
from raftsim.sim.files import PowerCut
from raftsim.sim.network import CUT, DOWN
from raftsim.storage.errors import StorageError
from raftsim.trace.events import CRASH, DELIVER, ERROR, HALT, PAUSE, RESUME, SNAPSHOT, START, WIPE, Event

Input = tuple[Callable[..., object], tuple[Any, ...]]  # what is called with the server, and with these


@dataclass(slots=True, eq=False)
class PendingOutcome:
    """A client's request and, once it is known, its outcome."""

    name: str  # the server that was asked
    request: Request
    done: Callable[[Outcome], None] | None = None
    outcome: Outcome | None = None


class Host:
    """`node` is None while the server is down. `life` counts its starts; a connection is made with one life.

    `halted` is why the disk ended its last life, or keeps it from starting, in one sentence; "" if it did not.
    """

    def __init__(self, info: PeerInfo, name: str, held: Restored, build: Build) -> None:
        self.info = info
        self.name = name
        self.id = info.id
        self.life = 0
        self.paused = False
        self.node: Node | None = None
        self.halted = ""
        self.busy: Busy | None = None
        self.connected: set[str] = set()  # ids of the servers this one has a link to
        self.clock = SimClock(build.timeline, self.turn)
        self.disk = SimDisk(build.timeline, build.disk, Random(f"{build.seed}/disk/{name}"), held, self)
        self._build = build
        self._timeline = build.timeline
        self._network = build.network
        self._listeners = build.listeners
        self._observer = self.emit if any(build.listeners.values()) else None
        self._rng = Random(f"{build.seed}/node/{name}")
        self._waiting: list[Input] = []  # of a paused server
        self._clients: dict[PendingOutcome, None] = {}  # requests without an outcome, in order

    def emit(self, kind: str, subject: object) -> None:
        """Tell the world's listeners. This is the server's observer, too."""
        listeners = self._listeners[kind]
        if listeners:
            event = Event(self._timeline.now, self.name, kind, subject)
            for listener in listeners:
                listener(event)

    # life and death

    def start(self) -> None:
        """Start the server from what the disk holds, unless it holds what no server must start from."""
        assert self.node is None, self.name
        build = self._build
        self.halted = ""
        try:
            restored = self.disk.start()
        except StorageError as error:
            self._tell_halt(str(error))
            return
        except PowerCut:
            self.emit(CRASH, self.disk.crash())
            return
        self.life += 1
        self.emit(START, restored)
        self.node = Node(
            self.info,
            restored,
            build.machine(),
            disk=self.disk,
            network=self,
            clock=self.clock,
            rng=self._rng,
            settings=build.settings,
            node_settings=build.node_settings,
            observer=self._observer if self.busy is None else self.busy.observe,
        )
        self._take(Node.start)

    def crash(self) -> None:
        """Stop at once. Its clients see their connections break."""
        self._die(self.disk.crash())

    def stop(self) -> None:
        """Stop in good order: clients are answered, and everything written is on the disk."""
        assert self.node is not None
        self._hand(self.node, Node.stop)
        if self.node is not None:
            self._die(self.disk.flush())

    def power_cut(self) -> None:
        """The machine stopped while its disk was writing."""
        if self.node is not None:
            self.crash()

    def disk_failed(self, reason: str) -> None:
        """Fail-stop, as live: links break, those who wait are answered, and the process ends."""
        self._take(self._halt, reason)

    def _halt(self, node: Node, reason: str) -> None:
        self._tell_halt(reason)
        self.connected.clear()
        node.stop()
        self._die(self.disk.kill())

    def _tell_halt(self, reason: str) -> None:
        self.halted = reason
        self.emit(HALT, reason)

    def _die(self, last_seq: int) -> None:
        self.node = None
        self.paused = False
        self.connected.clear()
        self.clock.cancel()
        self._waiting.clear()
        self.emit(CRASH, last_seq)
        clients, self._clients = self._clients, {}
        for pending in clients:
            self._answer(pending, Outcome(UNKNOWN, reason=LINK_LOST))
        self._network.hung_up(self)

    def wipe(self, held: Restored) -> None:
        """The disk is lost, and one that holds `held` takes its place. The server is down."""
        assert self.node is None, self.name
        build = self._build
        rng = Random(f"{build.seed}/disk/{self.name}/{self.life}")
        self.disk = SimDisk(build.timeline, build.disk, rng, held, self)
        self.emit(WIPE, None)

    def pause(self) -> None:
        self.paused = True
        self.emit(PAUSE, None)

    def resume(self) -> None:
        """Go on: all that waited is handed in at once and handled in one turn."""
        self.paused = False
        self.emit(RESUME, None)
        waiting, self._waiting = self._waiting, []
        for act, args in waiting:
            self._take(act, *args)
        if self.busy is not None:
            self.busy.work()

    def slow_apply(self, apply_s: float) -> None:
        """Be busy for so long with every entry that is applied from now on; 0: no longer than others."""
        self.busy = Busy(self, self._build.timeline, apply_s) if apply_s else None
        if self.node is not None:
            self.node.observer = self._observer if self.busy is None else self.busy.observe

    # what the network hands in

    def deliver(self, message: PeerMessage) -> None:
        """A message arrives. This and `turn` are the world's hottest paths."""
        network = self._network
        if (network.holds or network.clogs) and network.keeps(self, message):
            return
        if network.cuts and (message.src, self.id) in network.cuts:
            network.drop(self, message, CUT)
        elif self.node is None:
            network.drop(self, message, DOWN)
        elif self.paused:
            self._waiting.append((self._receive, (message,)))
        else:
            try:
                self._receive(self.node, message)
            except Exception as error:  # noqa: BLE001 - whatever escapes a server is a finding
                self._fail(error)

    def deliver_to_life(self, addressed: tuple[PeerMessage, int]) -> None:
        """A message arrives over a connection that was made by one life of this server."""
        message, life = addressed
        if life == self.life:
            self.deliver(message)
        else:
            self._network.drop(self, message, DOWN)

    def hand_in(self, message: PeerMessage) -> None:
        """A message that was held back by hand arrives at last, whatever is cut by now."""
        if self.node is None:
            self._network.drop(self, message, DOWN)
        else:
            self._take(self._receive, message)

    def _receive(self, node: Node, message: PeerMessage) -> None:
        if self._observer is not None:
            self.emit(DELIVER, message)
        self._network.delivered += 1
        node.receive(message)

    def met(self, news: tuple[PeerInfo, int]) -> None:
        """A link with a peer was made, unless the way is cut or this life has ended."""
        info, life = news
        if self._hears_of(info.id, life):
            self._take(self._meet, info)

    def _meet(self, node: Node, info: PeerInfo) -> None:
        self.connected.add(info.id)
        node.peer_seen(info)

    def lost(self, news: tuple[str, int]) -> None:
        """The link with a peer broke."""
        peer, life = news
        if self._hears_of(peer, life):
            self._take(self._lose, peer)

    def _lose(self, node: Node, peer: str) -> None:
        self.connected.discard(peer)
        node.link_lost(peer)

    def refused(self, news: tuple[str, int]) -> None:
        """A new link with a peer was refused: there is no such process."""
        peer, life = news
        if self._hears_of(peer, life):
            self._take(Node.link_refused, peer)

    # what clients, the clock and the disk hand in

    def ask(self, pending: PendingOutcome) -> None:
        """A client's request arrives."""
        if self.node is None:
            self._answer(pending, Outcome(REFUSED, reason=UNREACHABLE, detail=self.info.address))
            return
        self._clients[pending] = None
        self._take(Node.request, pending.request, partial(self._answer, pending))

    def turn(self) -> None:
        """The turn that was asked for is due."""
        if self.paused:
            self._waiting.append((Node.turn, ()))
        elif self.node is not None:
            try:
                self.node.turn()
            except Exception as error:  # noqa: BLE001 - whatever escapes a server is a finding
                self._fail(error)
        if self.busy is not None:
            self.busy.work()

    def ping(self) -> None:
        self._take(lambda node: node.ping())

    def synced(self, seq: int) -> None:
        self._take(Node.synced, seq)

    def snapshot_saved(self, meta: SnapshotMeta) -> None:
        self._take(Node.snapshot_saved, meta)

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None:
        self._take(Node.chunk_read, wanted, data, last)

    def snapshot_kept(self, meta: SnapshotMeta, digest: str) -> None:
        self.emit(SNAPSHOT, (meta, digest))

    # the network port

    def send(self, message: PeerMessage) -> bool:
        if message.dst not in self.connected:
            self._network.drop(self, message, DOWN)
            return False
        self._network.send(self, message)
        return True

    def set_peers(self, addresses: Mapping[str, str]) -> None:
        """Links are made between all servers that are up, members or not."""

    # within

    def _take(self, act: Callable[..., object], *args: Any) -> None:
        """An input for the server: it has it now, when it goes on, or, if it is down, never."""
        if self.paused:
            self._waiting.append((act, args))
        elif self.node is not None:
            self._hand(self.node, act, *args)

    def _hand(self, node: Node, act: Callable[..., object], *args: Any) -> None:
        try:
            act(node, *args)
        except Exception as error:  # noqa: BLE001 - whatever escapes a server is a finding
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, StorageError) and self.node is not None:  # of a snapshot that was to be restored
            self._halt(self.node, str(error))
            return
        frame = traceback.extract_tb(error.__traceback__)[-1]
        self.emit(ERROR, f"{type(error).__name__}: {error} ({frame.name}, line {frame.lineno})")
        if self.node is not None:
            self.crash()

    def _hears_of(self, peer: str, life: int) -> bool:
        return life == self.life and (peer, self.id) not in self._network.cuts

    def _answer(self, pending: PendingOutcome, outcome: Outcome) -> None:
        self._clients.pop(pending, None)
        if pending.outcome is None:
            pending.outcome = outcome
            if pending.done is not None:
                pending.done(outcome)
