"""A scenario as a value: what the cluster is like, what is done to it, and what must hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from raftsim.core.settings import Settings
from raftsim.scenario.conditions import Comparison, Condition
from raftsim.scenario.selectors import Selector

DEFAULT_WITHIN_S = 10.0  # the bound of every wait that names none


@dataclass(frozen=True, slots=True)
class Cluster:
    nodes: int = 3
    raft_protocol: int = 2
    settings: Settings = field(default_factory=Settings)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))


@dataclass(frozen=True, slots=True)
class Network:
    """What the simulated network does to every message; None: what it does anyway."""

    delay_s: tuple[float, float] | None = None  # drawn evenly between these
    loss: float | None = None
    duplicate: float | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The keys a file set."""
        values = {"delay": self.delay_s, "loss": self.loss, "duplicate": self.duplicate}
        return tuple(key for key, value in values.items() if value is not None)


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
class Put:
    """`count` writes to `keys` keys by `clients` clients; each key has one writer, so its last value is known."""

    count: int
    keys: int
    clients: int
    via: Selector
    wait: bool  # False: the writes go on while the next steps are taken
    within_s: float
    acked: Comparison  # how many must be acknowledged; looked at only when waited for


Action = Until | Run | Check | Crash | Restart | Isolate | Heal | Remove | Put


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
    cluster: Cluster
    network: Network
    steps: tuple[Step, ...]
    expect: tuple[Condition, ...]
