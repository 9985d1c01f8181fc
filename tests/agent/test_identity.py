"""Who a server is, and what the first configuration of its cluster is."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest

from raftsim.agent.config import load
from raftsim.agent.identity import Identity, establish
from raftsim.agent.schema import ConfigError
from raftsim.storage.datadir import DataDir

A, B, C = "127.0.0.1:4647", "127.0.0.1:4657", "127.0.0.1:4667"
ID_A, ID_B = "11111111-1111-4111-8111-111111111111", "aaaaaaaa-1111-4111-8111-111111111111"


def voters(found: Identity) -> tuple[str, ...]:
    assert found.first is not None
    return found.first.voters


def identity(directory: Path, document: dict[str, Any], *, dev: bool = False) -> Identity:
    document = {"name": "n1", "data_dir": str(directory), **document}
    document["server"] = {"enabled": True} | document.get("server", {})
    file = directory / "agent.json"
    file.write_text(json.dumps(document))
    return establish(load([file], {}, dev=dev), directory)


def test_a_single_server_by_its_address(tmp_path: Path) -> None:
    for found in (identity(tmp_path, {}, dev=True), identity(tmp_path, {"server": {"bootstrap_expect": 1}})):
        assert (found.id, found.address, voters(found)) == (A, A, (A,))
    assert not (tmp_path / "node-id").exists()


def test_retry_join_names_the_first_servers_and_all_agree(tmp_path: Path) -> None:
    one = identity(tmp_path, {"server": {"bootstrap_expect": 3, "retry_join": [A, B, C]}})
    server = {"bootstrap_expect": 3, "retry_join": [B, "127.0.0.1"]}
    other = identity(tmp_path, {"ports": {"rpc": 4667}, "server": server})
    assert (one.id, other.id) == (A, C)
    assert one.first == other.first
    assert voters(one) == (A, B, C)
    assert one.cluster_id == other.cluster_id


def test_listed_servers_are_found_by_name_then_by_address(tmp_path: Path) -> None:
    servers = [{"address": B, "name": "n1"}, {"address": A, "id": A}]
    assert identity(tmp_path, {"raftsim": {"servers": servers}}).id == B
    assert identity(tmp_path, {"name": "other", "raftsim": {"servers": servers}}).id == A
    assert identity(tmp_path, {"raftsim": {"servers": servers, "cluster_id": "mine"}}).cluster_id == "mine"


def test_a_server_that_waits_to_be_added_begins_no_cluster(tmp_path: Path) -> None:
    found = identity(tmp_path, {"raftsim": {"join": True, "cluster_id": "c"}})
    assert found == Identity(A, A, "c", None)
    three = identity(tmp_path, {"server": {"raft_protocol": 3}, "raftsim": {"join": True, "cluster_id": "c"}})
    assert three.id == (tmp_path / "node-id").read_text()


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"raftsim": {"join": True}}, "raftsim.join needs raftsim.cluster_id"),
        ({"raftsim": {"join": True, "cluster_id": "c", "servers": [{"address": A}]}}, "leave out raftsim.servers"),
        ({"raftsim": {"join": True, "cluster_id": "c"}, "server": {"bootstrap_expect": 3}}, "leave out"),
        ({"raftsim": {"join": True, "cluster_id": "c"}, "server": {"retry_join": [B]}}, "leave out"),
    ],
)
def test_a_server_that_waits_is_told_of_a_cluster_and_of_no_beginning(
    tmp_path: Path, document: dict[str, Any], why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        identity(tmp_path, document)


def test_the_order_of_the_list_does_not_matter(tmp_path: Path) -> None:
    servers = [{"address": A, "name": "n1"}, {"address": B}]
    one = identity(tmp_path, {"raftsim": {"servers": servers}})
    other = identity(tmp_path, {"raftsim": {"servers": servers[::-1]}})
    assert (one.first, one.cluster_id) == (other.first, other.cluster_id)


def test_in_protocol_3_the_id_is_made_once_and_kept(tmp_path: Path) -> None:
    document = {"server": {"raft_protocol": 3, "bootstrap_expect": 1}}
    found = identity(tmp_path, document)
    assert str(uuid.UUID(found.id)) == found.id
    assert (tmp_path / "node-id").read_text() == found.id
    assert identity(tmp_path, document).id == found.id


def test_the_id_of_a_cluster_that_one_server_began_goes_with_its_disk(tmp_path: Path) -> None:
    document = {"server": {"bootstrap_expect": 1}}
    first = identity(tmp_path, document).cluster_id
    DataDir.open(tmp_path, cluster_id=first, server_id=A).close()
    assert identity(tmp_path, document).cluster_id == first
    shutil.rmtree(tmp_path / "raft")
    assert identity(tmp_path, document).cluster_id != first
    assert identity(tmp_path, {**document, "raftsim": {"cluster_id": "mine"}}).cluster_id == "mine"


def test_in_protocol_3_the_kept_id_is_read_in_lower_case(tmp_path: Path) -> None:
    (tmp_path / "node-id").write_text(f"{ID_B.upper()}\n")
    assert identity(tmp_path, {"server": {"raft_protocol": 3, "bootstrap_expect": 1}}).id == ID_B


def test_in_protocol_3_the_listed_id_is_written_and_must_stay(tmp_path: Path) -> None:
    servers = [{"address": A, "id": ID_A, "name": "n1"}, {"address": B, "id": ID_B}]
    document = {"server": {"raft_protocol": 3}, "raftsim": {"servers": servers}}
    found = identity(tmp_path, document)
    assert (found.id, voters(found)) == (ID_A, (ID_A, ID_B))
    assert (tmp_path / "node-id").read_text() == ID_A
    (tmp_path / "node-id").write_text(ID_B)
    with pytest.raises(ConfigError, match=f"node-id says {ID_B}, but raftsim.servers says {ID_A}"):
        identity(tmp_path, document)


def test_a_node_id_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "node-id").write_bytes(b"\xff\xff")
    with pytest.raises(ConfigError, match="node-id: not a UUID"):
        identity(tmp_path, {"server": {"raft_protocol": 3, "bootstrap_expect": 1}})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, "set server.bootstrap_expect, or list them in raftsim.servers"),
        ({"server": {"bootstrap_expect": 3}}, "list their RPC addresses in server.server_join.retry_join"),
        (
            {"server": {"bootstrap_expect": 3, "retry_join": [B]}},
            "bootstrap_expect is 3, but retry_join and this server make 2",
        ),
        (
            {"server": {"bootstrap_expect": 3, "raft_protocol": 3, "retry_join": [A, B, C]}},
            "with raft_protocol 3 list their ids and addresses in raftsim.servers",
        ),
        ({"raftsim": {"servers": [{"address": B}]}}, f"this server (name n1, address {A}) is not among them"),
        ({"raftsim": {"servers": [{"address": A, "id": "x"}]}}, "with raft_protocol 2 the id of"),
        ({"raftsim": {"servers": [{"address": A}, {"address": A}]}}, "raftsim.servers: the same address twice"),
        (
            {"raftsim": {"servers": [{"address": A, "id": "x"}]}, "server": {"raft_protocol": 3}},
            "must be a lower-case UUID",
        ),
        (
            {"raftsim": {"servers": [{"address": A, "id": ID_B.upper()}]}, "server": {"raft_protocol": 3}},
            "must be a lower-case UUID",
        ),
        (
            {"raftsim": {"servers": [{"address": B, "name": "n1"}]}, "advertise": {"rpc": A}},
            f"n1 has address {B}, but advertise.rpc is {A}",
        ),
    ],
)
def test_what_does_not_say_who_the_servers_are(tmp_path: Path, document: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError) as raised:
        identity(tmp_path, document)
    assert expected in str(raised.value)
    assert not (tmp_path / "node-id").exists()
