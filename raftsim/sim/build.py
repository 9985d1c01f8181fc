"""What a simulated server is made of, beside itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from raftsim.core.settings import Settings
from raftsim.machine.base import Machine
from raftsim.node.settings import NodeSettings
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import Network
from raftsim.sim.timeline import Timeline
from raftsim.trace.events import Event

Observer = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Build:
    """What all servers of a world have in common."""

    settings: Settings
    node_settings: NodeSettings
    machine: Callable[[], Machine]
    disk: DiskModel
    seed: int
    listeners: Mapping[str, list[Observer]]  # by kind of event
    timeline: Timeline
    network: Network
