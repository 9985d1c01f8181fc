"""Why things are as they are, computed from the state alone; for status(), so for people."""

from __future__ import annotations

from typing import Any

from raftsim.core.output import LEADER
from raftsim.core.progress import counted
from raftsim.core.raft import Raft


def reasons(raft: Raft, now: float) -> dict[str, Any]:
    """What the functions below say, by their names; what only a leader knows is empty on the others."""
    leading = raft.role == LEADER
    return {
        "last_election": _last_election(raft),
        "uncommitted": _uncommitted(raft) if leading else None,
        "change_waits": _change_waits(raft) if leading else None,
        "cannot_lead": _cannot_lead(raft, now) if leading else {},
        "memory": _memory(raft),
    }


def _last_election(raft: Raft) -> dict[str, Any] | None:
    """The last election this server stood for: who granted, who refused and why, who was not heard."""
    if raft.last_election is None:
        return None
    term, pre = raft.last_election
    voters = {*raft.config.voters, *raft.config.outgoing}
    granted = {id for id, vote in raft.votes.items() if vote}
    refused = {id: reason for id, reason in sorted(raft.refusals.items()) if id not in granted}
    silent = sorted(voters - granted - refused.keys() - {raft.id})
    return {"term": term, "pre_vote": pre, "granted": sorted(granted), "refused": refused, "silent": silent}


def _uncommitted(raft: Raft) -> dict[str, Any] | None:
    """The entries that wait, and the voters whose durable copy of the first of them is missing."""
    if raft.log.last_index == raft.commit:
        return None
    copies = {id: progress.match for id, progress in counted(raft.progress)} | {raft.id: raft.durable.index}
    voters = sorted({*raft.config.voters, *raft.config.outgoing})
    missing = [id for id in voters if copies.get(id, 0) <= raft.commit]
    return {"first": raft.commit + 1, "last": raft.log.last_index, "missing": missing}


def _change_waits(raft: Raft) -> str | None:
    """What is in the way of a membership change; None if nothing is."""
    if raft.transfer_target is not None:
        return f"leadership is being handed to {raft.transfer_target}"
    if not raft.ready:
        return f"no entry of term {raft.term} is committed yet"
    if raft.config_index > raft.commit:
        return f"the configuration at index {raft.config_index} is not committed yet"
    if raft.config.joint:
        return f"the joint configuration at index {raft.config_index} is not left yet"
    return None


def _cannot_lead(raft: Raft, now: float) -> dict[str, str]:
    """The other members that could not be elected now, each with the reason."""
    found = {}
    for id, progress in raft.progress.items():
        silent_s = now - progress.contact
        if progress.stranger or id in raft.config.returning:
            found[id] = "it came back without its data, and has no vote until it has caught up"
        elif not raft.config.is_voter(id):
            found[id] = "it has no vote"
        elif silent_s > raft.settings.election_timeout_max_s:
            found[id] = f"it was last heard {silent_s:.1f} s ago"
        elif not progress.match:
            found[id] = "it has not answered this leader yet"
        elif progress.match < raft.commit:
            found[id] = f"its log lacks {raft.commit - progress.match} committed entries"
    return found


def _memory(raft: Raft) -> dict[str, Any] | None:
    """Whom this server has yet to meet to be a founder, and who knows of a past that it has lost; None: all is well."""
    founding = raft.founding
    if founding.founder or not founding.asks or raft.config.has_vote(raft.id, founding.incarnation):
        return None
    missing = [id for id in founding.asks if id not in founding.vouched | founding.refused]
    return {"not_met": missing, "lost_since_met_by": sorted(founding.refused)}
