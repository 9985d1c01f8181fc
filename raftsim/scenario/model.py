"""A scenario as a value: what the cluster is like, what is done to it, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings
from raftsim.scenario.conditions import Comparison, Condition
from raftsim.scenario.fault_model import Fault
from raftsim.scenario.selectors import Selector
from raftsim.sim.disk import DiskModel
from raftsim.sim.network import NetworkModel

DEFAULT_WITHIN_S = 10.0  # the bound of every wait that names none


@dataclass(frozen=True, slots=True)
class Cluster:
    """`settings_given`: the keys of `settings` that a file set."""

    names: tuple[str, ...] = ("n1", "n2", "n3")
    zone_of: Mapping[str, str] = field(default_factory=dict)
    raft_protocol: int = 2
    settings: Settings = field(default_factory=Settings)
    node_settings: NodeSettings = field(default_factory=NodeSettings)
    settings_given: tuple[str, ...] = ()

    @property
    def nodes(self) -> int:
        return len(self.names)

    @staticmethod
    def numbered(count: int) -> tuple[str, ...]:
        """The names of servers that are given none."""
        return tuple(f"n{number}" for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Network:
    """What every link is like, and those between (or within) two zones. `given`: the keys a file set."""

    model: NetworkModel = field(default_factory=NetworkModel)
    given: tuple[str, ...] = ()
    zones: Mapping[tuple[str, str], NetworkModel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disks:
    """What every disk is like. `given`: the keys a file set."""

    model: DiskModel = field(default_factory=DiskModel)
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Until:
    condition: Condition
    within_s: float
    bind: str | None


@dataclass(frozen=True, slots=True)
class Run:
    for_s: float
    throughout: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Check:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Crash:
    server: Selector
    bind: str | None


@dataclass(frozen=True, slots=True)
class Restart:
    server: Selector
    within_s: float
    starts: bool  # False: what is on its disk must keep it from starting


@dataclass(frozen=True, slots=True)
class Isolate:
    server: Selector
    bind: str | None


@dataclass(frozen=True, slots=True)
class Heal:
    pass


@dataclass(frozen=True, slots=True)
class Remove:
    server: Selector
    via: Selector
    within_s: float
    bind: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """All in one step: each of these servers gets a vote, loses it, or is no member any more."""

    changes: tuple[tuple[str, Selector], ...]  # an op of core/config.py, and whose membership it changes
    via: Selector
    wait: bool  # False: what becomes of it is not looked at
    within_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Leadership is handed to this server."""

    server: Selector
    via: Selector
    wait: bool
    within_s: float


@dataclass(frozen=True, slots=True)
class Put:
    """`count` writes to `keys` keys by `clients` clients; each key has one writer, so its last value is known."""

    count: int
    keys: int
    clients: int
    via: Selector
    wait: bool  # False: the writes go on while the next steps are taken
    within_s: float
    acked: Comparison  # how many must be acknowledged; looked at only when waited for


@dataclass(frozen=True, slots=True)
class Get:
    """`count` linearizable reads, one `every_s`, whatever became of those before."""

    count: int
    every_s: float
    via: Selector
    wait: bool
    within_s: float
    acked: Comparison


Action = Until | Run | Check | Crash | Restart | Isolate | Heal | Remove | Change | Transfer | Put | Get | Fault


@dataclass(frozen=True, slots=True)
class Step:
    """One action of the story and its line in the file."""

    line: int
    action: Action


@dataclass(frozen=True, slots=True)
class Scenario:
    file: str
    text: str  # what the file says
    name: str
    about: str
    paper: str
    violates: str  # the invariant whose violation this is the way to; "" if it is an ordinary scenario
    cluster: Cluster
    network: Network
    disks: Disks
    steps: tuple[Step, ...]
    expect: tuple[Condition, ...]
