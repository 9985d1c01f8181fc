"""A handful of servers whose disks and wires are moved by hand.

A `Cluster` is several hosts (host.py) with the messages between; `run` delivers all there is, a test that needs an
order delivers by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from raftsim.core.config import Config, of
from raftsim.core.entry import HardState
from raftsim.core.messages import Message
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.core.settings import Settings
from tests.core.host import PLAIN, Host, Time, command, log_of, terms_of

__all__ = ["PLAIN", "Cluster", "Host", "Time", "command", "log_of", "terms_of"]


class Cluster:
    """Servers named `ids`; `logs` gives the terms of a server's entries from index 2 on, `term` what all have seen."""

    def __init__(
        self,
        *ids: str,
        logs: Mapping[str, Sequence[int]] | None = None,
        term: int = 0,
        settings: Settings | None = None,
        slow_disk: bool = False,
        config: Config | None = None,
    ) -> None:
        self.time = Time()
        self.config = config or of(*ids)
        self.net: list[Message] = []
        self.down: set[str] = set()  # neither send nor receive
        self.blocked: set[tuple[str, str]] = set()  # (src, dst): lost on this way
        self.hosts = {
            id: Host(
                id,
                log_of(self.config, *(logs or {}).get(id, ())),
                hard=HardState(term),
                settings=settings,
                time=self.time,
                slow_disk=slow_disk,
            )
            for id in ids
        }

    def __getitem__(self, id: str) -> Host:
        return self.hosts[id]

    def raft(self, id: str) -> Raft:
        return self.hosts[id].raft

    def collect(self) -> list[Message]:
        """What left any server since the last call is on its way now; all that is on its way."""
        for host in self.hosts.values():
            self.net += [message for message in host.take() if host.id not in self.down]
        return self.net

    def deliver(self, wanted: Callable[[Message], bool] = lambda _: True) -> int:
        """Hand over what is on its way now and `wanted`; the rest stays. Returns how many were handed over."""
        going = [message for message in self.collect() if wanted(message)]
        self.net = [message for message in self.net if not wanted(message)]
        for message in going:
            if message.dst in self.down or message.dst not in self.hosts or (message.src, message.dst) in self.blocked:
                continue
            self.hosts[message.dst].receive(message)
        return len(going)

    def run(self) -> int:
        """Deliver until it is quiet. Returns how many messages that took."""
        total = 0
        while count := self.deliver():
            total += count
            assert total < 10_000, "it never gets quiet"
        return total

    def elect(self, id: str) -> Host:
        """Nobody hears of a leader for an election timeout, then the timer of `id` fires and everybody answers."""
        host = self.hosts[id]
        self.time.now += host.settings.election_timeout_max_s
        host.time_out()
        self.run()
        assert host.raft.role == LEADER, (id, host.raft.role)
        return host

    def beat(self, leader: str) -> None:
        """One heartbeat round."""
        self.hosts[leader].time_out()
        self.run()
