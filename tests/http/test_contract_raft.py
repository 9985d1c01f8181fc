"""/v1/operator/raft/, in both dialects, and the words for every way to fail."""

from __future__ import annotations

import pytest

from raftsim.http.server import HttpServer
from raftsim.node.requests import (
    BUSY,
    INVALID,
    LAST_VOTER,
    LEADERSHIP_LOST,
    LINK_LOST,
    NO_LEADER,
    NOT_FOUND,
    NOT_LEADER,
    NOT_READY,
    STOPPED,
    TIMED_OUT,
    UNREACHABLE,
    Outcome,
    ReadMembership,
    RemovePeer,
)
from tests.http.contract import JSON, REFUSED, STALE_TEXT, TEXT, UNKNOWN, Case, check, names
from tests.http.fakes import ADDRESSES, FakeAgent, exchange, membership, ok, refused, unknown

CONFIG = "/v1/operator/raft/configuration"
PEER = "/v1/operator/raft/peer"
LOCAL, LEADER = ReadMembership(stale=True), ReadMembership(stale=False)
MEMBERS = ok(membership())
NOBODY = ok({"index": 0, "leader": "", "servers": []})
NEITHER = "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove"


def config(first: str, second: str, node: str = "n1.global") -> str:
    """The two members of `membership`, with what stands for their protocols and the name of the second."""
    one = '"Address":"127.0.0.1:4647","ID":"127.0.0.1:4647","Leader":true,"Node":"n1.global"'
    two = f'"Address":"127.0.0.1:4657","ID":"127.0.0.1:4657","Leader":false,"Node":"{node}"'
    return (
        f'{{"Index":7,"Servers":[{{{one},"RaftProtocol":{first},"Voter":true}},'
        f'{{{two},"RaftProtocol":{second},"Voter":false}}]}}'
    )


BOTH = config("2", "2")
UNSEEN = config("2", '"unknown"', "(unknown)")
TYPED = config('"3"', '"3"')
RAFT = [
    Case(f"GET {CONFIG}", 200, BOTH, JSON, LEADER, MEMBERS),
    Case(f"GET {CONFIG}", 200, TYPED, JSON, LEADER, ok(membership(protocol=3)), dialect=3),
    Case(f"GET {CONFIG}", 200, UNSEEN, JSON, LEADER, ok(membership(name=None, raft_protocol=None))),
    Case(f"GET {CONFIG}", 200, '{"Index":0,"Servers":null}', JSON, LEADER, NOBODY),
    Case(f"GET {CONFIG}s?stale&x=;y;&bad=%&consistent&index=5&wait=10s", 200, BOTH, JSON, LOCAL, MEMBERS),
    Case(f"GET {CONFIG}?stale=True", 200, BOTH, JSON, LOCAL, MEMBERS),
    Case(f"GET {CONFIG}?stale=False&stale=True", 200, BOTH, JSON, LEADER, MEMBERS),
    Case(f"GET {CONFIG}?stale=a;b&region=global", 200, BOTH, JSON, LEADER, MEMBERS),
    Case(f"GET {CONFIG}?region=", 200, BOTH, JSON, LEADER, MEMBERS),
    Case(f"GET {CONFIG}?stale=maybe&region=x", 400, STALE_TEXT, TEXT),
    Case(f"GET {CONFIG}?wait=x&stale=x&per_page=x", 400, STALE_TEXT, TEXT),
    Case(f"GET {CONFIG}?per_page=x&wait=x", 400, "Expect a number for `per_page` query string parameter", TEXT),
    Case(f"GET {CONFIG}?wait=5&index=x", 400, "Invalid wait time", TEXT),
    Case(f"GET {CONFIG}?index=-1&region=x", 400, "Invalid index", TEXT),
    Case(f"GET {CONFIG}?region=nowhere", 500, "No path to region", TEXT),
    Case(f"POST {CONFIG}?stale=x", 405),
    Case(f"DELETE {CONFIG}", 405),
    Case(f"HEAD {CONFIG}", 405),
    Case("GET /v1/operator/raft/", 404, "Invalid method", TEXT),
    Case("GET /v1/operator/raft/zzz", 404, "Invalid method", TEXT),
    Case(f"POST {PEER}?id=x", 404, "Invalid method", TEXT),
    Case(f"PATCH {PEER}?id=x", 404, "Invalid method", TEXT),
    Case(f"HEAD {PEER}?id=x", 404, "", TEXT, length=14),
    Case(f"DELETE {PEER}?region=x", 400, NEITHER, TEXT),
    Case(f"DELETE {PEER}?id&address", 400, "Must specify only one of ?id or ?address", TEXT, dialect=3),
    Case(f"DELETE {PEER}?id=a;b&address=c%zz", 400, NEITHER, TEXT),
    Case(f"DELETE {PEER}?id=x&region=nowhere", 500, "No path to region", TEXT),
    Case(f"DELETE {PEER}?id=a&id=b&stale", 200, "", {}, RemovePeer(id="a")),
    Case(f"DELETE {PEER}s?address=127.0.0.1%3A4657", 200, "", {}, RemovePeer(address="127.0.0.1:4657"), dialect=3),
    Case(
        f"DELETE {PEER}?id=a%22b%5Cc%0Ad",
        500,
        'id "a\\"b\\\\c\\nd" was not found in the Raft configuration',
        REFUSED,
        RemovePeer(id='a"b\\c\nd'),
        refused(NOT_FOUND, {"id": 'a"b\\c\nd'}),
    ),
    Case(
        f"DELETE {PEER}?address=9.9.9.9:1",
        500,
        'rpc error: address "9.9.9.9:1" was not found in the Raft configuration',
        REFUSED,
        RemovePeer(address="9.9.9.9:1"),
        refused(NOT_FOUND, {"address": "9.9.9.9:1"}, forwarded=True),
    ),
    Case(
        f"DELETE {PEER}?id",
        500,
        'id "" was not found in the Raft configuration',
        REFUSED,
        RemovePeer(id=""),
        refused(NOT_FOUND, {"id": ""}),
    ),
]


