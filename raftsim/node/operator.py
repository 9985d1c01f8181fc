"""The operator's view of the membership, and the change an operator may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raftsim.core.config import REMOVE, Change, Config, Server
from raftsim.core.raft import Raft
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import LAST_VOTER, NOT_FOUND, REFUSED, Outcome, RemovePeer, TransferLeadership


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


def removal(config: Config, request: RemovePeer) -> Change | Outcome:
    """The change that `request` means in `config`, or why it cannot be."""
    found = named(config, request)
    if isinstance(found, Outcome):
        return found
    if config.voters == (found.id,):
        rest = [[s.id, s.address] for s in config.servers if s.id != found.id]
        return Outcome(REFUSED, reason=LAST_VOTER, detail=rest)
    return Change(REMOVE, found.id)
