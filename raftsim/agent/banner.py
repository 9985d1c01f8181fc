"""What an agent prints before its log: Nomad's layout, with the words of this project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from raftsim import __version__
from raftsim.agent.addresses import join_address
from raftsim.agent.config import AgentConfig
from raftsim.agent.metrics import COLLECTION_INTERVAL_S

STARTING: Final = "==> Starting raftsim agent..."
STARTED: Final = "==> raftsim agent started! Log data will stream in below:"
ERROR_PREFIX: Final = "==> Error starting agent: "
_KEY_WIDTH = 18


def preamble(config: AgentConfig) -> str:
    """Warnings and where the configuration comes from: the lines before anything is tried."""
    lines = [f"==> WARNING: {warning}" for warning in config.warnings]
    if config.sources:
        lines.append(f"==> Loaded configuration from {', '.join(config.sources)}")
    else:
        lines.append("==> No configuration files loaded")
    return "\n".join([*lines, STARTING])


def summary(config: AgentConfig, server_id: str) -> str:
    """The configuration in short, and that the agent serves."""
    facts: Mapping[str, str] = {
        "Advertise Addrs": f"HTTP: {config.http_address}; RPC: {config.rpc_address}",
        "Bind Addrs": f"HTTP: [{join_address(*config.http_bind)}]; RPC: {join_address(*config.rpc_bind)}",
        "Data Dir": str(config.data_dir),
        "Log Level": config.log_level,
        "Node Id": server_id,
        "Raft Protocol": str(config.raft_protocol),
        "Region": f"{config.region} (DC: {config.datacenter})",
        "Server": "true",
        "Version": __version__,
    }
    lines = [f"    {key:>{_KEY_WIDTH}}: {value}" for key, value in sorted(facts.items())]
    return "\n".join(["==> raftsim agent configuration:", "", *lines, "", STARTED, ""])


def document(config: AgentConfig) -> dict[str, object]:
    """The configuration as /v1/agent/self shows it, with the keys Nomad's clients know."""
    # The links between servers stand for gossip (serf), so its addresses are theirs.
    http, rpc = config.http_bind, config.rpc_bind
    return {
        "ACL": {"Enabled": False},
        "Addresses": {"HTTP": http[0], "RPC": rpc[0], "Serf": rpc[0]},
        "AdvertiseAddrs": {"HTTP": config.http_address, "RPC": config.rpc_address, "Serf": config.rpc_address},
        "BindAddr": config.rpc_bind[0],
        "Client": {"Enabled": False},
        "DataDir": str(config.data_dir),
        "Datacenter": config.datacenter,
        "DevMode": config.dev,
        "EnableDebug": False,
        "HTTPAPIResponseHeaders": {},
        "LeaveOnInt": config.leave_on_interrupt,
        "LeaveOnTerm": config.leave_on_terminate,
        "LogJson": config.log_json,
        "LogLevel": config.log_level,
        "NodeName": config.name,
        "Ports": {"HTTP": http[1], "RPC": rpc[1], "Serf": rpc[1]},
        "Raftsim": True,
        "Region": config.region,
        "Server": {
            "BootstrapExpect": config.bootstrap_expect,
            "Enabled": True,
            "RaftMultiplier": config.raft_multiplier,
            "RaftProtocol": config.raft_protocol,
            "ServerJoin": {
                "RetryInterval": 0,
                "RetryJoin": list(config.retry_join),
                "RetryMaxAttempts": 0,
                "StartJoin": [],
            },
        },
        "TLSConfig": {
            "CAFile": "",
            "CertFile": "",
            "EnableHTTP": False,
            "EnableRPC": False,
            "KeyFile": "",
            "VerifyHTTPSClient": False,
            "VerifyServerHostname": False,
        },
        "Telemetry": {
            "CollectionInterval": f"{COLLECTION_INTERVAL_S:g}s",
            "PrometheusMetrics": config.prometheus_metrics,
        },
        "Version": {"Revision": "", "Version": __version__, "VersionMetadata": "", "VersionPrerelease": ""},
    }
