"""One server in the form of a member of Nomad's gossip."""

from __future__ import annotations

from typing import Any

from raftsim.http.view import AgentFacts

UNKNOWN = "(unknown)"


def member_of(member: dict[str, Any], facts: AgentFacts) -> dict[str, Any]:
    """`member` is one of `Node.members`. The links between servers stand for gossip, so its port is theirs."""
    host, _, port = member["address"].rpartition(":")
    host = host.strip("[]")
    tags = {
        "build": member["build"],
        "dc": member["datacenter"],
        "id": member["id"],
        "port": port,
        "raft_vsn": str(member["raft_protocol"] or facts.raft_protocol),
        "region": facts.region,
        "revision": "",
        "role": "nomad",
        "rpc_addr": host,
        "vsn": "1",
    }
    if member["nonvoter"]:
        tags["nonvoter"] = "1"
    return {
        "Addr": host,
        "DelegateCur": 4,
        "DelegateMax": 5,
        "DelegateMin": 2,
        "Name": member["name"] or UNKNOWN,
        "Port": int(port),
        "ProtocolCur": 2,
        "ProtocolMax": 5,
        "ProtocolMin": 1,
        "Status": member["status"],
        "Tags": tags,
    }
