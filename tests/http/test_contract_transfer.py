"""/v1/operator/raft/transfer-leadership: what is checked here, what the leader is asked, and how it may end."""

from __future__ import annotations

import pytest

from raftsim.http.server import HttpServer
from raftsim.node.requests import (
    NO_LEADER,
    NOT_A_VOTER,
    NOT_FOUND,
    NOT_TAKEN,
    TRANSFERRING,
    TransferLeadership,
)
from tests.http.contract import JSON, REFUSED, TEXT, Case, check, names
from tests.http.fakes import FakeAgent, ok, refused

PATH = "/v1/operator/raft/transfer-leadership"
UUID = "11111111-2222-3333-4444-555555555555"
ONE, TWO = ({"id": f"id-{number}", "address": f"127.0.0.1:46{number}7"} for number in (4, 5))
TWO_ID, TWO_ADDRESS = TransferLeadership(id="id-5"), TransferLeadership(address="127.0.0.1:4657")
FAILED = "failed to transfer leadership in 3 attempts. last error: "
GIVEN = ok({"noop": False, "from": ONE, "to": TWO})
KEPT = ok({"noop": True, "from": ONE, "to": ONE})


def body(to: str, noop: str) -> str:
    one = '{"Address":"127.0.0.1:4647","ID":"id-4"}'
    return f'{{"Err":null,"From":{one},"Noop":{noop},"To":{to}}}'


OTHER = '{"Address":"127.0.0.1:4657","ID":"id-5"}'
SAME = '{"Address":"127.0.0.1:4647","ID":"id-4"}'
FORMS = [
    ("", "must specify id or address"),
    ("?id=foo&address=bar", "must specify either id or address"),
    ("?id", "id must be non-empty"),
    ("?id=a&id=b", "must specify only one id"),
    ("?address=", "address must be non-empty"),
    ("?address=1.2.3.4:1&address=1.2.3.4:2", "must specify only one address"),
    ("?id=foo", "id must be a uuid: uuid string is wrong length"),
    ("?id=7bcd2c6e0e2c-4b3c-9c53-1f5b8b1c00011", "id must be a uuid: uuid is improperly formatted"),
    (f"?id=g{UUID[1:]}", "id must be a uuid: encoding/hex: invalid byte: U+0067 'g'"),
    ("?address=bar", "address must be in IP:port format: not an ip:port"),
    ("?address=1.2.3.4:", "address must be in IP:port format: no port"),
    ("?address=:4647", "address must be in IP:port format: no IP"),
    ("?address=[::1:4647", "address must be in IP:port format: missing ]"),
    (
        "?address=1.2.3.4:99999",
        'address must be in IP:port format: invalid port "99999" parsing "1.2.3.4:99999"',
    ),
    ("?address=foo:1", 'address must be in IP:port format: ParseAddr("foo"): unable to parse IP'),
]
CASES = [
    *(Case(f"PUT {PATH}{query}", 400, text, TEXT, dialect=3) for query, text in FORMS),
    *(Case(f"{method} {PATH}?address=nope", 405, "Invalid method", TEXT) for method in ("GET", "DELETE", "PATCH")),
    Case(f"PUT {PATH}?id=foo&region=x", 500, "No path to region", TEXT),
    Case(f"PUT {PATH}?id=id-5", 200, body(OTHER, "false"), JSON, TWO_ID, GIVEN),
    Case(f"POST {PATH}?id=id-4", 200, body(SAME, "true"), JSON, TransferLeadership(id="id-4"), KEPT),
    Case(f"PUT {PATH}?id={UUID}", 200, body(OTHER, "false"), JSON, TransferLeadership(id=UUID), GIVEN, dialect=3),
    Case(f"PUT {PATH}?address=127.0.0.1:4657", 200, body(OTHER, "false"), JSON, TWO_ADDRESS, GIVEN),
    Case(
        f"PUT {PATH}?id=id-5",
        400,
        'id "id-5" was not found in the Raft configuration',
        TEXT,
        TWO_ID,
        refused(NOT_FOUND, {"id": "id-5"}, forwarded=True),
    ),
    Case(f"PUT {PATH}?id=id-5", 500, "No cluster leader", REFUSED, TWO_ID, refused(NO_LEADER)),
    Case(f"PUT {PATH}?id=id-5", 500, f"{FAILED}node is not a voter", REFUSED, TWO_ID, refused(NOT_A_VOTER)),
    Case(f"PUT {PATH}?id=id-5", 500, f"{FAILED}leadership transfer timeout", REFUSED, TWO_ID, refused(NOT_TAKEN)),
    Case(
        f"PUT {PATH}?id=id-5",
        500,
        f"rpc error: {FAILED}leadership transfer in progress",
        REFUSED,
        TWO_ID,
        refused(TRANSFERRING, forwarded=True),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_transfer(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
