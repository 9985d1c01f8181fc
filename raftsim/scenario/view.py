"""What conditions and selectors may look at: one status document per server, and what the scenario itself did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

Status = Mapping[str, Any]  # what `Node.status` gives and GET /v1/raftsim/status answers

LEADER = "leader"
FOLLOWER = "follower"


@dataclass(slots=True)
class Cast:
    """Who plays which part: names bound by `as`, and which servers the scenario has put out of service."""

    names: tuple[str, ...]
    rng: Random  # draws where a selector leaves a choice
    bound: dict[str, tuple[str, ...]] = field(default_factory=dict)
    crashed: set[str] = field(default_factory=set)
    isolated: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    held: dict[str, int] = field(default_factory=dict)  # by name of a hold: the messages that wait in it

    def in_service(self) -> tuple[str, ...]:
        """The servers an informed client would talk to."""
        out = self.crashed | self.isolated | self.removed | self.paused
        return tuple(name for name in self.names if name not in out)


@dataclass(frozen=True, slots=True)
class View:
    """One look at all servers. `statuses` has every server's name; None stands for one that does not answer."""

    statuses: Mapping[str, Status | None]
    names_by_id: Mapping[str, str]
    cast: Cast

    def leaders(self, without: tuple[str, ...] = ()) -> list[str]:
        """The servers that hold themselves for leader, highest term first."""
        found = [
            (-status["term"], name)
            for name, status in self.statuses.items()
            if status is not None and status["role"] == LEADER and name not in without
        ]
        return [name for _, name in sorted(found)]

    def leader(self) -> str | None:
        """The leader of the highest term there is one in."""
        return next(iter(self.leaders()), None)

    def followers(self) -> list[str]:
        """The servers that follow the leader, as they say themselves."""
        leader = self.leader()
        return [
            name
            for name in self.cast.in_service()
            if leader is not None
            and (status := self.statuses[name]) is not None
            and status["role"] == FOLLOWER
            and self.names_by_id.get(status["leader"]) == leader
        ]

    def members(self, name: str) -> list[str]:
        """The servers in the configuration that server `name` goes by."""
        status = self.statuses[name]
        servers = status["configuration"]["servers"] if status is not None else ()
        return [self.names_by_id[server["id"]] for server in servers if server["id"] in self.names_by_id]

    def is_removed(self, id: str) -> bool:
        """Whether some server goes by a committed configuration without `id`."""
        configurations = [status["configuration"] for status in self.statuses.values() if status is not None]
        return any(
            found["committed"] and all(server["id"] != id for server in found["servers"]) for found in configurations
        )

    def describe(self) -> str:
        """One line for people: every server's role, term and commit index."""
        return "; ".join(
            f"{name} {status['role']} term {status['term']} commit {status['commit_index']}"
            if status is not None
            else f"{name} down"
            for name, status in self.statuses.items()
        )
