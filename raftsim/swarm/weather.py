"""What can happen in one run: each seed has a mix of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings
from raftsim.sim.delays import Delay, Exponential, Normal, Uniform
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel

LITTLE_ROOM_BYTES: Final = 600  # a dozen writes


@dataclass(frozen=True)
class Weather:
    """Probabilities of a step, and the world it falls on."""

    crash: float
    cut: float
    pause: float
    change: float
    transfer: float
    burst: float
    wipe: float
    network: NetworkModel
    disk: DiskModel
    settings: Settings
    node_settings: NodeSettings

    @property
    def protected(self) -> bool:
        """Whether a server that was not told of its removal can disturb nobody (dissertation 4.2.3)."""
        return self.settings.stickiness and (self.settings.pre_vote or self.settings.check_quorum)

    def with_leases(self, drift: float) -> Weather:
        """The same, with lease reads and what they demand."""
        settings = replace(self.settings, lease_reads=True, max_clock_drift=drift, stickiness=True, fast_failover=False)
        return replace(self, settings=settings)

    def with_little_room(self) -> Weather:
        """The same, with leaders that soon refuse what they cannot commit."""
        return replace(self, settings=replace(self.settings, max_uncommitted_bytes=LITTLE_ROOM_BYTES))

    @staticmethod
    def draw(rng: Random) -> Weather:
        delays: list[Delay] = [Uniform(0.0005, 0.002), Normal(0.01, 0.005), Exponential(0.005), Exponential(0.05)]
        return Weather(
            crash=rng.choice([0, 0.05, 0.15]),
            cut=rng.choice([0, 0.05, 0.1]),
            pause=rng.choice([0, 0.05]),
            change=rng.choice([0, 0.05, 0.2]),
            transfer=rng.choice([0, 0.05]),
            burst=rng.choice([0, 0.03]),
            wipe=rng.choice([0, 0.05]),
            network=NetworkModel(
                rng.choice(delays),
                loss=rng.choice([0, 0.02, 0.2]),
                duplicate=rng.choice([0, 0.1]),
                fifo=rng.random() < 0.2,
            ),
            disk=DiskModel(0.0001, rng.choice([0.0005, 0.02]), 0.0001, rng.choice([0.001, 0.5])),
            settings=Settings(
                pre_vote=rng.random() < 0.7,
                check_quorum=rng.random() < 0.7,
                stickiness=rng.random() < 0.7,
                fast_failover=rng.random() < 0.7,
                max_append_entries=rng.choice([1, 3, 1024]),
                max_inflight_appends=rng.choice([1, 64]),
            ).scaled(rng.choice([0.2, 0.4, 1])),
            node_settings=NodeSettings(
                snapshot_threshold_entries=rng.choice([2, 10, 30, 1000]),
                trailing_entries=rng.choice([0, 2, 15]),
                snapshot_chunk_bytes=rng.choice([50, 150, 10_000]),
            ),
        )
