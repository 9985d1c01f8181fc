"""Asking the nodes of a cluster how they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from raftsim.agent.config import LOOPBACK
from raftsim.cluster.node import ClusterNode
from raftsim.cluster.process import DEAD, RUNNING

TIMEOUT_S = 1.0
_MAX_BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """One node: its process, and what the server in it says (None: it does not answer)."""

    name: str
    pid: int | None  # None: no process
    process: str  # RUNNING, PAUSED or DEAD
    http_address: str
    rpc_address: str
    raft: dict[str, Any] | None  # the body of /v1/raftsim/status

    @property
    def role(self) -> str | None:
        return self.raft["role"] if self.raft else None

    @property
    def term(self) -> int:
        """The server's term, 0 when it does not answer."""
        return self.raft["term"] if self.raft else 0

    def plain(self) -> dict[str, Any]:
        """What `raftsim cluster status -json` prints of this node; null where the server does not answer."""
        said = self.raft or {}
        keys = ("id", "role", "term", "leader", "commit_index", "applied_index")
        return {
            "name": self.name,
            "pid": self.pid,
            "process": self.process,
            "http_address": self.http_address,
            "rpc_address": self.rpc_address,
            **{key: said.get(key) for key in keys},
        }


def ask_all(nodes: Sequence[ClusterNode]) -> list[NodeStatus]:
    """The status of every node, in their order. Takes at most about `TIMEOUT_S`."""
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        return list(pool.map(_ask, nodes))


def _ask(node: ClusterNode) -> NodeStatus:
    process = node.process()
    state = process.state() if process else DEAD
    return NodeStatus(
        name=node.plan.name,
        pid=process.pid if process and state != DEAD else None,
        process=state,
        http_address=node.plan.http_address,
        rpc_address=node.plan.rpc_address,
        raft=fetch_status(node.plan.http_port) if state == RUNNING else None,
    )


def fetch_status(http_port: int) -> dict[str, Any] | None:
    """What the server on this port of 127.0.0.1 says of itself, None when nothing that can be used comes back."""
    connection = HTTPConnection(LOOPBACK, http_port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/v1/raftsim/status")
        response = connection.getresponse()
        body = response.read(_MAX_BODY_BYTES)
        found = json.loads(body) if response.status == 200 else None
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    usable = isinstance(found, dict) and isinstance(found.get("role"), str) and isinstance(found.get("term"), int)
    return found if usable else None
