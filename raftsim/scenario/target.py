"""What a world must offer for scenarios to run in it. The two worlds are `SimTarget` and `LiveTarget`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from raftsim.node.requests import Outcome, RemovePeer, TransferLeadership
from raftsim.scenario.view import Status

if TYPE_CHECKING:
    from raftsim.scenario.sim_faults import SimFaults


class InvariantBroken(Exception):
    """A judge found the protocol broken; the message is its sentence."""

    def __init__(self, invariant: str, sentence: str) -> None:
        super().__init__(sentence)
        self.invariant = invariant


class TargetError(Exception):
    """The cluster cannot be started, reached or broken as asked; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class WriteVariable:
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class ReadVariable:
    """Linearizable. ok value: {"variable": {"Items": {"value": str}, ...} or None}."""

    path: str


@dataclass(frozen=True, slots=True)
class ChangeServers:
    """A ChangeMembership that speaks of servers by name: (op, name)."""

    changes: tuple[tuple[str, str], ...]


Ask = WriteVariable | ReadVariable | RemovePeer | ChangeServers | TransferLeadership

ITEM = "value"  # the one item of every variable a scenario writes


class Ticket(Protocol):
    @property
    def outcome(self) -> Outcome | None:
        """None until the request has ended."""


class Target(Protocol):
    """A running cluster. Servers are called by name; `ids` has their Raft ids."""

    names: tuple[str, ...]
    ids: Mapping[str, str]
    slack: float  # what the bound of every wait is multiplied by
    faults: SimFaults | None  # what only a simulated world can do to itself

    def now(self) -> float:
        """Seconds of scenario time since the start."""

    def statuses(self) -> Mapping[str, Status | None]:
        """Every server's status document, None for one that does not answer. A server that has nothing new to say
        may be answered for by the very document it gave before."""

    def wait(self, predicate: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until the predicate holds: True, or False after `limit_s` seconds."""

    def is_up(self, name: str) -> bool:
        """Whether the server runs (not: whether it answers)."""

    def crash(self, name: str) -> None: ...

    def restart(self, name: str) -> None: ...

    def isolate(self, names: frozenset[str]) -> None:
        """Cut each of these servers off from all others, both ways, and mend every other cut."""

    def cut_drops(self, name: str) -> int:
        """How many messages to or from this server were lost to cuts so far."""

    def submit(self, name: str, ask: Ask) -> Ticket:
        """Ask server `name` as a client or an operator."""

    def digest(self) -> str | None:
        """A fingerprint of all that happened, where a run can be repeated exactly."""

    def events(self) -> int | None:
        """How many events the world has handled, where that is known."""
