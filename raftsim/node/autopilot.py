"""Nomad's autopilot: the leader looks at its servers, gives votes to those that are stable, and removes the dead.

It does nothing that an operator could not do: each step is one ordinary membership change, and the next one is thought
of when that is over. Invariants: it never asks for a removal after which the voters that are healthy would be no
majority, nor while more voters are dead than a cluster of that size can bear (B65); a vote is given under the core's
own rule of catching up. What it has seen ends with the term: a new leader begins to count anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from raftsim.core.config import REMOVE, VOTER, Config
from raftsim.core.output import LEADER
from raftsim.core.raft import Raft
from raftsim.machine.autopilot import AutopilotConfig, WithAutopilot
from raftsim.node.health import Health, health, tolerance
from raftsim.node.ports import Clock, PeerInfo
from raftsim.node.requests import OK, ChangeMembership, Outcome, Request
from raftsim.node.settings import NodeSettings

EVERY_S: Final = 2.0  # it looks, as Nomad does

Ask = Callable[[Request, Callable[[Outcome], None]], None]


@dataclass(slots=True)
class Wish:
    """What it would do with a server: make it a VOTER, or REMOVE it. `held_back`: why not yet; "": it may be done."""

    id: str
    op: str
    held_back: str


class Autopilot:
    """`ask` puts a request to this server; `seen` is who was met, by address."""

    def __init__(
        self,
        raft: Raft,
        machine: WithAutopilot,
        clock: Clock,
        seen: Mapping[str, PeerInfo],
        settings: NodeSettings,
        ask: Ask,
    ) -> None:
        self._raft = raft
        self._machine = machine
        self._clock = clock
        self._seen = seen
        self._settings = settings
        self._ask = ask
        self._term = -1  # in which all of the following was seen
        self._next = 0.0
        self._servers: dict[str, Health] = {}  # by id, in the order of the configuration
        self._wishes: list[Wish] = []
        self._doing: Wish | None = None

    def look(self, now: float) -> None:
        """Call in every turn: a leader's heartbeats bring turns often enough."""
        if not self._raft.ready:
            return
        if self._term != self._raft.term:
            self._forget()
        elif now < self._next:
            return
        slept = self._next > 0 and now > self._next + self._settings.dead_after_s / 2
        self._next = now + EVERY_S
        if slept:
            return  # it was stopped, and so has heard nobody: that is no sign of anybody's death
        config = self._machine.config
        self._servers = self._healths(config, now)
        self._wishes = wishes(self._raft.config, config, self._servers, now)
        if self._settings.autopilot and self._doing is None and self._raft.open_to_change:
            self._act()

    def _forget(self) -> None:
        self._term, self._servers, self._wishes, self._doing = self._raft.term, {}, [], None
        self._next = 0.0

    def _healths(self, config: AutopilotConfig, now: float) -> dict[str, Health]:
        found = {}
        for id in self._raft.config.members():
            new, old = health(self._raft, id, config, self._settings.dead_after_s, now), self._servers.get(id)
            if old is None or bool(old.trouble) != bool(new.trouble):
                new.since, new.since_ns = now, self._clock.wall_ns()
            else:
                new.since, new.since_ns = old.since, old.since_ns
            found[id] = new
        return found

    def _act(self) -> None:
        """The first wish that may be fulfilled and that the core does not refuse at once."""
        for wish in self._wishes:
            if not wish.held_back:
                self._doing = wish
                self._ask(ChangeMembership(((wish.op, wish.id, ""),)), partial(self._done, wish))
            if self._doing is not None:
                return

    def _done(self, wish: Wish, outcome: Outcome) -> None:
        if outcome.kind != OK:
            wish.held_back = str(outcome.detail or outcome.reason)
        if self._doing is wish:
            self._doing = None

    def view(self) -> dict[str, Any] | None:
        """Plain data for status(), as of the last look; None on a server that does not lead.

        {"acts": bool, "healthy": bool, "failure_tolerance": int, "voters": [id, ...] by trust, "servers": [{"id",
        "address": str, "name": str or None, "leader", "voter", "alive", "healthy": bool, "trouble": str,
        "last_contact_s": float, "last_term", "last_index", "stable_since_ns": int}], "wishes": [{"id": str, "does":
        "promote" or "remove", "held_back": str}]}
        """
        if self._raft.role != LEADER:
            return None
        servers = list(self._servers.values()) if self._term == self._raft.term else []
        voters = sorted(
            (server for server in servers if server.voter),
            key=lambda server: (server.id != self._raft.id, bool(server.trouble), server.since_ns, server.id),
        )
        return {
            "acts": self._settings.autopilot,
            "healthy": bool(servers) and not any(server.trouble for server in servers),
            "failure_tolerance": tolerance(servers),
            "voters": [server.id for server in voters],
            "servers": [self._server(server) for server in servers],
            "wishes": [
                {"id": wish.id, "does": "promote" if wish.op == VOTER else "remove", "held_back": wish.held_back}
                for wish in (self._wishes if servers else [])
            ],
        }

    def _server(self, server: Health) -> dict[str, Any]:
        address = self._raft.config.address(server.id) or ""
        return {
            "id": server.id,
            "address": address,
            "name": self._seen[address].name if address in self._seen else None,
            "leader": server.id == self._raft.id,
            "voter": server.voter,
            "alive": server.alive,
            "healthy": not server.trouble,
            "trouble": server.trouble,
            "last_contact_s": server.contact_s,
            "last_term": server.last_term,
            "last_index": server.last_index,
            "stable_since_ns": server.since_ns,
        }


