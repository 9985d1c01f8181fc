"""Simulated clusters with a long log, and new servers that get it over thin links."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from random import Random
from typing import Final

from raftsim.core.config import Config
from raftsim.core.entry import CONFIG, NOOP, Entry, HardState, Restored
from raftsim.core.messages import AppendReply
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from raftsim.machine.variables import put_command
from raftsim.node.requests import ChangeMembership, Command, Outcome
from raftsim.sim.delays import Uniform
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel
from raftsim.sim.pipes import HEADER_BYTES
from raftsim.sim.world import World
from raftsim.trace.events import SEND, Event

ENTRIES: Final = 200  # in the log of the cluster
ENTRIES_PER_S: Final = 200.0  # over the link to a new server
ONE_WAY_S: Final = 0.001
WRITE_S: Final = 0.0005
TIMEOUT_S: Final = 0.3
PUT: Final = Command(put_command("default", "key", {"value": "x" * 10_000}, None, 0))
FILLING: Final = bytes(len(PUT.data))  # of entries that were there before
NETWORK: Final = NetworkModel(Uniform(0.9 * ONE_WAY_S, 1.1 * ONE_WAY_S), fifo=True)
THIN: Final = replace(NETWORK, bytes_per_s=ENTRIES_PER_S * (HEADER_BYTES + len(PUT.data)), queue_bytes=1 << 40)
PATIENCE_S: Final = 60.0

Held = Callable[[str, Config], Restored]


def log_of(config: Config, *terms: int) -> Restored:
    """A log of the configuration, and an entry of each of these terms."""
    entries = [Entry(0, CONFIG, config), *(Entry(term, NOOP, FILLING) for term in terms)]
    return Restored(HardState(max(terms, default=0)), entries)


def full_but(*empty: str) -> Held:
    """Full logs on all servers but these, which have the configuration alone."""
    return lambda name, config: log_of(config) if name in empty else log_of(config, *[1] * ENTRIES)


class Cluster:
    """`thin`: servers with a thin link from all others. `held`: what the disks hold, full logs if None.

    `refused` counts the Appends that were.
    """

    def __init__(
        self,
        servers: int,
        seed: int,
        *,
        thin: Collection[str] = (),
        down: Collection[str] = (),
        held: Held | None = None,
    ) -> None:
        self.refused = 0
        self._rng = Random(f"{seed}/load")
        # One entry in an Append: a round ends with its last entry, and not with what travels beside it.
        settings = Settings(
            election_timeout_min_s=TIMEOUT_S,
            election_timeout_max_s=2 * TIMEOUT_S,
            heartbeat_interval_s=TIMEOUT_S / 5,
            max_append_entries=1,
        )
        self.world = World(
            servers,
            seed=seed,
            settings=settings,
            network=NETWORK,
            disk=DiskModel(WRITE_S, WRITE_S),
            judges=False,
            down=down,
            held=held or full_but(),
            observers=[self._observe],
        )
        for name in thin:
            self._thin(name)

    def raft(self, name: str) -> Raft:
        node = self.world.hosts[name].node
        assert node is not None, name
        return node.raft

    def leader(self) -> str:
        """Run until there is a leader that has committed an entry of its own; its name."""
        self.until(lambda: self._ready() is not None)
        name = self._ready()
        assert name is not None
        return name

    def until(self, over: Callable[[], bool]) -> float:
        """Run until then. Returns how long that took, in s."""
        began = self.world.now
        if not self.world.run_until(over, PATIENCE_S):
            raise ValueError(f"it took longer than {PATIENCE_S:.0f} s")
        return self.world.now - began

    def add(self, name: str) -> None:
        """Start a new server with a thin link; no configuration knows it yet."""
        self.world.add(name)
        self._thin(name)
        self.world.run(10 * ONE_WAY_S)  # until the connections are made

    def change(self, op: str, *names: str) -> Outcome:
        """One change of the membership, asked of the leader."""
        ids = [self.world.ids[name] for name in names]
        return self.world.ask(self.leader(), ChangeMembership(tuple((op, id, id) for id in ids)))

    def load(self, entries_per_s: float) -> None:
        """Commands that arrive evenly from now on."""
        leader = self.leader()

        def arrive() -> None:
            self.world.submit(leader, PUT)
            self.world.after(1 / entries_per_s, arrive)

        self.world.after(self._rng.random() / entries_per_s, arrive)

    def _ready(self) -> str | None:
        name = self.world.leader()
        return name if name is not None and self.raft(name).ready else None

    def _observe(self, event: Event) -> None:
        if event.kind == SEND and isinstance(event.subject, AppendReply):
            self.refused += not event.subject.ok

    def _thin(self, new: str) -> None:
        for name in self.world.names:
            if name != new:
                self.world.link(name, new, THIN)
