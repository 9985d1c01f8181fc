"""`raftsim operator raft` against a scripted server: the texts, the streams, the exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run, run_on_terminal

CONFIGURATION = "/v1/operator/raft/configuration"
PEER = "/v1/operator/raft/peer"


def server(node: str, port: int, **other: Any) -> dict[str, Any]:
    address = f"127.0.0.1:{port}"
    known = {"Address": address, "ID": address, "Leader": False, "Node": node, "RaftProtocol": 2, "Voter": True}
    return {**known, **other}


TABLE = """\
Node       ID              Address         State     Voter  RaftProtocol
(unknown)  127.0.0.1:4667  127.0.0.1:4667  follower  true   unknown
n1.global  127.0.0.1:4647  127.0.0.1:4647  leader    true   2
n2.global  8a0e            127.0.0.1:4657  follower  false  3
"""
REPLY = {
    "Index": 9,
    "Servers": [
        server("n2.global", 4657, ID="8a0e", Voter=False, RaftProtocol="3"),
        server("n1.global", 4647, Leader=True),
        server("(unknown)", 4667, RaftProtocol="unknown"),
    ],
}


def test_peers_are_listed_by_node(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, REPLY)
    assert run("operator", "raft", "list-peers", NOMAD_ADDR=stub.address) == (0, TABLE, "")
    assert stub.asked == [("GET", CONFIGURATION)]


@pytest.mark.parametrize("dash", ["-", "--"])
def test_peers_as_json(stub: Stub, dash: str) -> None:
    stub.on("GET", CONFIGURATION, REPLY)
    code, out, err = run("operator", "raft", "list-peers", f"{dash}json", f"{dash}address={stub.address}")
    assert (code, err) == (0, "")
    assert out == json.dumps(REPLY, indent=4) + "\n"


@pytest.mark.parametrize("flag", ["-stale", "--stale", "-stale=true"])
def test_stale_is_asked_for(stub: Stub, flag: str) -> None:
    stub.on("GET", CONFIGURATION, REPLY)
    assert run("operator", "raft", "list-peers", flag, NOMAD_ADDR=stub.address).code == 0
    assert stub.asked == [("GET", f"{CONFIGURATION}?stale=true")]


def test_options_beat_the_environment(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, REPLY)
    environment = {"NOMAD_ADDR": "http://127.0.0.1:1", "NOMAD_REGION": "east", "NOMAD_TOKEN": "one"}
    run("operator", "raft", "list-peers", "-address", stub.address, **environment)
    run("operator", "raft", "list-peers", "-address", stub.address, "-region=we st", "-token=two", **environment)
    assert [target for _, target in stub.asked] == [f"{CONFIGURATION}?region=east", f"{CONFIGURATION}?region=we+st"]
    assert [request.headers["X-Nomad-Token"] for request in stub.requests] == ["one", "two"]


def test_an_empty_configuration_is_a_header(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, {"Index": 0, "Servers": None})
    code, out, _ = run("operator", "raft", "list-peers", NOMAD_ADDR=stub.address)
    assert (code, out) == (0, "Node  ID  Address  State  Voter  RaftProtocol\n")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (500, "No cluster leader", "Unexpected response code: 500 (No cluster leader)"),
        (403, " Permission denied\n", "Unexpected response code: 403 (Permission denied)"),
        (502, "", "Unexpected response code: 502"),
        (307, "", "Unexpected response code: 307"),
        (200, "<html>", "invalid JSON"),
        (200, "[]", "the answer is not what Nomad's API says"),
        (200, '{"Servers": [1]}', "the answer is not what Nomad's API says"),
    ],
)
def test_an_error_is_one_line_on_stderr(stub: Stub, status: int, body: str, error: str) -> None:
    stub.on("GET", CONFIGURATION, body, status)
    code, out, err = run("operator", "raft", "list-peers", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert err.startswith("Failed to retrieve raft configuration: ")
    assert error in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("flags", "target", "text"),
    [
        (["-peer-id=127.0.0.1:4667"], "id=127.0.0.1%3A4667", 'Removed peer with id "127.0.0.1:4667"\n'),
        (["--peer-id", 'a"b'], "id=a%22b", 'Removed peer with id "a\\"b"\n'),
        (["-peer-address=127.0.0.1:4667"], "address=127.0.0.1%3A4667", 'Removed peer with address "127.0.0.1:4667"\n'),
    ],
)
def test_a_peer_is_removed(stub: Stub, flags: list[str], target: str, text: str) -> None:
    stub.on("DELETE", PEER)
    assert run("operator", "raft", "remove-peer", *flags, NOMAD_ADDR=stub.address) == (0, text, "")
    assert stub.asked == [("DELETE", f"{PEER}?{target}")]


def test_a_removal_as_json(stub: Stub) -> None:
    stub.on("DELETE", PEER)
    _, out, _ = run("operator", "raft", "remove-peer", "-peer-id=x", "-json", NOMAD_ADDR=stub.address)
    assert json.loads(out) == {"Removed": {"ID": "x"}}


def test_a_removal_that_fails(stub: Stub) -> None:
    stub.on("DELETE", PEER, 'id "x" was not found in the Raft configuration', 500)
    assert run("operator", "raft", "remove-peer", "-peer-id=x", NOMAD_ADDR=stub.address) == (
        1,
        "",
        'Error removing peer: Unexpected response code: 500 (id "x" was not found in the Raft configuration)\n',
    )


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ([], "an address or id is required for the peer to remove"),
        (["-peer-id="], "an address or id is required for the peer to remove"),
        (["-peer-id=a", "-peer-address=b"], "cannot give both an address and id"),
    ],
)
def test_a_peer_must_be_named_once(stub: Stub, flags: list[str], error: str) -> None:
    expected = (1, "", f"Error removing peer: {error}\n")
    assert run("operator", "raft", "remove-peer", *flags, NOMAD_ADDR=stub.address) == expected
    assert not stub.requests


def test_a_server_that_is_not_raftsim_is_never_changed(stub: Stub) -> None:
    stub.raftsim = False
    stub.on("DELETE", PEER)
    stub.on("GET", CONFIGURATION, REPLY)
    assert run("operator", "raft", "remove-peer", "-peer-id=x", NOMAD_ADDR=stub.address) == (
        1,
        "",
        f"Refusing: {stub.address} is not a raftsim server. Use the nomad CLI, or pass -allow-real-nomad.\n",
    )
    assert stub.asked == []
    assert run("operator", "raft", "list-peers", NOMAD_ADDR=stub.address).code == 0


def test_a_real_nomad_is_changed_when_that_is_allowed(stub: Stub) -> None:
    stub.raftsim = False
    stub.on("DELETE", PEER)
    args = ("operator", "raft", "remove-peer", "-peer-id=x", "-allow-real-nomad")
    assert run(*args, NOMAD_ADDR=stub.address).code == 0
    assert [request.method for request in stub.requests] == ["DELETE"]


def test_a_hint_is_for_a_terminal_only(stub: Stub) -> None:
    stub.on("DELETE", PEER, "No cluster leader", 500)
    args = ("operator", "raft", "remove-peer", "-peer-id=x")
    error = "Error removing peer: Unexpected response code: 500 (No cluster leader)\n"
    assert run(*args, NOMAD_ADDR=stub.address).err == error
    assert run_on_terminal(*args, NOMAD_ADDR=stub.address, NOMAD_CLI_SHOW_HINTS="0") == (1, error)
    code, shown = run_on_terminal(*args, NOMAD_ADDR=stub.address)
    assert code == 1
    assert shown.startswith(error + "Hint: this needs a leader")
