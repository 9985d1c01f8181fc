"""The operator's view of the membership, and the change an operator may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raftsim.core.config import REMOVE, Change, Config, Server
from raftsim.core.raft import Raft
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import (
    LAST_VOTER,
    NOT_FOUND,
    REFUSED,
    ChangeMembership,
    Outcome,
    RemovePeer,
    TransferLeadership,
)


def membership(raft: Raft, seen: Mapping[str, PeerInfo]) -> dict[str, Any]:
    """The value of ReadMembership; `seen` maps an address to what the server there said of itself."""
    leader = raft.config.address(raft.leader or "") or ""
    return {
        "index": raft.config_index,
        "committed": raft.config_index <= raft.commit,
        "leader": leader,
        "servers": [
            {
                "id": server.id,
                "address": server.address,
                "name": seen[server.address].name if server.address in seen else None,
                "raft_protocol": seen[server.address].raft_protocol if server.address in seen else None,
                "leader": server.address == leader,
                "voter": server.id in raft.config.voters,
                "returning": server.id in raft.config.returning,
            }
            for server in raft.config.servers
        ],
    }


def named(config: Config, request: RemovePeer | TransferLeadership) -> Server | Outcome:
    """The member that `request` speaks of."""
    found = next((s for s in config.servers if request.id == s.id or request.address == s.address), None)
    if found is not None:
        return found
    wanted = {"id": request.id} if request.id is not None else {"address": request.address}
    return Outcome(REFUSED, reason=NOT_FOUND, detail=wanted)


def changes(config: Config, request: RemovePeer | ChangeMembership) -> list[Change] | Outcome:
    """The changes that `request` means in `config`, or why they cannot be. A member may be named by its address."""
    if isinstance(request, RemovePeer):
        change = removal(config, request)
        return change if isinstance(change, Outcome) else [change]
    found = []
    for op, id, address in request.changes:
        if not id:
            id = next((server.id for server in config.servers if server.address == address), "")
            if not id:
                return Outcome(REFUSED, reason=NOT_FOUND, detail={"address": address})
        found.append(Change(op, id, address))
    return found


def removal(config: Config, request: RemovePeer) -> Change | Outcome:
    found = named(config, request)
    if isinstance(found, Outcome):
        return found
    if config.voters == (found.id,):
        rest = [[s.id, s.address] for s in config.servers if s.id != found.id]
        return Outcome(REFUSED, reason=LAST_VOTER, detail=rest)
    return Change(REMOVE, found.id)
