"""A cluster of live servers in one loop, on real sockets and real files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from raftsim.core.config import Server, initial
from raftsim.core.entry import bootstrapped
from raftsim.core.settings import Settings
from raftsim.live.server import LiveServer
from raftsim.machine.sessions import Sessions
from raftsim.machine.variables import Variables, put_command
from raftsim.node.requests import OK, Command, Outcome, Query
from raftsim.node.settings import NodeSettings
from raftsim.storage.datadir import DataDir
from tests.live.helpers import eventually, info_of

SETTINGS = Settings(election_timeout_min_s=0.3, election_timeout_max_s=0.6, heartbeat_interval_s=0.05)
NODE_SETTINGS = NodeSettings(leader_wait_s=10.0)


class Cluster:
    """Servers n1, n2, ...; `settings` and `node_settings` are those of whoever is made next."""

    def __init__(self, path: Path, ports: list[int]) -> None:
        self.settings = SETTINGS
        self.node_settings = NODE_SETTINGS
        self.path = path
        self.ports = {f"n{i}": port for i, port in enumerate(ports, 1)}
        self.servers: dict[str, LiveServer] = {}
        self.data: dict[str, DataDir] = {}
        self.machines: dict[str, Variables] = {}
        self.failures: list[tuple[str, str]] = []
        self.events: list[str] = []

    def make(self, id: str) -> LiveServer:
        port = self.ports[id]
        data = self.data[id] = DataDir.open(self.path / id, cluster_id="c", server_id=id)
        members = [Server(member, f"127.0.0.1:{port}") for member, port in self.ports.items()]
        data.bootstrap(bootstrapped(initial(members)))
        self.machines[id] = Variables()
        return LiveServer(
            info=info_of(id, port),
            cluster_id="c",
            data=data,
            listen=("127.0.0.1", port),
            machine=Sessions(self.machines[id]),
            settings=self.settings,
            node_settings=self.node_settings,
            on_failure=lambda message: self.failures.append((id, message)),
            seed=port,
            faults=True,
            observer=lambda kind, _subject: self.events.append(f"{id} {kind}"),
        )

    async def start(self, *ids: str) -> None:
        for id in ids or self.ports:
            self.servers[id] = self.make(id)
            await self.servers[id].start()

    async def stop(self, *ids: str) -> None:
        for id in ids or list(self.servers):
            await self.servers.pop(id).stop()

    async def leader(self, *besides: str) -> str:
        def ready() -> list[str]:
            return [id for id, server in self.servers.items() if id not in besides and server.status()["ready"]]

        await eventually(ready, "a leader is ready")
        return ready()[0]

    async def put(self, at: str, path: str) -> Outcome:
        return await self.servers[at].call(Command(put_command("default", path, {"key": path}, None, 1)))

    async def agreed(self) -> None:
        def states() -> set[tuple[int, str | None]]:
            return {
                (status["applied_index"], status["leader"]) for status in map(LiveServer.status, self.servers.values())
            }

        await eventually(lambda: len(states()) == 1, "all servers applied the same")
        assert len({self.machines[id].digest() for id in self.servers}) == 1


async def read(server: LiveServer, path: str, *, stale: bool) -> Any:
    outcome = await server.call(Query(("get", "default", path), stale))
    assert outcome.kind == OK, outcome
    return outcome.value["variable"] and outcome.value["variable"]["Items"]["key"]
