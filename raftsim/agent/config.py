"""The configuration of one agent: files in order, then flags; later wins.

Two defaults differ from Nomad's. Everything is bound to 127.0.0.1 unless asked otherwise, because this is a rehearsal;
and what peers and clients are told is the bound address, because a loopback address is right in a rehearsal.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raftsim.agent.addresses import HTTP_PORT, RPC_PORT, free_ports, join_address, split_address
from raftsim.agent.schema import ConfigError, Layer, check_value, read_layers
from raftsim.core.settings import Settings
from raftsim.node.settings import NodeSettings

LOOPBACK = "127.0.0.1"
STANDARD_MACHINE = "raftsim.machine.standard:standard_machine"
_WILDCARDS = {"0.0.0.0", "::"}
_FLAGS = "command line"


@dataclass(frozen=True, slots=True)
class Listed:
    """One server of the first configuration as the file names it; `id` and `name` may be missing ("")."""

    id: str
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """All that one agent is told. `data_dir` is None only with `dev`: a temporary one. A port 0 is yet to be chosen."""

    name: str
    region: str
    datacenter: str
    dev: bool
    data_dir: Path | None
    http_bind: tuple[str, int]
    rpc_bind: tuple[str, int]
    http_advertise: str  # host or host:port; "": as bound
    rpc_advertise: str
    bootstrap_expect: int
    raft_protocol: int
    retry_join: tuple[str, ...]
    servers: tuple[Listed, ...]
    cluster_id: str  # "": made from the first configuration
    join: bool  # a cluster that exists: wait to be added
    raft_multiplier: int
    settings: Settings
    node_settings: NodeSettings
    http_max_conns_per_client: int
    prometheus_metrics: bool
    faults: bool
    machine: str  # package.module:factory
    log_level: str
    log_json: bool
    leave_on_interrupt: bool
    leave_on_terminate: bool
    sources: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def member_name(self) -> str:
        return f"{self.name}.{self.region}"

    @property
    def http_address(self) -> str:
        """Where clients are told to find this agent."""
        return _advertised(self.http_advertise, self.http_bind)

    @property
    def rpc_address(self) -> str:
        """Where its peers find this server."""
        return _advertised(self.rpc_advertise, self.rpc_bind)


def load(paths: Sequence[Path], flags: Mapping[str, Any], *, dev: bool) -> AgentConfig:
    """The configuration of `paths` and then `flags` (dotted key -> value). Raises ConfigError."""
    layers = [layer for path in paths for layer in read_layers(path)]
    layers.append(Layer(_FLAGS, {key: check_value(_FLAGS, key, value) for key, value in flags.items()}))
    values = {key: value for layer in layers for key, value in layer.values.items()}
    sources = tuple(layer.source for layer in layers[:-1])
    warnings = [warning for layer in layers for warning in layer.warnings]
    if values.get("client.enabled"):
        warnings.append("client.enabled: there are no clients in raftsim; only the server is started")
    if not dev and not values.get("server.enabled"):
        raise ConfigError("Must specify either server or dev mode for the agent (server.enabled, -server or -dev)")
    if not dev and "data_dir" not in values:
        raise ConfigError('Must specify "data_dir" config option or "data-dir" CLI flag')
    return _build(values, dev, sources, tuple(warnings))


def choose_ports(config: AgentConfig) -> AgentConfig:
    """`config` with every port of 0 replaced by a free one. Raises ConfigError, OSError."""
    if config.rpc_bind[1] == 0 and config.servers:
        raise ConfigError("ports.rpc cannot be 0 when raftsim.servers names the addresses")
    return replace(config, http_bind=_with_port(config.http_bind), rpc_bind=_with_port(config.rpc_bind))


def _with_port(bind: tuple[str, int]) -> tuple[str, int]:
    host, port = bind
    return host, port or free_ports(host, 1)[0]


def _build(values: Mapping[str, Any], dev: bool, sources: tuple[str, ...], warnings: tuple[str, ...]) -> AgentConfig:
    bind = values.get("bind_addr", LOOPBACK)
    settings = _settings(values)
    return AgentConfig(
        name=values.get("name") or socket.gethostname(),
        region=values.get("region", "global"),
        datacenter=values.get("datacenter", "dc1"),
        dev=dev,
        data_dir=Path(values["data_dir"]).absolute() if "data_dir" in values else None,
        http_bind=(values.get("addresses.http", bind), values.get("ports.http", HTTP_PORT)),
        rpc_bind=(values.get("addresses.rpc", bind), values.get("ports.rpc", RPC_PORT)),
        http_advertise=values.get("advertise.http", ""),
        rpc_advertise=values.get("advertise.rpc", ""),
        bootstrap_expect=values.get("server.bootstrap_expect", 0),
        raft_protocol=values.get("server.raft_protocol", 2),
        retry_join=values.get("server.server_join.retry_join", ()),
        servers=tuple(
            Listed(server.get("id", ""), server["address"], server.get("name", ""))
            for server in values.get("raftsim.servers", ())
        ),
        cluster_id=values.get("raftsim.cluster_id", ""),
        join=values.get("raftsim.join", False),
        raft_multiplier=values.get("server.raft_multiplier", 1),
        settings=settings,
        node_settings=_node_settings(values, settings),
        http_max_conns_per_client=values.get("limits.http_max_conns_per_client", 100),
        prometheus_metrics=values.get("telemetry.prometheus_metrics", False),
        faults=values.get("raftsim.faults", False),
        machine=values.get("raftsim.machine", STANDARD_MACHINE),
        log_level=values.get("log_level", "INFO"),
        log_json=values.get("log_json", False),
        leave_on_interrupt=values.get("leave_on_interrupt", False),
        leave_on_terminate=values.get("leave_on_terminate", False),
        sources=sources,
        warnings=warnings,
    )


def _settings(values: Mapping[str, Any]) -> Settings:
    times = {
        f"{name}_s": values[f"raftsim.{name}"]
        for name in ("election_timeout_min", "election_timeout_max", "heartbeat_interval")
        if f"raftsim.{name}" in values
    }
    if "election_timeout_min_s" in times:
        times.setdefault("election_timeout_max_s", 2 * times["election_timeout_min_s"])
    rules = {
        name: values[f"raftsim.{name}"]
        for name in ("fast_failover", "pre_vote", "check_quorum", "lease_reads", "max_clock_drift")
        if f"raftsim.{name}" in values
    }
    try:
        return Settings(**times, **rules).scaled(values.get("server.raft_multiplier", 1))
    except ValueError as error:
        raise ConfigError(f"raftsim: {error}") from None


def _node_settings(values: Mapping[str, Any], settings: Settings) -> NodeSettings:
    names = {
        "server.raft_snapshot_threshold": "snapshot_threshold_entries",
        "server.raft_trailing_logs": "trailing_entries",
        "raftsim.autopilot": "autopilot",
        "raftsim.dead_after": "dead_after_s",
    }
    # As in Nomad, the autopilot works unless it is told not to.
    found = NodeSettings(**{"autopilot": True, **{name: values[key] for key, name in names.items() if key in values}})
    least = 2 * settings.election_timeout_max_s
    if found.dead_after_s <= least:
        raise ConfigError(f"raftsim.dead_after must be more than two election timeouts, {least:g} s")
    return found


def _advertised(advertise: str, bind: tuple[str, int]) -> str:
    host, port = bind
    if advertise:
        return join_address(*split_address(advertise, port))
    return join_address(LOOPBACK if host in _WILDCARDS else host, port)
