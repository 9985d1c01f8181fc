"""The server: one Raft, one machine, three ports, and the turn that ties them together.

Inputs are fed to the core as they come; what follows from them is drained once per turn, so a turn's batch is as large
as the load makes it. Invariant: what the core promised leaves only when the write it waits for is durable, in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from raftsim.core.config import Config
from raftsim.core.drain import stirred
from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.messages import AppendReply, Message
from raftsim.core.output import ChunkWanted, Committed, ConfigChanged, MemoryLost, Output, RoleChanged
from raftsim.core.raft import Raft
from raftsim.core.reasons import reasons
from raftsim.core.settings import Settings
from raftsim.core.status import status
from raftsim.machine.autopilot import WithAutopilot
from raftsim.machine.base import Machine
from raftsim.node.autopilot import Autopilot
from raftsim.node.clients import Clients
from raftsim.node.compaction import Compaction
from raftsim.node.jobs import Jobs
from raftsim.node.measures import Measures
from raftsim.node.ports import Clock, Disk, Network, Observer, PeerInfo, PeerMessage, Ping
from raftsim.node.presence import Presence
from raftsim.node.requests import OK, Outcome, ReadStatus, Relay, RelayReply, Request, SetCompaction
from raftsim.node.restore import Staging
from raftsim.node.restoring import Restoring
from raftsim.node.settings import NodeSettings
from raftsim.trace.events import APPLY, COMMIT, CONFIG, MEMORY, READ, RESTORE, ROLE, SEND, SYNCED, WRITE

KINDS = {RoleChanged: ROLE, ConfigChanged: CONFIG, Committed: COMMIT, MemoryLost: MEMORY}
MAX_SEEN = 1024  # servers remembered by address


class Node:
    """`info` is what this server says of itself; `restored` what its disk held; `rng` draws the election timeouts, and
    where the numbering of requests begins."""

    def __init__(
        self,
        info: PeerInfo,
        restored: Restored,
        machine: Machine,
        *,
        disk: Disk,
        network: Network,
        clock: Clock,
        rng: Random,
        settings: Settings,
        node_settings: NodeSettings,
        observer: Observer | None = None,
    ) -> None:
        self.info = info
        self.raft = Raft(info.id, restored, settings, rng, clock.now())
        self.disk = disk
        self.network = network
        self.clock = clock
        self.measures = Measures(self.raft)
        self.observer = observer
        self.applied_index = 0
        self.apply_to = 0  # committed up to here
        self.apply_batch = node_settings.apply_batch_entries
        self.durable_seq = 0
        self.promises: deque[tuple[int, list[Message]]] = deque()  # (after this write, these messages)
        self.links: dict[str, str] = {}
        self.linked: Config | None = None  # the configuration they were made for
        machine = governed = WithAutopilot(machine)
        self.staging = Staging(machine)
        self.restoring = Restoring(machine, disk)
        self.compaction = Compaction(self.raft, machine, self.staging, disk, node_settings)
        jobs = Jobs(clock, node_settings, observer, first_number=rng.getrandbits(48))
        at_once = {ReadStatus: lambda _: Outcome(OK, self.status()), SetCompaction: self.compaction.set_policy}
        self.clients = Clients(self.raft, machine, self.staging, network, jobs, at_once)
        self.clients.seen[info.address] = info
        self.autopilot = Autopilot(self.raft, governed, clock, self.clients.seen, node_settings, self.clients.take)
        self.presence = Presence(info, self.raft, self.clients.seen)

    # inputs

    def start(self) -> None:
        """Tell the network its peers and arm the first timer. Called once, when the ports are ready."""
        self._update_links()
        self.turn()

    def receive(self, message: PeerMessage) -> None:
        """A message from a peer. Raises ProtocolViolation when no correct peer sends this."""
        now = self.clock.now()
        self.presence.heard(message.src, now)
        if isinstance(message, Ping):
            return
        if isinstance(message, Relay):
            self.clients.take_relay(message)
            self.clock.turn_soon()
        elif isinstance(message, RelayReply):
            self.clients.take_reply(message)
            self.clock.turn_soon()
        else:
            self.raft.receive(message, now)
            if isinstance(message, AppendReply):
                self.measures.answered(message.src, now)
            self._turn_if_due()

    def synced(self, seq: int) -> None:
        """The write `seq` and all before it are durable."""
        self._observe(SYNCED, seq)
        self.durable_seq = seq
        now = self.clock.now()
        self.measures.syncing_ends(now)
        self.raft.persisted(seq, now)
        while self.promises and self.promises[0][0] <= seq:
            self._send(self.promises.popleft()[1])
        self._turn_if_due()

    def request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        """Ask; `done` is called exactly once with the outcome, possibly before this returns."""
        self.clients.take(request, done)
        self.clock.turn_soon()

    def peer_seen(self, info: PeerInfo) -> None:
        """A link with this peer was made."""
        if info.address in self.clients.seen or len(self.clients.seen) < MAX_SEEN:
            self.clients.seen[info.address] = info
        self.presence.heard(info.id, self.clock.now())
        self._turn_if_due()

    def link_lost(self, peer: str) -> None:
        """The link to `peer` broke: what was sent and not answered may be lost."""
        self.clients.link_lost(peer)
        self.clock.turn_soon()

    def link_refused(self, peer: str) -> None:
        """The link to `peer` broke and a new one was refused: its process is gone."""
        self.presence.gone(peer)
        self.raft.unreachable(peer, self.clock.now())
        self.clock.turn_soon()

    def snapshot_saved(self, meta: SnapshotMeta) -> None:
        """The snapshot of our own that was being saved is durable."""
        self.compaction.saved(meta)
        self.clock.turn_soon()

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None:
        """What a follower needs of a snapshot; None if that one is not there any more."""
        self.raft.chunk(wanted, data, last=last, now=self.clock.now())
        self.clock.turn_soon()

    def ping(self) -> None:
        """Tell the peers that this server lives. The world calls it every PING_INTERVAL_S (presence.py)."""
        self.presence.ping(self.network, self.links, self.clock.now())

    def stop(self) -> None:
        """Answer everything that is still waiting with unknown or refused."""
        self.restoring.stop()
        self.clients.stop()

    # the turn

    def _turn_if_due(self) -> None:
        """Most answers and syncs lead to nothing: then there is no turn, unless somebody waits for one to try again."""
        if stirred(self.raft) or self.clients.waiting:
            self.clock.turn_soon()

    def turn(self) -> None:
        """Drain what the inputs led to, act on it, and set the timer."""
        clock, raft, clients = self.clock, self.raft, self.clients
        now = clock.now()
        raft.wake(now)
        self.autopilot.look(now)
        settled = False
        if self.applied_index < self.apply_to and raft.restore is None:
            self._go_on()  # with what the last turn left, unless a snapshot has taken its place
        while True:
            # The time anew: whoever was answered may have asked again, and a lease is looked at after the question.
            output = raft.drain(clock.now())
            if output is None and settled:
                break
            interrupted = output is not None and self._act(output)
            asked = clients.settle(self.applied_index, now)
            if not (asked or interrupted):
                break  # nothing gave the core more to do; what comes from outside asks for a turn of its own
            settled = True
        clock.wake_at(min(raft.deadline, clients.jobs.next_deadline))

    def _act(self, output: Output) -> bool:
        """True: what interrupts clients has happened, and may have led them to ask again."""
        observer = self.observer
        if observer is not None:
            for event in output.events:
                observer(KINDS[type(event)], event)
        if output.write is not None:
            if observer is not None:
                observer(WRITE, output.write)
            self.disk.submit(output.write)
        if output.send:
            self._send(output.send)
        if output.send_after_sync:
            if output.after <= self.durable_seq:
                self._send(output.send_after_sync)
            else:
                self.promises.append((output.after, output.send_after_sync))
        for wanted in output.chunks:
            self.compaction.read(wanted)
        if output.restore is not None:
            self._begin_to_restore(output.restore)
        if output.apply is not None:
            self.apply_to = output.apply[1]
            if self.restoring.meta is None:
                self._apply()
        for number, index in output.reads:
            self._observe(READ, (number, index))
            self.clients.confirmed(number, index)
        # Last: entries that were just applied are answered before the loss of leadership ends what is left.
        interrupted = False
        if output.events:
            interrupted = RoleChanged in map(type, output.events)
            if interrupted:
                self.clients.role_changed()
            self._update_links()
        return interrupted

    def _go_on(self) -> None:
        """A slice of what takes long."""
        if self.restoring.meta is not None:
            self._restore(self.restoring.meta)
        else:
            self._apply()

    def _apply(self) -> None:
        lo, hi = self.applied_index, min(self.apply_to, self.applied_index + self.apply_batch)
        entries = self.raft.log.slice(lo, hi)
        for index, entry in enumerate(entries, lo + 1):
            if self.observer is not None:
                self.observer(APPLY, (index, entry))
            self.applied_index = index
            self.clients.applied(index, entry)
        self.compaction.applied_bytes += sum([entry.size for entry in entries])
        if hi < self.apply_to:
            self.clock.turn_soon()
        else:
            self.compaction.consider(hi, self.clock.now())

    def _begin_to_restore(self, meta: SnapshotMeta) -> None:
        self.apply_to = max(self.apply_to, meta.index)
        self.restoring.begin(meta)
        self._restore(meta)  # so that the file is open before a newer one can take its place

    def _restore(self, meta: SnapshotMeta) -> None:
        self.clock.turn_soon()
        if self.restoring.go_on():
            self._observe(RESTORE, meta)
            self.staging.forget()
            self.compaction.restored(meta)
            self.applied_index = meta.index

    def _send(self, messages: list[Message]) -> None:
        observer, send = self.observer, self.network.send
        for message in messages:
            if observer is not None:
                observer(SEND, message)
            send(message)

    def _update_links(self) -> None:
        """Links go to all members, and to a server being removed until it was told so."""
        config = self.raft.config
        if config is self.linked and len(self.links) < len(config.servers):
            return  # there is nobody in them but its members
        self.linked = config
        links = {server.id: server.address for server in config.servers if server.id != self.info.id}
        for leaving in sorted(self.raft.progress.keys() & self.links.keys() - links.keys()):
            links[leaving] = self.links[leaving]
        if links != self.links:
            self.links = links
            self.network.set_peers(links)

    def _observe(self, kind: str, subject: object) -> None:
        if self.observer is not None:
            self.observer(kind, subject)

    # what an operator may ask

    @property
    def leader_address(self) -> str:
        """Where the leader is found, "" if none is known."""
        return self.raft.config.address(self.raft.leader or "") or ""

    @property
    def term(self) -> int:
        return self.raft.term

    @property
    def commit_index(self) -> int:
        return self.raft.commit

    def members(self) -> list[dict[str, Any]]:
        """Who is there, as this server sees it: see `Presence.members`."""
        return self.presence.members(self.clock.now())

    def status(self, *, measured: bool = True) -> dict[str, Any]:
        """Plain data, everything an operator may ask of this server now (the body of /v1/raftsim/status).

        `measured`: with what was measured, which takes as long to put together as all the rest.

        {"id", "name", "address": str, "role": "follower" | "pre-candidate" | "candidate" | "leader", "term": int,
        "vote": id or None, "leader": id or None, "leader_address": str ("" when none), "ready": bool (a leader that
        has committed in its term), "commit_index", "applied_index", "last_log_index", "last_log_term",
        "snapshot_index", "snapshot_term", "pending_requests": int, "raft_protocol": int,
        "last_contact_s": float or None (None: never; 0.0 on the leader),
        "configuration": {"index": int, "committed": bool, "servers": [{"id", "address": str, "voter", "returning":
        bool, "name": str or None (never seen)}]},
        "why": see core/reasons.py, "compaction": see SetCompaction, "measured": see Measures.view,
        "autopilot": see Autopilot.view,
        "followers": [{"id": str, "match_index", "next_index": int, "state": str, "last_contact_s": float}]}
        """
        view = status(self.raft, self.clock.now())
        for server in view["configuration"]["servers"]:
            seen = self.clients.seen.get(server["address"])
            server["name"] = seen.name if seen else None
        return {
            **view,
            "why": reasons(self.raft, self.clock.now()),
            "name": self.info.name,
            "address": self.info.address,
            "raft_protocol": self.info.raft_protocol,
            "applied_index": self.applied_index,
            "pending_requests": len(self.clients.jobs.open),
            "compaction": self.compaction.policy,
            "autopilot": self.autopilot.view(),
            **({"measured": self.measures.view()} if measured else {}),
        }
