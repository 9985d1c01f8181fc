"""Handlers called in process, as the simulated world calls them, and the few answers too large for the tables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from raftsim.http.message import Ask, HttpResponse, make_request
from raftsim.http.routes import clean_path, handle
from raftsim.http.words import failure
from raftsim.node import requests
from tests.http.fakes import ADDRESSES, FakeAgent, FakeFaults, member_of, refused, status_of

LINK = "/v1/raftsim/fault/link"


def answer(agent: FakeAgent, method: str, target: str, body: bytes = b"", remote: str = "127.0.0.1") -> HttpResponse:
    response = handle(make_request(method, target, body=body, remote=remote), agent)
    assert not isinstance(response, Ask)
    return response


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/", "/"),
        ("//", "/"),
        ("/a/", "/a/"),
        ("/a//b", "/a/b"),
        ("/a/./b/.", "/a/b"),
        ("/../a/..", "/"),
        ("/a/../..//b//", "/b/"),
        ("/a%2F%2e", "/a%2F%2e"),
    ],
)
def test_clean_path(path: str, clean: str) -> None:
    assert clean_path(path) == clean


def test_redirects_are_printable() -> None:
    for path in ("/v1//é", "/v1//\udcff", '/v1//"<>'):
        location = answer(FakeAgent(), "GET", path).headers["Location"]
        assert location.isascii()
        assert location.startswith("/v1/%")
    escaped = answer(FakeAgent(), "GET", "/v1//?a='&b").body
    assert escaped == b'<a href="/v1/?a=&#x27;&amp;b">Temporary Redirect</a>.\n\n'


def test_every_reason_has_words() -> None:
    details: dict[str, Any] = {requests.NOT_FOUND: {"id": "x"}, requests.LAST_VOTER: []}
    names = ("OK", "REFUSED", "UNKNOWN")
    reasons = {v for k, v in vars(requests).items() if k.isupper() and isinstance(v, str) and k not in names}
    assert len(reasons) >= 12
    for reason in sorted(reasons):
        assert failure(refused(reason, details.get(reason, "x"))).body


def test_members_are_told_with_their_status_and_tags() -> None:
    failed = member_of("n2.global", id="b", address="[::1]:4657", nonvoter=True, status="failed", datacenter="dc2")
    unknown = member_of(None, address="10.0.0.3:4647", raft_protocol=None, datacenter="", build="", status="failed")
    told = json.loads(answer(FakeAgent(others=[failed, unknown]), "GET", "/v1/agent/members").body)["Members"]
    assert [(member["Name"], member["Addr"], member["Port"], member["Status"]) for member in told] == [
        ("n1.global", "127.0.0.1", 4647, "alive"),
        ("n2.global", "::1", 4657, "failed"),
        ("(unknown)", "10.0.0.3", 4647, "failed"),
    ]
    assert [member["Tags"].get("nonvoter") for member in told] == [None, "1", None]
    assert {value for member in told for value in map(type, member["Tags"].values())} == {str}
    assert (told[1]["Tags"]["dc"], told[1]["Tags"]["id"], told[1]["Tags"]["port"]) == ("dc2", "b", "4657")
    assert (told[2]["Tags"]["raft_vsn"], told[2]["Tags"]["build"]) == ("2", "")


def test_gossip_is_counted_by_the_members() -> None:
    others = [
        member_of(f"n{number}", id=str(number), status=status) for number, status in enumerate(("left", "failed"))
    ]
    stats = json.loads(answer(FakeAgent(others=others), "GET", "/v1/agent/self").body)["stats"]
    assert [stats["serf"][key] for key in ("members", "failed", "left", "encrypted")] == ["3", "1", "1", "false"]
    assert sorted(stats) == ["nomad", "raft", "runtime", "serf"]
    assert all(type(value) is str and value for group in stats.values() for value in group.values())


def test_about_self() -> None:
    told = json.loads(answer(FakeAgent(), "GET", "/v1/agent/self?region=ignored&stale=ignored").body)
    assert told["config"] == {"Region": "global", "Server": {"BootstrapExpect": 1}}
    assert told["member"]["Name"] == "n1.global"
    assert (told["member"]["Addr"], told["member"]["Port"]) == ("127.0.0.1", 4647)
    assert told["member"]["Tags"] == {
        **told["member"]["Tags"],
        "dc": "dc1",
        "id": ADDRESSES[0],
        "port": "4647",
        "raft_vsn": "2",
        "region": "global",
        "role": "nomad",
        "rpc_addr": "127.0.0.1",
    }
    assert told["stats"]["nomad"] == {
        "bootstrap": "true",
        "known_regions": "1",
        "leader": "true",
        "leader_addr": ADDRESSES[0],
        "server": "true",
    }
    assert told["stats"]["raft"] == {
        "applied_index": "16",
        "commit_index": "17",
        "fsm_pending": "0",
        "last_contact": "0",
        "last_log_index": "18",
        "last_log_term": "3",
        "last_snapshot_index": "0",
        "last_snapshot_term": "0",
        "latest_configuration": "[{Suffrage:Voter ID:127.0.0.1:4647 Address:127.0.0.1:4647} "
        "{Suffrage:Nonvoter ID:127.0.0.1:4657 Address:127.0.0.1:4657}]",
        "latest_configuration_index": "1",
        "logstore_backend": "wal",
        "num_peers": "0",
        "protocol_version": "2",
        "protocol_version_max": "3",
        "protocol_version_min": "0",
        "snapshot_version_max": "1",
        "snapshot_version_min": "0",
        "state": "Leader",
        "term": "3",
    }


@pytest.mark.parametrize(
    ("role", "contact_s", "state", "contact"),
    [
        ("follower", 0.0123, "Follower", "12.3ms"),
        ("candidate", None, "Candidate", "never"),
        ("pre-candidate", 61.0, "Candidate", "1m1s"),
    ],
)
def test_about_a_follower(role: str, contact_s: float | None, state: str, contact: str) -> None:
    agent = FakeAgent(state=status_of(role, last_contact_s=contact_s, address="[::1]:4647"))
    told = json.loads(answer(agent, "GET", "/v1/agent/self").body)
    assert (told["stats"]["raft"]["state"], told["stats"]["raft"]["last_contact"]) == (state, contact)
    assert told["stats"]["nomad"]["leader"] == "false"
    assert told["member"]["Addr"] == "::1"


def test_raftsim_status_is_the_status_of_the_node() -> None:
    agent = FakeAgent()
    compact = answer(agent, "GET", "/v1/raftsim/status").body.decode()
    assert compact == json.dumps(agent.status(), sort_keys=True, separators=(",", ":"))
    assert answer(agent, "GET", "/v1/raftsim/status?pretty").body.decode() == (
        json.dumps(agent.status(), sort_keys=True, indent=4) + "\n"
    )


def test_link_faults() -> None:
    faults = FakeFaults(dropped=4)
    agent = FakeAgent(link_faults=faults)
    assert answer(agent, "GET", LINK).body == b'{"blocked":[],"dropped":4}'
    response = answer(agent, "PUT", LINK, b'{"block":["b","a","b"]}', "::1")
    assert (response.status, response.body) == (200, b'{"blocked":["a","b"],"dropped":4}')
    assert faults.blocked == {"a", "b"}
    answer(agent, "PUT", LINK, b'{"block":[]}')
    assert faults.blocked == frozenset()


@pytest.mark.parametrize("body", [b"{}", b'{"block":null}', b'{"block":"a"}', b'{"block":[1]}', b"[]", b"", b"{"])
def test_link_faults_that_make_no_sense_change_nothing(body: bytes) -> None:
    faults = FakeFaults(frozenset("a"))
    assert answer(FakeAgent(link_faults=faults), "PUT", LINK, body).status == 400
    assert faults.blocked == {"a"}


@pytest.mark.parametrize("remote", ["10.0.0.1", "", "::2", "::ffff:10.0.0.1", "1270.0.0.1"])
def test_link_faults_are_not_for_strangers(remote: str) -> None:
    faults = FakeFaults()
    for method in ("GET", "PUT"):
        response = answer(FakeAgent(link_faults=faults), method, LINK, b'{"block":["a"]}', remote)
        assert response.status == 403
        assert response.body == b"faults can be injected from the machine of this server only"
    assert faults.blocked == frozenset()


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_loopback_addresses(remote: str) -> None:
    assert answer(FakeAgent(link_faults=FakeFaults()), "GET", LINK, remote=remote).status == 200
