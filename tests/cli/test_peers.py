"""`raftsim operator raft add-peer|promote-peer|demote-peer|replace-peers` against a scripted server."""

from __future__ import annotations

import json

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run

PATH = "/v1/raftsim/members"
PREFIX = ("operator", "raft")
ADDRESS = "127.0.0.1:4677"
UUID = "11111111-1111-4111-8111-111111111111"
SERVERS = [
    {"id": f"127.0.0.1:{port}", "address": f"127.0.0.1:{port}", "name": name}
    for port, name in ((4647, "n1.global"), (4657, "n2.global"), (4667, "n3.global"), (4677, None))
]


@pytest.mark.parametrize(
    ("words", "change", "told"),
    [
        (
            ("add-peer", f"-peer-address={ADDRESS}"),
            {"op": "non-voter", "address": ADDRESS},
            f'Added peer "{ADDRESS}" as a non-voter\n',
        ),
        (
            ("add-peer", f"-peer-address={ADDRESS}", f"-peer-id={UUID}"),
            {"op": "non-voter", "id": UUID, "address": ADDRESS},
            f'Added peer "{ADDRESS}" as a non-voter\n',
        ),
        (
            ("promote-peer", f"-peer-id={ADDRESS}"),
            {"op": "voter", "id": ADDRESS},
            f'Promoted peer with id "{ADDRESS}"\n',
        ),
        (
            ("demote-peer", f"-peer-address={ADDRESS}"),
            {"op": "non-voter", "address": ADDRESS},
            f'Demoted peer with address "{ADDRESS}"\n',
        ),
    ],
)
def test_one_change(stub: Stub, words: tuple[str, ...], change: dict[str, str], told: str) -> None:
    stub.on("PUT", PATH)
    assert run(*PREFIX, *words, NOMAD_ADDR=stub.address) == (0, told, "")
    assert json.loads(stub.requests[-1].body) == {"changes": [change]}


def test_several_are_replaced_in_one_step(stub: Stub) -> None:
    stub.on("GET", PATH, {"servers": SERVERS})
    stub.on("PUT", PATH)
    words = ("replace-peers", "-old=n2", "-old=n3.global", f"-new={ADDRESS}")
    assert run(*PREFIX, *words, NOMAD_ADDR=stub.address) == (
        0,
        f"Removed: n2, n3.global. Voters now: {ADDRESS}\n",
        "",
    )
    assert json.loads(stub.requests[-1].body) == {
        "changes": [
            {"op": "voter", "id": ADDRESS},
            {"op": "remove", "id": "127.0.0.1:4657"},
            {"op": "remove", "id": "127.0.0.1:4667"},
        ]
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add-peer",), "Error adding peer: an address is required for the peer to add\n"),
        (("promote-peer",), "Error promoting peer: an address or id is required for the peer\n"),
        (("demote-peer", "-peer-id=a", "-peer-address=b"), "Error demoting peer: cannot give both an address and id\n"),
        (("replace-peers",), "Error replacing peers: nothing to do; give -old and -new\n"),
    ],
)
def test_what_makes_no_sense_is_not_sent(stub: Stub, words: tuple[str, ...], told: str) -> None:
    assert run(*PREFIX, *words, NOMAD_ADDR=stub.address) == (1, "", told)
    assert stub.requests == []


def test_who_is_no_member_cannot_be_replaced(stub: Stub) -> None:
    stub.on("GET", PATH, {"servers": SERVERS})
    told = 'Error replacing peers: no member, or more than one, is called "n9"\n'
    assert run(*PREFIX, "replace-peers", "-old=n9", NOMAD_ADDR=stub.address) == (1, "", told)


def test_a_lagging_server_is_refused_with_the_reason(stub: Stub) -> None:
    why = f"refused, nothing was done: {ADDRESS} is 30 entries behind and was last heard 0.010 s ago"
    stub.on("PUT", PATH, why, status=500)
    told = f"Error promoting peer: Unexpected response code: 500 ({why})\n"
    assert run(*PREFIX, "promote-peer", f"-peer-id={ADDRESS}", NOMAD_ADDR=stub.address) == (1, "", told)
