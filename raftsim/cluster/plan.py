"""What a cluster is made of: decided once, when it is created, and kept in `cluster.json`."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from raftsim.agent.addresses import HTTP_PORT, MAX_PORT, RPC_PORT, free_ports, join_address
from raftsim.agent.config import LOOPBACK
from raftsim.agent.durations import format_duration
from raftsim.agent.identity import read_node_id
from raftsim.agent.schema import MAX_SERVERS, ConfigError
from raftsim.cluster.errors import ClusterError
from raftsim.core.settings import Settings

PORT_STEP = 10  # node i listens on the base ports + 10 * (i - 1)
_FILE = "cluster.json"
_TIMES = Settings()


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What a person may ask for. A port of 0: any free ports. Without `data_dir` the data is in the cluster's own."""

    nodes: int = 3
    http_port: int = HTTP_PORT
    rpc_port: int = RPC_PORT
    raft_protocol: int = 2
    data_dir: str | None = None
    faults: bool = False
    election_timeout_min_s: float = _TIMES.election_timeout_min_s
    election_timeout_max_s: float = _TIMES.election_timeout_max_s
    heartbeat_interval_s: float = _TIMES.heartbeat_interval_s


@dataclass(frozen=True, slots=True)
class NodePlan:
    name: str
    id: str
    http_port: int
    rpc_port: int
    data_dir: str

    @property
    def http_address(self) -> str:
        return join_address(LOOPBACK, self.http_port)

    @property
    def rpc_address(self) -> str:
        return join_address(LOOPBACK, self.rpc_port)


@dataclass(frozen=True, slots=True)
class Plan:
    spec: ClusterSpec
    nodes: tuple[NodePlan, ...]

    def agent_config(self, node: NodePlan) -> dict[str, Any]:
        """The configuration file of one node."""
        spec = self.spec
        return {
            "name": node.name,
            "data_dir": node.data_dir,
            "ports": {"http": node.http_port, "rpc": node.rpc_port},
            "server": {"enabled": True, "bootstrap_expect": spec.nodes, "raft_protocol": spec.raft_protocol},
            "raftsim": {
                "servers": [{"id": peer.id, "address": peer.rpc_address, "name": peer.name} for peer in self.nodes],
                "election_timeout_min": format_duration(spec.election_timeout_min_s),
                "election_timeout_max": format_duration(spec.election_timeout_max_s),
                "heartbeat_interval": format_duration(spec.heartbeat_interval_s),
                "faults": spec.faults,
            },
        }

    def save(self, directory: Path) -> None:
        unfinished = directory / f"{_FILE}.tmp"
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n")
        unfinished.replace(directory / _FILE)


def make_plan(spec: ClusterSpec, directory: Path) -> Plan:
    """Names, ids, ports and directories for `spec`. Raises ClusterError when they cannot be."""
    if not 1 <= spec.nodes <= MAX_SERVERS:
        raise ClusterError(f"a cluster has 1 to {MAX_SERVERS} nodes, not {spec.nodes}")
    if spec.raft_protocol not in {2, 3}:
        raise ClusterError(f"raft_protocol must be 2 or 3, got {spec.raft_protocol}")
    root = Path(spec.data_dir) if spec.data_dir else directory
    nodes = []
    for number, (http_port, rpc_port) in enumerate(_ports(spec), start=1):
        name = f"n{number}"
        data_dir = root / name if spec.data_dir else root / name / "data"
        id = join_address(LOOPBACK, rpc_port) if spec.raft_protocol == 2 else _uuid(data_dir)
        nodes.append(NodePlan(name, id, http_port, rpc_port, str(data_dir)))
    return Plan(spec, tuple(nodes))


def load_plan(directory: Path) -> Plan:
    """The plan kept in `directory`. Raises ClusterError when there is none that can be read."""
    path = directory / _FILE
    try:
        found = json.loads(path.read_bytes())
        return Plan(ClusterSpec(**found["spec"]), tuple(NodePlan(**node) for node in found["nodes"]))
    except OSError as error:
        raise ClusterError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise ClusterError(f"{path}: damaged: {error}") from None


def _ports(spec: ClusterSpec) -> list[tuple[int, int]]:
    free = iter(free_ports(LOOPBACK, 2 * spec.nodes))
    pairs = []
    for offset in range(0, PORT_STEP * spec.nodes, PORT_STEP):
        http_port = spec.http_port + offset if spec.http_port else next(free)
        rpc_port = spec.rpc_port + offset if spec.rpc_port else next(free)
        pairs.append((http_port, rpc_port))
    ports = [port for pair in pairs for port in pair]
    if min(ports) < 1:
        raise ClusterError("a port is a positive number: choose other ports")
    if max(ports) > MAX_PORT:
        raise ClusterError(f"the nodes would need port {max(ports)}: choose lower ports")
    if len(set(ports)) < len(ports):
        raise ClusterError(f"two servers would need the same port: http {spec.http_port}, rpc {spec.rpc_port}")
    return pairs


def _uuid(data_dir: Path) -> str:
    try:
        return read_node_id(data_dir / "server" / "node-id") or str(uuid.uuid4())
    except ConfigError as error:
        raise ClusterError(str(error)) from None
