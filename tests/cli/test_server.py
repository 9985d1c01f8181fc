"""`raftsim server members` and `agent-info` against a scripted server: the texts, the streams, the exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run

MEMBERS, LEADER, SELF = "/v1/agent/members", "/v1/status/leader", "/v1/agent/self"


def member(name: str, port: int, status: str = "alive", host: str = "127.0.0.1", **tags: str) -> dict[str, Any]:
    own = {"build": "0.1.0", "dc": "dc1", "port": str(port), "raft_vsn": "2", "region": "global"}
    return {
        "Addr": host,
        "Name": name,
        "Port": port,
        "ProtocolCur": 2,
        "Status": status,
        "Tags": {**own, **tags},
    }


REPLY = {
    "Members": [
        member("n3.global", 4667, "failed", dc="dc0"),
        member("n2.global", 4657, host="::1"),
        member("(unknown)", 4677, "failed", build="", raft_vsn="3"),
        member("n1.global", 4647),
    ],
    "ServerName": "n1",
}
TABLE = """\
Name       Address    Port  Status  Leader  Raft Version  Build  Datacenter  Region
n3.global  127.0.0.1  4667  failed  false   2             0.1.0  dc0         global
(unknown)  127.0.0.1  4677  failed  false   3                    dc1         global
n1.global  127.0.0.1  4647  alive   false   2             0.1.0  dc1         global
n2.global  ::1        4657  alive   true    2             0.1.0  dc1         global
"""
ALONE = {"Members": [member("n1.global", 4647)]}
VERBOSE = """\
Name       Address    Port  Status  Leader  Protocol  Raft Version  Build  Datacenter  Region  Tags
n1.global  127.0.0.1  4647  alive   true    2         2             0.1.0  dc1         global  \
build=0.1.0,dc=dc1,port=4647,raft_vsn=2,region=global
"""


def test_members_are_listed_by_region_datacenter_and_name(stub: Stub) -> None:
    stub.on("GET", MEMBERS, REPLY)
    stub.on("GET", LEADER, '"[::1]:4657"')
    assert run("server", "members", NOMAD_ADDR=stub.address) == (0, TABLE, "")
    assert stub.asked == [("GET", MEMBERS), ("GET", f"{LEADER}?region=global")]


@pytest.mark.parametrize("flag", ["-verbose", "--verbose", "-detailed"])
def test_the_verbose_form_has_protocol_and_tags(stub: Stub, flag: str) -> None:
    stub.on("GET", MEMBERS, ALONE)
    stub.on("GET", LEADER, '"127.0.0.1:4647"')
    assert run("server", "members", flag, NOMAD_ADDR=stub.address) == (0, VERBOSE, "")


def test_members_as_json_need_no_leader(stub: Stub) -> None:
    stub.on("GET", MEMBERS, REPLY)
    assert run("server", "members", "-json", NOMAD_ADDR=stub.address) == (0, json.dumps(REPLY, indent=4) + "\n", "")
    assert stub.asked == [("GET", MEMBERS)]


def test_without_a_leader_members_are_shown_and_the_command_fails(stub: Stub) -> None:
    stub.on("GET", MEMBERS, REPLY)
    stub.on("GET", LEADER, "No cluster leader", 500)
    code, out, err = run("server", "members", NOMAD_ADDR=stub.address)
    assert (code, out) == (1, TABLE.replace("true ", "false") + "\n")
    assert err == (
        "Error determining leaders: 1 error occurred:\n"
        '\t* Region "global": Unexpected response code: 500 (No cluster leader)\n\n'
    )


@pytest.mark.parametrize(
    ("command", "path", "prefix"),
    [
        (("server", "members"), MEMBERS, "Error querying servers"),
        (("agent-info",), SELF, "Error querying agent info"),
    ],
)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, "Permission denied", "Unexpected response code: 403 (Permission denied)"),
        (200, "[]", "the answer is not what Nomad's API says"),
        (200, '{"Members": [{"Tags": 1}], "stats": {"raft": 1}}', "the answer is not what Nomad's API says"),
    ],
)
def test_an_error_is_one_line_on_stderr(
    stub: Stub, command: tuple[str, ...], path: str, prefix: str, status: int, body: str, error: str
) -> None:
    stub.on("GET", path, body, status)
    assert run(*command, NOMAD_ADDR=stub.address) == (1, "", f"{prefix}: {error}\n")


@pytest.mark.parametrize("command", [("server", "members"), ("agent-info",)])
def test_there_are_no_arguments(command: tuple[str, ...]) -> None:
    code, out, err = run(*command, "extra")
    assert (code, out) == (1, "")
    assert err.startswith("This command takes no arguments\n")


INFO = {"config": {}, "stats": {"raft": {"term": "3", "applied_index": "16"}, "nomad": {"server": "true"}}}


def test_agent_info_is_sorted_blocks(stub: Stub) -> None:
    stub.on("GET", SELF, INFO)
    expected = "nomad\n  server = true\nraft\n  applied_index = 16\n  term = 3\n"
    assert run("agent-info", NOMAD_ADDR=stub.address) == (0, expected, "")


def test_agent_info_as_json(stub: Stub) -> None:
    stub.on("GET", SELF, INFO)
    assert run("agent-info", "-json", NOMAD_ADDR=stub.address) == (0, json.dumps(INFO, indent=4) + "\n", "")