def wishes(members: Config, config: AutopilotConfig, servers: Mapping[str, Health], now: float) -> list[Wish]:
    """What there is to do, in this order: votes for the living, removal of dead non-voters, then of dead voters."""
    learners = [server for server in servers.values() if server.id in members.learners]
    dead = [server for server in learners if not server.alive]
    dead += [server for server in servers.values() if server.voter and not server.alive]
    # Who came back without its data gets its vote from the core, which took it.
    waiting = [server for server in learners if server.alive and server.id not in members.returning]
    found = [Wish(server.id, VOTER, _not_stable(server, config, now)) for server in waiting]
    return found + [Wish(server.id, REMOVE, _still_needed(server, config, servers)) for server in dead]


def _not_stable(server: Health, config: AutopilotConfig, now: float) -> str:
    wanted_s, healthy_s = config.server_stabilization_time_ns / 1e9, now - server.since
    if server.trouble:
        return server.trouble
    if healthy_s < wanted_s:
        return f"it has been healthy for {healthy_s:.1f} s, and ServerStabilizationTime is {wanted_s:g} s"
    return ""


def _still_needed(server: Health, config: AutopilotConfig, servers: Mapping[str, Health]) -> str:
    """Why a dead server must stay."""
    voters = [other for other in servers.values() if other.voter]
    rest = len(voters if server.voter else servers) - 1
    if not config.cleanup_dead_servers:
        return "CleanupDeadServers is false"
    if rest < config.min_quorum:
        return f"MinQuorum is {config.min_quorum}, and {rest} would remain"
    return _quorum_at_risk(voters) if server.voter else ""


def _quorum_at_risk(voters: list[Health]) -> str:
    """Why none of these voters must be removed, though some of them are dead."""
    bearable, rest = (len(voters) - 1) // 2, len(voters) - 1
    dead = sum(1 for voter in voters if not voter.alive)
    healthy = sum(1 for voter in voters if not voter.trouble)
    if dead > bearable:
        return f"{dead} of {len(voters)} voters are dead, and no more than {bearable} may be removed"
    if healthy <= rest // 2:
        return f"of the {rest} voters that would remain {healthy} are healthy, which is no majority"
    return ""
