"""/v1/raftsim/members: who is a member, and changes of that."""

from __future__ import annotations

import json

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.http.server import HttpServer
from raftsim.node.requests import INVALID, LAGGING, NO_LEADER, NOT_FOUND, ChangeMembership, ReadMembership
from tests.http.contract import JSON, REFUSED, STALE_TEXT, TEXT, Case, check, names
from tests.http.fakes import FakeAgent, membership, ok, refused

PATH = "/v1/raftsim/members"
PUT = f"PUT {PATH}"
A, B = "127.0.0.1:4647", "127.0.0.1:4657"
UUID = "11111111-1111-4111-8111-111111111111"


def body(*changes: object) -> str:
    return json.dumps({"changes": changes})


def asks(*changes: tuple[str, str, str]) -> ChangeMembership:
    return ChangeMembership(changes)


VIEW = membership(returning=True)
SHOWN = json.dumps(VIEW, sort_keys=True, separators=(",", ":"))
ADD = body({"op": "non-voter", "address": B})
ADDS = asks((LEARNER, B, B))
LIST = '"changes" must be a list of 1 to 25 objects'
OBJECT = "change 1: it must be an object with op, id, address"

CASES = [
    Case(f"GET {PATH}", 200, SHOWN, JSON, ReadMembership(), ok(VIEW)),
    Case(f"GET {PATH}?stale", 200, SHOWN, JSON, ReadMembership(stale=True), ok(VIEW)),
    Case(f"GET {PATH}?stale=perhaps", 400, STALE_TEXT, TEXT),
    Case(f"GET {PATH}", 500, "No cluster leader", REFUSED, ReadMembership(), refused(NO_LEADER)),
    Case(f"GET {PATH}?region=mars", 500, "No path to region", TEXT),
    Case(f"DELETE {PATH}", 405, "Invalid method", TEXT),
    Case(PUT, 200, "", asks=ADDS, send=ADD),
    Case(PUT, 200, "", asks=asks((VOTER, B, B)), send=body({"op": "voter", "id": B})),
    Case(
        PUT,
        200,
        "",
        asks=asks((VOTER, B, B), (REMOVE, A, A)),
        send=body({"op": "voter", "id": B}, {"op": "remove", "id": A, "address": A}),
    ),
    Case(f"{PUT}?region=mars", 500, "No path to region", TEXT, send=ADD),
    Case(PUT, 500, "refused, nothing was done: why", REFUSED, ADDS, refused(LAGGING, "why"), ADD),
    Case(PUT, 400, "nothing was done: why", TEXT, ADDS, refused(INVALID, "why"), ADD),
    Case(PUT, 400, "Request body is empty", TEXT),
    Case(PUT, 400, LIST, TEXT, send="{}"),
    Case(PUT, 400, LIST, TEXT, send=body()),
    Case(PUT, 400, LIST, TEXT, send=body(*[{"op": "remove", "id": A}] * 26)),
    Case(PUT, 400, OBJECT, TEXT, send=body(7)),
    Case(PUT, 400, OBJECT, TEXT, send=body({"op": "voter", "id": A, "vote": True})),
    Case(
        PUT, 400, 'change 1: "op" must be one of voter, non-voter, remove', TEXT, send=body({"op": "learner", "id": A})
    ),
    Case(PUT, 400, 'change 1: "op" must be one of voter, non-voter, remove', TEXT, send=body({"op": [], "id": A})),
    Case(PUT, 400, 'change 1: "id" or "address" must name the server', TEXT, send=body({"op": "voter"})),
    Case(PUT, 400, 'change 1: "id" or "address" must name the server', TEXT, send=body({"op": "voter", "id": 7})),
    Case(
        PUT,
        400,
        "change 1: 'n4' is not an address: host:port is expected",
        TEXT,
        send=body({"op": "voter", "id": "n4"}),
    ),
    Case(
        PUT,
        400,
        "change 1: with raft_protocol 2 the id of a server is its address",
        TEXT,
        send=body({"op": "voter", "id": A, "address": B}),
    ),
    Case(
        PUT,
        200,
        "",
        asks=asks((LEARNER, UUID, B)),
        send=body({"op": "non-voter", "id": UUID, "address": B}),
        dialect=3,
    ),
    Case(PUT, 200, "", asks=asks((VOTER, "", B)), send=body({"op": "voter", "address": B}), dialect=3),
    Case(
        PUT,
        400,
        f'address "{B}" was not found in the Raft configuration',
        TEXT,
        asks((VOTER, "", B)),
        refused(NOT_FOUND, {"address": B}),
        body({"op": "voter", "address": B}),
        3,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
