"""Traps for bugs of elections that the scenario language cannot set."""

from __future__ import annotations

from typing import Final

from raftsim.core.settings import Settings
from raftsim.scenario.report import LIVENESS
from raftsim.sim.delays import Uniform
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import demand

CLUSTERS: Final = 12
PATIENCE_S: Final = 60.0


def ties(seed: int) -> None:
    """Clusters of two, whose timeouts differ by less than a message takes as often as not. Each must elect a leader:
    a tie is broken in one of the next elections, for then the timeouts are others.
    """
    settings = Settings(election_timeout_max_s=0.51, pre_vote=False)
    for cluster in range(CLUSTERS):
        world = World(2, seed=seed * CLUSTERS + cluster, settings=settings, network=NetworkModel(Uniform(0.004, 0.004)))
        elected = world.run_until(lambda world=world: world.leader() is not None, PATIENCE_S)  # type: ignore[misc]
        demand(world, elected, LIVENESS, f"two servers have elected nobody in {PATIENCE_S:.0f} s")
