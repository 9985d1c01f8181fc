"""PySyncObj with a journal file, behind the smallest HTTP there is (see pysyncobj_server.py)."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Processes, ask
from benchmarks.systems import HTTP, SERVERS, Server, http_request, value, wait_for
from raftsim.agent.addresses import free_ports


@dataclass(frozen=True, slots=True)
class PySyncObj:
    """`sync`: every entry of the journal is synced (msync) before it counts."""

    name: str
    sync: bool

    def missing(self) -> str | None:
        return None if importlib.util.find_spec("pysyncobj") else "pysyncobj is not installed (pip install pysyncobj)"

    def start(self, directory: Path, servers: int = SERVERS) -> PySyncObjCluster:
        ports = free_ports("127.0.0.1", 2 * servers)
        made = [Server(f"p{number}", port) for number, port in enumerate(ports[:servers], start=1)]
        addresses = [f"127.0.0.1:{port}" for port in ports[servers:]]
        commands = {}
        for server, address in zip(made, addresses, strict=True):
            peers = ",".join(other for other in addresses if other != address)
            journal = directory / f"{server.name}.journal"
            command = [sys.executable, "-m", "benchmarks.pysyncobj_server", str(server.port), address, peers]
            commands[server.name] = [*command, str(journal), "sync" if self.sync else "nosync"]
        cluster = PySyncObjCluster(made, Processes(directory, commands))
        try:
            cluster.processes.start_all()
            cluster.leader()
        except BaseException:
            cluster.stop()
            raise
        return cluster


class PySyncObjCluster:
    protocol = HTTP

    def __init__(self, servers: list[Server], processes: Processes) -> None:
        self.servers = servers
        self.processes = processes

    def leader(self) -> Server:
        return wait_for(self._find_leader, "PySyncObj: no leader that is ready")

    def _find_leader(self) -> Server | None:
        states = {server: ask(server.port, "GET", "/") for server in self.servers}
        if not all(said and said["ready"] for said in states.values()):
            return None
        return next((server for server, said in states.items() if said and said["leader"]), None)

    def put_request(self, server: Server, number: int) -> bytes:
        return http_request("PUT", f"/{number}", server.port, value(number).encode())

    def pid(self, server: Server) -> int:
        return self.processes.pid(server.name)

    def kill(self, server: Server) -> None:
        self.processes.kill(server.name)

    def restart(self, server: Server) -> None:
        self.processes.start(server.name)

    def stop(self) -> None:
        self.processes.stop()
