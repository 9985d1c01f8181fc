"""Who is there: failure detection over the links between servers, in place of gossip.

Every server tells all members that it lives, every PING_INTERVAL_S, whatever else it has to say: followers have nothing
else to say to each other. Nobody decides anything by this; it is what an operator sees of the members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from raftsim.core.raft import Raft
from raftsim.node.ports import Network, PeerInfo, Ping

PING_INTERVAL_S: Final = 1.0
SILENCE_S: Final = 3.0  # who is silent for longer has failed

ALIVE: Final = "alive"
FAILED: Final = "failed"  # a member that is not heard
LEFT: Final = "left"  # one that was a member, and is not heard


class Presence:
    """`seen` maps an address to what the server there said of itself when a link was made last."""

    def __init__(self, mine: PeerInfo, raft: Raft, seen: Mapping[str, PeerInfo]) -> None:
        self._mine = mine
        self._raft = raft
        self._seen = seen
        self._heard: dict[str, float] = {}  # when each server was heard last, by id

    def heard(self, id: str, now: float) -> None:
        """Anything came from this server."""
        self._heard[id] = now

    def gone(self, id: str) -> None:
        """There is no such process any more; if there is one again it will be heard."""
        self._heard.pop(id, None)

    def ping(self, network: Network, peers: Mapping[str, str], now: float) -> None:
        """Tell `peers` (by their ids) that this server lives, and forget who was silent for too long."""
        self._heard = {id: last for id, last in self._heard.items() if now - last <= SILENCE_S}
        for id in peers:
            network.send(Ping(self._mine.id, id))

    def members(self, now: float) -> list[dict[str, Any]]:
        """All members, this server, and those it met that are members no more, by name and address.

        [{"id", "address": str, "name": str or None, "raft_protocol": int or None (both for one never met),
        "datacenter", "build": str ("" for such a one), "nonvoter": bool, "status": "alive" | "failed" | "left"}]
        """
        config = self._raft.config
        found = {server.address: (server.id, FAILED) for server in config.servers}
        found |= {address: (info.id, LEFT) for address, info in self._seen.items() if address not in found}
        members = []
        for address, (id, otherwise) in found.items():
            info = self._seen.get(address)
            alive = id == self._mine.id or now - self._heard.get(id, float("-inf")) <= SILENCE_S
            members.append(
                {
                    "id": id,
                    "address": address,
                    "name": info.name if info else None,
                    "raft_protocol": info.raft_protocol if info else None,
                    "datacenter": info.datacenter if info else "",
                    "build": info.build if info else "",
                    "nonvoter": id in config.learners,
                    "status": ALIVE if alive else otherwise,
                }
            )
        return sorted(members, key=lambda member: (member["name"] or "", member["address"]))
