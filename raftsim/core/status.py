"""What an operator may ask of the protocol, as plain data."""

from __future__ import annotations

from math import isfinite
from typing import Any

from raftsim.core.output import LEADER
from raftsim.core.raft import Raft


def status(raft: Raft, now: float) -> dict[str, Any]:
    """The protocol's part of /v1/raftsim/status; times in seconds ago, None for never."""
    leading = raft.role == LEADER
    contact = 0.0 if leading else now - raft.leader_contact
    return {
        "id": raft.id,
        "role": raft.role,
        "term": raft.term,
        "vote": raft.vote,
        "leader": raft.leader,
        "leader_address": raft.config.address(raft.leader or "") or "",
        "ready": raft.ready,
        "commit_index": raft.commit,
        "last_log_index": raft.log.last_index,
        "last_log_term": raft.log.last_term,
        "snapshot_index": raft.snapshot.index if raft.snapshot else 0,
        "snapshot_term": raft.snapshot.term if raft.snapshot else 0,
        "last_contact_s": contact if isfinite(contact) else None,
        "configuration": {
            "index": raft.config_index,
            "committed": raft.config_index <= raft.commit,
            "servers": [
                {
                    "id": server.id,
                    "address": server.address,
                    "voter": server.id in raft.config.voters,
                    "returning": server.id in raft.config.returning,
                }
                for server in raft.config.servers
            ],
        },
        "followers": [
            {
                "id": id,
                "match_index": progress.match,
                "next_index": progress.next,
                "state": progress.state,
                "last_contact_s": now - progress.contact,
            }
            for id, progress in raft.progress.items()
        ],
    }
