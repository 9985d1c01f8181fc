"""The configuration as /v1/agent/self shows it: every key that clients of Nomad rely on is there."""

from __future__ import annotations

from typing import Any

import pytest

from raftsim.agent.banner import document
from raftsim.agent.config import load

SHOWN: dict[str, Any] = dict(
    document(
        load(
            [],
            {
                "name": "n1",
                "server.enabled": True,
                "data_dir": "/data",
                "ports.rpc": 5000,
                "server.raft_multiplier": 3,
                "server.server_join.retry_join": ["10.0.0.2:4647"],
                "telemetry.prometheus_metrics": True,
            },
            dev=False,
        )
    )
)


def test_every_block_is_there() -> None:
    single = {"BindAddr", "DataDir", "Datacenter", "DevMode", "EnableDebug", "LogLevel", "NodeName", "Region"}
    blocks = {"ACL", "Addresses", "AdvertiseAddrs", "Client", "HTTPAPIResponseHeaders", "Ports", "Server", "TLSConfig"}
    assert single | blocks | {"Telemetry", "Version"} <= set(SHOWN)
    assert SHOWN["ACL"]["Enabled"] is SHOWN["Client"]["Enabled"] is SHOWN["TLSConfig"]["EnableHTTP"] is False
    assert SHOWN["Telemetry"] == {"CollectionInterval": "1s", "PrometheusMetrics": True}
    assert (SHOWN["Server"]["RaftMultiplier"], SHOWN["Server"]["RaftProtocol"]) == (3, 2)
    assert SHOWN["Server"]["ServerJoin"]["RetryJoin"] == ["10.0.0.2:4647"]


@pytest.mark.parametrize("block", ["Addresses", "AdvertiseAddrs", "Ports"])
def test_the_links_between_servers_stand_for_gossip(block: str) -> None:
    assert sorted(SHOWN[block]) == ["HTTP", "RPC", "Serf"]
    assert SHOWN[block]["Serf"] == SHOWN[block]["RPC"]


def test_addresses_are_those_in_force() -> None:
    assert SHOWN["Ports"] == {"HTTP": 4646, "RPC": 5000, "Serf": 5000}
    assert SHOWN["AdvertiseAddrs"]["RPC"] == "127.0.0.1:5000"
