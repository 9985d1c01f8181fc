"""How the servers are, as their leader sees it: what Nomad's autopilot calls healthy, stable and dead.

Nomad asks every server for its numbers and a gossip for who is alive; here the leader knows both from replication. When
a server was heard last, and how far its log agrees, is at most a heartbeat old.
"""

from __future__ import annotations

from dataclasses import dataclass

from raftsim.core.raft import Raft
from raftsim.machine.autopilot import AutopilotConfig


@dataclass(slots=True)
class Health:
    """One server at one moment. `trouble`: why it is not healthy, a sentence about "it"; "" if it is.

    `since`, `since_ns`: from when on it has been healthy, or not, by the clock for decisions and that for people.
    """

    id: str
    voter: bool
    alive: bool
    contact_s: float
    last_term: int
    last_index: int
    trouble: str
    since: float = 0.0
    since_ns: int = 0


def health(raft: Raft, id: str, config: AutopilotConfig, dead_after_s: float, now: float) -> Health:
    """Of member `id`; `raft` leads. A new leader gives everyone the benefit of the doubt (see Progress.contact)."""
    contact_s, match = 0.0, raft.log.last_index
    if id != raft.id:
        progress = raft.progress[id]
        contact_s, match = max(now - progress.contact, 0.0), progress.match
    alive = id == raft.id or contact_s < dead_after_s
    last_term = raft.log.term_at(match) or 0
    trouble = _trouble(raft, config, contact_s, last_term, match)
    if not alive:
        trouble = f"it was last heard {contact_s:.1f} s ago"
    return Health(id, id in raft.config.voters, alive, contact_s, last_term, match, trouble)


def _trouble(raft: Raft, config: AutopilotConfig, contact_s: float, last_term: int, match: int) -> str:
    threshold_s = config.last_contact_threshold_ns / 1e9
    behind = raft.log.last_index - match
    if contact_s > threshold_s:
        return f"it was last heard {contact_s:.3f} s ago, and LastContactThreshold is {threshold_s:g} s"
    if last_term != raft.log.last_term:
        return f"its log ends in term {last_term}, and the leader's in term {raft.log.last_term}"
    if behind > config.max_trailing_logs:
        return f"it is {behind} entries behind, and MaxTrailingLogs is {config.max_trailing_logs}"
    return ""


def tolerance(servers: list[Health]) -> int:
    """How many healthy voters may fail before there is no majority of healthy ones."""
    voters = [server for server in servers if server.voter]
    healthy = sum(1 for server in voters if not server.trouble)
    return max(healthy - (len(voters) // 2 + 1), 0)
