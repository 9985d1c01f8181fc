"""peers.json: recovery without a quorum, as Nomad's operators know it.

    <data_dir>/server/raft/peers.json    the new members, read once when the server starts, then moved aside
    <data_dir>/server/raft/peers.info    explains it

In raft protocol 2 it is a list of addresses, in 3 a list of objects with id, address and non_voter. What it does to
the log, why that is safe enough and what can be lost: `raftsim.storage.recover_peers`.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any, Final

from raftsim.agent.identity import Identity
from raftsim.agent.schema import MAX_SERVERS, ConfigError
from raftsim.core.config import Config, Server, check
from raftsim.storage.files import OsDirectory, publish
from raftsim.storage.identity import Identity as Owner
from raftsim.storage.recover_peers import complete, replace_members
from raftsim.wire.address import endpoint

PEERS_JSON: Final = "peers.json"
PEERS_INFO: Final = "peers.info"
MAX_FILE_BYTES: Final = 1 << 20
_KEYS: Final = {"id", "address", "non_voter"}

_INFO: Final = """\
A file peers.json in this directory changes who the members of the cluster are when the server starts. It is meant for
one case: a majority of the servers is lost for good, so that no leader can be elected and nobody can be removed. While
there is a leader, use 'raftsim operator raft remove-peer' instead.

1. Stop all servers that are left. Make sure that the lost ones stay lost, or there will be two clusters.
2. See with 'raftsim operator raft info' whose log is the longest. What only the lost servers held is lost.
3. Write the same peers.json on every server that is left; 'raftsim operator raft peers-json -data-dir=DIR' prints one
   to begin with. List only servers that still have their data; new ones join later. The safest is one voter, the
   server with the longest log.
4. Start them.

With raft_protocol 2 the file lists the RPC addresses of the members:

["127.0.0.1:4647", "127.0.0.1:4657"]

With raft_protocol 3 it lists their ids and RPC addresses, and who has no vote:

[
  {"id": "adf4238a-882b-9ddc-4a9d-5b6758e4159e", "address": "127.0.0.1:4647", "non_voter": false},
  {"id": "8b6dda82-3103-11e7-93ae-92361f002671", "address": "127.0.0.1:4657", "non_voter": true}
]

A file that is wrong is refused, and the server does not start. A file that was followed is moved, with the state as
it was before, to a directory named before-recovery-<time> beside this one. Remove that when all is well.
"""


def recover(server_dir: Path, raft_protocol: int, identity: Identity) -> list[str]:
    """Follow a peers.json, if there is one. Returns what to tell the operator.

    Raises ConfigError when the file is wrong, StorageError when the state cannot be recovered.
    """
    notes = []
    raft = server_dir / "raft"
    finished = complete(server_dir, PEERS_JSON)
    if finished is not None:
        notes.append(f"a recovery with {PEERS_JSON} that had been interrupted is complete; the old state is {finished}")
    path = raft / PEERS_JSON
    members = read_peers(path, raft_protocol)
    if members is None:
        return notes
    if identity.id not in members.members():
        notes.append(f"{path}: this server, {identity.id}, is not in it, and will be no member of the cluster")
    done = replace_members(
        server_dir,
        members,
        whose=Owner(identity.cluster_id, identity.id),
        order=PEERS_JSON,
        aside=time.strftime("before-recovery-%Y%m%dT%H%M%SZ", time.gmtime()),
    )
    names = [f"{id}{'' if members.is_voter(id) else ' (non-voter)'}" for id in members.members()]
    notes.append(
        f"{path}: followed. The members are {', '.join(names)}; the log ends at index {done.last_index} of term "
        f"{done.last_term}; the old state is {done.aside}"
    )
    return [*notes, *done.notes]


def explain(server_dir: Path) -> None:
    """Leave the explanation where the file would be. Raises OSError."""
    raft = server_dir / "raft"
    if not (raft / PEERS_INFO).exists():
        publish(OsDirectory(raft), PEERS_INFO, _INFO.encode())


def read_peers(path: Path, raft_protocol: int) -> Config | None:
    """The members in a peers.json, None without a file. Raises ConfigError, with what is wrong and where."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    try:
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"larger than {MAX_FILE_BYTES} bytes")
        return _members(_parse(content), raft_protocol)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content.decode())
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line}: not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _members(document: Any, raft_protocol: int) -> Config:
    if not isinstance(document, list):
        raise ValueError("not a list of servers")
    if len(document) > MAX_SERVERS:
        raise ValueError(f"{len(document)} servers; at most {MAX_SERVERS} are possible")
    parse = _address_alone if raft_protocol == 2 else _object
    servers: list[Server] = []
    learners: list[str] = []
    for number, entry in enumerate(document, 1):
        try:
            server, non_voter = parse(entry)
            for key in ("id", "address"):
                if any(getattr(server, key) == getattr(other, key) for other in servers):
                    raise ValueError(f"the {key} {getattr(server, key)} is there twice")
        except ValueError as error:
            raise ValueError(f"server {number}: {error}") from None
        servers.append(server)
        if non_voter:
            learners.append(server.id)
    voters = {server.id for server in servers} - set(learners)
    if not voters:
        raise ValueError("no server in it has a vote" if servers else "there is no server in it")
    return check(Config(tuple(sorted(voters)), learners=tuple(sorted(learners)), servers=tuple(servers)))


def _address_alone(entry: Any) -> tuple[Server, bool]:
    if not isinstance(entry, str):
        raise ValueError('raft_protocol is 2, so each server is its address alone, such as "127.0.0.1:4647"')
    endpoint(entry)
    return Server(entry, entry), False


def _object(entry: Any) -> tuple[Server, bool]:
    if not isinstance(entry, dict):
        raise ValueError('raft_protocol is 3, so each server is an object with "id", "address" and "non_voter"')
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        raise ValueError(f"unknown key {json.dumps(unknown[0])}; there are id, address and non_voter")
    id, address, non_voter = entry.get("id"), entry.get("address"), entry.get("non_voter", False)
    if not isinstance(id, str) or not isinstance(address, str) or not isinstance(non_voter, bool):
        raise ValueError("id and address must be text, non_voter true or false")
    endpoint(address)
    try:
        return Server(str(uuid.UUID(id)), address), non_voter
    except ValueError:
        raise ValueError(f"the id {id!r} is not a UUID") from None
