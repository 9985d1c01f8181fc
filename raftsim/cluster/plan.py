"""What a cluster is made of: decided once, when it is created, and kept in `cluster.json`."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, replace
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
    autopilot: bool = False  # a cluster that is broken on purpose is to stay as it is broken
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
    """The first `spec.nodes` nodes began the cluster, the others were added."""

    spec: ClusterSpec
    nodes: tuple[NodePlan, ...]

    def agent_config(self, node: NodePlan, cluster_id: str = "") -> dict[str, Any]:
        """The configuration file of one node; `cluster_id` is needed for one that is added."""
        spec, first = self.spec, self.nodes[: self.spec.nodes]
        server: dict[str, Any] = {"enabled": True, "raft_protocol": spec.raft_protocol}
        beginning: dict[str, Any]
        if node in first:
            server["bootstrap_expect"] = spec.nodes
            servers = [{"id": peer.id, "address": peer.rpc_address, "name": peer.name} for peer in first]
            beginning = {"servers": servers}
        else:
            beginning = {"join": True, "cluster_id": cluster_id}
        return {
            "name": node.name,
            "data_dir": node.data_dir,
            "ports": {"http": node.http_port, "rpc": node.rpc_port},
            "server": server,
            "raftsim": {
                **beginning,
                "election_timeout_min": format_duration(spec.election_timeout_min_s),
                "election_timeout_max": format_duration(spec.election_timeout_max_s),
                "heartbeat_interval": format_duration(spec.heartbeat_interval_s),
                "faults": spec.faults,
                "autopilot": spec.autopilot,
            },
        }

    def with_one_more(self, directory: Path) -> Plan:
        """The same with another node. Raises ClusterError when it cannot be."""
        ordinal = len(self.nodes) + 1
        if ordinal > MAX_SERVERS:
            raise ClusterError(f"a cluster has at most {MAX_SERVERS} nodes")
        ports = _ports(replace(self.spec, nodes=ordinal))[-1]
        return replace(self, nodes=(*self.nodes, _node(self.spec, directory, ordinal, ports)))

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
    ports = enumerate(_ports(spec), start=1)
    return Plan(spec, tuple(_node(spec, directory, number, pair) for number, pair in ports))


def _node(spec: ClusterSpec, directory: Path, number: int, ports: tuple[int, int]) -> NodePlan:
    root = Path(spec.data_dir) if spec.data_dir else directory
    name, (http_port, rpc_port) = f"n{number}", ports
    data_dir = root / name if spec.data_dir else root / name / "data"
    id = join_address(LOOPBACK, rpc_port) if spec.raft_protocol == 2 else _uuid(data_dir)
    return NodePlan(name, id, http_port, rpc_port, str(data_dir))


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
