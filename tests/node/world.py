"""Several servers and the links between them.

Links keep the order of messages, as connections do, and what is on a link is lost when it is cut.
"""

from __future__ import annotations

from collections import deque

from raftsim.core.config import Config, of
from raftsim.core.output import LEADER
from raftsim.core.settings import Settings
from raftsim.node.ports import PeerMessage
from raftsim.node.settings import NodeSettings
from tests.node.harness import HandClock, Station


class World:
    """Servers, and the links between them: a link is a line of messages, and it is up or down."""

    def __init__(
        self,
        *ids: str,
        settings: Settings | None = None,
        node_settings: NodeSettings | None = None,
        seed: int = 0,
        config: Config | None = None,
    ) -> None:
        self.clock = HandClock()
        config = config or of(*ids)
        self.stations = {
            id: Station(id, config, clock=self.clock, settings=settings, node_settings=node_settings, seed=seed)
            for id in ids
        }
        self.lines: dict[tuple[str, str], deque[PeerMessage]] = {
            (src, dst): deque() for src in ids for dst in ids if src != dst
        }
        for station in self.stations.values():
            station.linked = {*ids} - {station.id}

    def __getitem__(self, id: str) -> Station:
        return self.stations[id]

    def collect(self) -> None:
        for station in self.stations.values():
            for message in station.took(object):
                assert isinstance(message, PeerMessage)
                self.lines[message.src, message.dst].append(message)

    def deliver(self, line: tuple[str, str]) -> None:
        """The first message of this line arrives."""
        self.collect()
        if self.lines[line]:
            self.stations[line[1]].receive(self.lines[line].popleft())

    def cut(self, one: str, other: str) -> None:
        """The link between two servers breaks, with all that is on it."""
        self.collect()
        for src, dst in ((one, other), (other, one)):
            self.lines[src, dst].clear()
            if dst in self.stations[src].linked:
                self.stations[src].linked.remove(dst)
                self.stations[src].node.link_lost(dst)
                self.stations[src].turn()

    def join(self, one: str, other: str) -> None:
        for src, dst in ((one, other), (other, one)):
            self.stations[src].linked.add(dst)
            self.stations[src].node.peer_seen(self.stations[dst].node.info)
            self.stations[src].turn()

    def crash(self, id: str) -> None:
        """The server loses power, and what its disk had not done; then it starts again."""
        for other in self.stations:
            if other != id:
                self.cut(id, other)
        self.stations[id].node.stop()
        self.stations[id].start()

    def tick(self, seconds: float) -> None:
        """Time passes for all; who is due is woken once."""
        self.clock.time += seconds
        for station in self.stations.values():
            if station.deadline <= self.clock.time:
                station.node.turn()
                station.turn()

    def run(self, seconds: float) -> None:
        """All links deliver, all disks work, and timers fire in time."""
        end = self.clock.time + seconds
        while self.clock.time < end:
            self.settle()
            self.tick(0.01)

    def settle(self) -> None:
        """Deliver and sync until there is nothing left to do at this moment."""
        while True:
            self.collect()
            busy = [line for line in self.lines if self.lines[line]]
            for line in busy:
                self.deliver(line)
            for station in self.stations.values():
                busy += [(station.id, "")] * (len(station.unsynced) + len(station.saving) + len(station.reading))
                station.work()
            if not busy:
                return

    def leader(self) -> Station:
        self.run(5.0)
        for _ in range(100):  # removed servers that know nothing of it may be disturbing the others
            leaders = [station for station in self.stations.values() if station.node.raft.role == LEADER]
            if len(leaders) == 1:
                return leaders[0]
            self.run(0.1)
        raise AssertionError("no leader")