def failing(text: str, headers: dict[str, str], outcome: Outcome, status: int = 500) -> Case:
    return Case(f"DELETE {PEER}?id=x", status, text, headers, RemovePeer(id="x"), outcome)


FAILURES = [
    failing("No cluster leader", REFUSED, refused(NO_LEADER)),
    failing("rpc error: Not ready to serve consistent reads", REFUSED, refused(NOT_READY, forwarded=True)),
    failing("node is not the leader", REFUSED, refused(NOT_LEADER)),
    failing("need at least one voter in configuration: {[]}", REFUSED, refused(LAST_VOTER, [])),
    failing(
        "rpc error: need at least one voter in configuration: {[{Nonvoter a 1.1.1.1:1} {Nonvoter b [::1]:2}]}",
        REFUSED,
        refused(LAST_VOTER, (("a", "1.1.1.1:1"), ("b", "[::1]:2")), forwarded=True),
    ),
    failing(
        "rpc error: failed to get conn: dial tcp 127.0.0.1:4657: connect: connection refused",
        REFUSED,
        refused(UNREACHABLE, "127.0.0.1:4657"),
    ),
    failing("rpc error: EOF", UNKNOWN, unknown(LINK_LOST, forwarded=True)),
    failing("leadership lost while committing log", UNKNOWN, unknown(LEADERSHIP_LOST)),
    failing("rpc error: leadership lost while committing log", UNKNOWN, unknown(LEADERSHIP_LOST, forwarded=True)),
    failing(
        "rpc error: timed out waiting for the leader's answer; the outcome is unknown", UNKNOWN, unknown(TIMED_OUT)
    ),
    failing("rpc error: timed out waiting for the leader's answer; nothing was changed", REFUSED, refused(TIMED_OUT)),
    failing("raft is already shutdown", UNKNOWN, unknown(STOPPED)),
    failing("too busy, nothing was done: max_x is reached", REFUSED, refused(BUSY, "max_x", forwarded=True), 429),
    failing("RPC Error:: 400,why", REFUSED, refused(INVALID, "why", forwarded=True), 400),
]


@pytest.mark.parametrize("case", [*RAFT, *FAILURES], ids=names)
async def test_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)


async def test_pretty_configuration(server: HttpServer, agent: FakeAgent) -> None:
    agent.outcome = ok({**membership(), "servers": membership()["servers"][:1]})
    reply = await exchange(server.port, f"GET {CONFIG}?pretty")
    assert reply.body.decode() == (
        '{\n    "Index": 7,\n    "Servers": [\n        {\n'
        f'            "Address": "{ADDRESSES[0]}",\n            "ID": "{ADDRESSES[0]}",\n'
        '            "Leader": true,\n            "Node": "n1.global",\n'
        '            "RaftProtocol": 2,\n            "Voter": true\n        }\n    ]\n}\n'
    )
