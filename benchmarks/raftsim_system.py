"""raftsim to agents as `raftsim cluster start` runs them: over HTTP, `PUT /v1/var/...`, or over the client protocol."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.systems import FRAMES, HTTP, SERVERS, START_TIMEOUT_S, BenchmarkError, Server, http_request, value
from raftsim.agent.schema import check_layer
from raftsim.cluster.errors import ClusterError
from raftsim.cluster.local import LEADER, LocalCluster
from raftsim.cluster.plan import ClusterSpec, NodePlan
from raftsim.machine.variables import put_command
from raftsim.node.requests import Command
from raftsim.wire.clients import encode_request

DEFAULTS = ClusterSpec(http_port=0, rpc_port=0)


@dataclass(frozen=True, slots=True)
class Raftsim:
    """`extra`: further keys of the `raftsim` block of the agents' configuration."""

    name: str = "raftsim HTTP"
    spec: ClusterSpec = DEFAULTS
    extra: tuple[tuple[str, Any], ...] = ()
    protocol: str = HTTP

    def missing(self) -> str | None:
        unknown = check_layer("configuration", {"raftsim": dict(self.extra)}).warnings
        return "; ".join(unknown) or None

    def start(self, directory: Path, servers: int = SERVERS) -> RaftsimCluster:
        try:
            local = LocalCluster.create(directory / "cluster", replace(self.spec, nodes=servers), tied=True)
            for node in local.nodes.values():
                config = local.plan.agent_config(node.plan)
                node.write_config(config | {"raftsim": config["raftsim"] | dict(self.extra)})
            local.start()
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None
        cluster = RaftsimCluster(local, self.protocol)
        try:
            cluster.leader()
        except BaseException:
            cluster.stop()
            raise
        return cluster


class RaftsimCluster:
    def __init__(self, local: LocalCluster, protocol: str) -> None:
        self.local = local
        self.protocol = protocol
        self.servers = [Server(node.name, self._port(node)) for node in local.plan.nodes]

    def _port(self, node: NodePlan) -> int:
        return node.http_port if self.protocol == HTTP else node.rpc_port

    def leader(self) -> Server:
        found = self.local.await_leader(START_TIMEOUT_S)
        if found is None or found.role != LEADER:
            raise BenchmarkError("raftsim: no leader")
        return next(server for server in self.servers if server.name == found.name)

    def put_request(self, server: Server, number: int) -> bytes:
        if self.protocol == FRAMES:
            put = put_command("default", f"bench/{number}", {"value": value(number)}, None, time.time_ns())
            return encode_request(number, Command(put))
        body = json.dumps({"Items": {"value": value(number)}}, separators=(",", ":")).encode()
        return http_request("PUT", f"/v1/var/bench/{number}", server.port, body)

    def pid(self, server: Server) -> int:
        process = self.local.nodes[server.name].process()
        assert process is not None
        return process.pid

    def kill(self, server: Server) -> None:
        self.local.nodes[server.name].signal(signal.SIGKILL)

    def restart(self, server: Server) -> None:
        try:
            self.local.restart(server.name)
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None

    def stop(self) -> None:
        for node in self.local.nodes.values():
            node.kill()
