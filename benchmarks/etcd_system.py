"""etcd over its JSON gateway or gRPC, which share a port. Its writes are durable by default."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grpcbytes import field
from benchmarks.processes import Processes, ask
from benchmarks.systems import GRPC, HTTP, SERVERS, Server, http_request, value, wait_for
from raftsim.agent.addresses import free_ports

_URL = "http://127.0.0.1:{}"


@dataclass(frozen=True, slots=True)
class Etcd:
    name: str = "etcd JSON"
    heartbeat_ms: int = 100
    election_ms: int = 1000
    protocol: str = HTTP  # or GRPC

    def missing(self) -> str | None:
        return None if shutil.which("etcd") else "there is no etcd in PATH (Debian: etcd-server)"

    def start(self, directory: Path, servers: int = SERVERS) -> EtcdCluster:
        ports = free_ports("127.0.0.1", 2 * servers)
        made = [Server(f"e{number}", port) for number, port in enumerate(ports[:servers], start=1)]
        peer_urls = {server.name: _URL.format(port) for server, port in zip(made, ports[servers:], strict=True)}
        commands = {server.name: self._command(server, peer_urls, directory) for server in made}
        cluster = EtcdCluster(made, Processes(directory, commands), self.protocol)
        try:
            cluster.processes.start_all()
            cluster.leader()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def _command(self, server: Server, peer_urls: dict[str, str], directory: Path) -> list[str]:
        client_url = _URL.format(server.port)
        options = {
            "name": server.name,
            "data-dir": str(directory / server.name),
            "listen-client-urls": client_url,
            "advertise-client-urls": client_url,
            "listen-peer-urls": peer_urls[server.name],
            "initial-advertise-peer-urls": peer_urls[server.name],
            "initial-cluster": ",".join(f"{name}={url}" for name, url in peer_urls.items()),
            "initial-cluster-token": directory.name,
            "heartbeat-interval": str(self.heartbeat_ms),
            "election-timeout": str(self.election_ms),
            "logger": "zap",
            "log-level": "error",
        }
        return ["etcd", *(f"--{name}={value}" for name, value in options.items())]


class EtcdCluster:
    def __init__(self, servers: list[Server], processes: Processes, protocol: str) -> None:
        self.servers = servers
        self.processes = processes
        self.protocol = protocol

    def leader(self) -> Server:
        return wait_for(self._find_leader, "etcd: no leader")

    def _find_leader(self) -> Server | None:
        for server in self.servers:
            said = ask(server.port, "POST", "/v3/maintenance/status", "{}")
            if said and said.get("leader", "0") == said["header"]["member_id"]:
                return server
        return None

    def put_request(self, server: Server, number: int) -> bytes:
        key, text = f"bench/{number}".encode(), value(number).encode()
        if self.protocol == GRPC:
            return field(1, key) + field(2, text)  # etcdserverpb.PutRequest
        body = {"key": base64.b64encode(key).decode(), "value": base64.b64encode(text).decode()}
        return http_request("POST", "/v3/kv/put", server.port, json.dumps(body, separators=(",", ":")).encode())

    def pid(self, server: Server) -> int:
        return self.processes.pid(server.name)

    def kill(self, server: Server) -> None:
        self.processes.kill(server.name)

    def restart(self, server: Server) -> None:
        self.processes.start(server.name)

    def stop(self) -> None:
        self.processes.stop()
