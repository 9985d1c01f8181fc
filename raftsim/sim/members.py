"""Who the servers of a simulated cluster are: names, ids and addresses, as on a real machine."""

from __future__ import annotations

from random import Random
from uuid import UUID

from raftsim.core.entry import INCARNATIONS
from raftsim.node.ports import PeerInfo

FIRST_PORT = 4647
PORT_STEP = 10


class Members:
    """`infos` by name, `names` by id: of the first servers, and of those that were added."""

    def __init__(self, seed: int, raft_protocol: int) -> None:
        self.infos: dict[str, PeerInfo] = {}
        self.names: dict[str, str] = {}
        self._rng = Random(f"{seed}/ids")
        self._incarnations = Random(f"{seed}/incarnations")
        self._raft_protocol = raft_protocol

    def add(self, name: str) -> PeerInfo:
        """In raft protocol 2 a server's id is its address, in 3 a UUID drawn from the seed."""
        if name in self.infos:
            raise ValueError(f"there is a server {name} already")
        address = f"127.0.0.1:{FIRST_PORT + PORT_STEP * len(self.infos)}"
        uuid = self._raft_protocol == 3
        id = str(UUID(int=self._rng.getrandbits(128), version=4)) if uuid else address
        info = self.infos[name] = PeerInfo(id, f"{name}.global", address, self._raft_protocol)
        self.names[id] = name
        return info

    def new_incarnation(self) -> int:
        """The number of a store that is begun."""
        return self._incarnations.randrange(1, INCARNATIONS)
