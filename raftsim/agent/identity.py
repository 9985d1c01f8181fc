"""Who this server is, and the first configuration of its cluster.

In raft protocol 2 a server's id is the address its peers reach it at. In 3 it is a lower-case UUID, kept in
`<data_dir>/server/node-id` from the first start on.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from raftsim.agent.config import AgentConfig, Listed
from raftsim.agent.schema import ConfigError
from raftsim.core.config import Config, Server, initial
from raftsim.storage.files import OsDirectory
from raftsim.storage.identity import read

_NODE_ID_MAX_BYTES = 256


@dataclass(frozen=True, slots=True)
class Identity:
    id: str
    address: str
    cluster_id: str
    first: Config | None  # the configuration every first member starts from; None: it waits to be added


def establish(config: AgentConfig, server_dir: Path) -> Identity:
    """The identity of the server in `server_dir`, which exists. Writes its node-id file if it needs one.

    Raises ConfigError when the configuration does not say who the first servers are, or contradicts the file; and
    StorageError and OSError when the identity of a data directory cannot be read.
    """
    if config.join:
        return _joining(config, server_dir)
    listed = _listed_self(config)
    address = listed.address if listed else config.rpc_address
    several = _first_servers(config, address)
    wanted = listed.id if listed else ""
    id = address if config.raft_protocol == 2 else _node_id(server_dir / "node-id", wanted)
    first = initial(several or [Server(id, address)])
    derived = _cluster_id(first.servers) if len(first.servers) > 1 else _own_cluster_id(server_dir)
    return Identity(id, address, config.cluster_id or derived, first)


def _joining(config: AgentConfig, server_dir: Path) -> Identity:
    if config.servers or config.bootstrap_expect or config.retry_join:
        raise ConfigError(
            "raftsim.join: a server that waits to be added does not begin a cluster; leave out raftsim.servers,"
            " server.bootstrap_expect and retry_join"
        )
    if not config.cluster_id:
        raise ConfigError("raftsim.join needs raftsim.cluster_id: /v1/raftsim/status of a member tells it")
    address = config.rpc_address
    id = address if config.raft_protocol == 2 else _node_id(server_dir / "node-id", "")
    return Identity(id, address, config.cluster_id, None)


def _listed_self(config: AgentConfig) -> Listed | None:
    if not config.servers:
        return None
    for server in config.servers:
        _check_listed(server, config.raft_protocol)
    for key in ("id", "address"):
        values = [getattr(server, key) for server in config.servers if getattr(server, key)]
        if len(set(values)) < len(values):
            raise ConfigError(f"raftsim.servers: the same {key} twice")
    named = [server for server in config.servers if server.name == config.name]
    mine = named or [server for server in config.servers if server.address == config.rpc_address]
    if not mine:
        raise ConfigError(
            f"raftsim.servers: this server (name {config.name}, address {config.rpc_address}) is not among them"
        )
    if config.rpc_advertise and mine[0].address != config.rpc_address:
        raise ConfigError(
            f"raftsim.servers: {config.name} has address {mine[0].address}, but advertise.rpc is {config.rpc_address}"
        )
    return mine[0]


def _check_listed(server: Listed, raft_protocol: int) -> None:
    if raft_protocol == 2 and server.id not in {"", server.address}:
        raise ConfigError(f"raftsim.servers: with raft_protocol 2 the id of {server.address} is its address")
    if raft_protocol == 3 and _as_uuid(server.id) != server.id:
        raise ConfigError(f"raftsim.servers: with raft_protocol 3 the id of {server.address} must be a lower-case UUID")


def _first_servers(config: AgentConfig, address: str) -> list[Server]:
    """Sorted by address, so that every server makes the identical first entry. Empty: this server alone."""
    if config.servers:
        found = [Server(server.id or server.address, server.address) for server in config.servers]
        return sorted(found, key=lambda server: server.address)
    if config.dev or config.bootstrap_expect == 1:
        return []
    addresses = {address, *config.retry_join}
    expect = config.bootstrap_expect
    if config.raft_protocol == 2 and config.retry_join and len(addresses) == expect:
        return [Server(peer, peer) for peer in sorted(addresses)]
    raise ConfigError(f"who the first servers are is not known: {_missing(config, len(addresses))}")


def _missing(config: AgentConfig, known: int) -> str:
    if config.bootstrap_expect == 0:
        return "set server.bootstrap_expect, or list them in raftsim.servers"
    if config.raft_protocol == 3:
        return "with raft_protocol 3 list their ids and addresses in raftsim.servers"
    if not config.retry_join:
        return "list their RPC addresses in server.server_join.retry_join"
    return f"bootstrap_expect is {config.bootstrap_expect}, but retry_join and this server make {known}"


def _own_cluster_id(server_dir: Path) -> str:
    """Of a cluster that this server begins alone.

    Drawn by lot: nobody could tell this server that it has lost its disk, while others that it once took in go on
    without it. They refuse a server of another cluster.
    """
    raft = server_dir / "raft"
    known = read(OsDirectory(raft, make=False)) if raft.is_dir() else None
    return known.cluster_id if known else secrets.token_hex(8)


def _cluster_id(first: Iterable[Server]) -> str:
    text = "".join(f"{server.id} {server.address}\n" for server in sorted(first, key=lambda s: s.id))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_node_id(path: Path) -> str | None:
    """The id in a node-id file, None without a file. Raises ConfigError when it holds something else."""
    try:
        with path.open("rb") as file:
            text = file.read(_NODE_ID_MAX_BYTES).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    found = _as_uuid(text)
    if found is None:
        raise ConfigError(f"{path}: not a UUID")
    return found


def _node_id(path: Path, wanted: str) -> str:
    found = read_node_id(path)
    if found and wanted and found != wanted:
        raise ConfigError(f"{path} says {found}, but raftsim.servers says {wanted}")
    if found:
        return found
    made = wanted or str(uuid.uuid4())
    _write_durably(path, made)
    return made


def _write_durably(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _as_uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
