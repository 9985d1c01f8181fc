"""Routing and redirects, /v1/status/, /v1/regions, /v1/agent/ and /v1/raftsim/."""

from __future__ import annotations

import pytest

from raftsim.http.server import HttpServer
from raftsim.node.requests import NO_LEADER, ReadMembership
from tests.http.contract import HTML, JSON, REFUSED, STALE_TEXT, TEXT, Case, check, names
from tests.http.fakes import FakeAgent, membership, ok, refused

PEER = "/v1/operator/raft/peer"
LOCAL, LEADER = ReadMembership(stale=True), ReadMembership(stale=False)
MEMBERS = ok(membership())
NONE = refused(NO_LEADER)

TRANSPORT = [
    Case("GET /v1/nope", 404),
    Case("GET /v1/status/leader/", 404),
    Case("GET /v1/status%2Fleader", 404),
    Case("HEAD /v1/nope", 404),
    Case("GET /", 307, '<a href="/ui/">Temporary Redirect</a>.\n\n', {**HTML, "Location": "/ui/"}),
    Case("GET /?a=b", 307, '<a href="/ui/?a=b">Temporary Redirect</a>.\n\n', {**HTML, "Location": "/ui/?a=b"}),
    Case("HEAD /", 307, "", {**HTML, "Location": "/ui/"}),
    Case("POST /", 307, "", {"Location": "/ui/"}),
    Case("PUT /v1/var", 307, "", {"Location": "/v1/var/"}),
    Case("DELETE //v1/./x/../operator//raft/peer?id=a%22", 307, "", {"Location": f"{PEER}?id=a%22"}),
    Case("PUT /v1/operator/raft?a&b", 307, "", {"Location": "/v1/operator/raft/?a&b"}),
    Case("PUT //evil.example/%41", 307, "", {"Location": "/evil.example/%41"}),
    Case("PUT /v1//<%C3%A9>", 307, "", {"Location": "/v1/%3C%C3%A9%3E"}),
    Case("GET /v1/%zz", 400, "400 Bad Request", TEXT),
    Case("GET /v1/%6fperator/raft/", 404, "Invalid method", TEXT),
    Case("GET http://h:1/v1/regions?a", 200, '["global"]', JSON),
    Case("OPTIONS *", 400, "400 Bad Request", TEXT),
]

STATUS = [
    Case("GET /v1/status/leader", 200, '"127.0.0.1:4647"', JSON, LEADER, MEMBERS),
    Case("GET /v1/status/leader?stale=", 200, '""', JSON, LOCAL, ok(membership(""))),
    Case("GET /v1/status/leader?pretty", 200, '"127.0.0.1:4647"\n', JSON, LEADER, MEMBERS),
    Case("GET /v1/status/leader", 500, "No cluster leader", REFUSED, LEADER, NONE),
    Case("GET /v1/status/leader?stale=2", 400, STALE_TEXT, TEXT),
    Case("GET /v1/status/leader?region=x", 500, "No path to region", TEXT),
    Case("POST /v1/status/leader", 405, "Invalid method", TEXT),
    Case("HEAD /v1/status/leader", 405, "", TEXT, length=14),
    Case("GET /v1/status/peers", 200, '["127.0.0.1:4647","127.0.0.1:4657"]', JSON, LEADER, MEMBERS),
    Case("GET /v1/status/peers?pretty=0", 200, "[]", JSON, LEADER, ok({"leader": "", "servers": ()})),
    Case("GET /v1/status/peers?pretty=false", 200, "[]\n", JSON, LEADER, ok({"leader": "", "servers": []})),
    Case(
        "GET /v1/status/peers?pretty=1",
        200,
        '[\n    "127.0.0.1:4647",\n    "127.0.0.1:4657"\n]\n',
        JSON,
        LEADER,
        MEMBERS,
    ),
    Case("GET /v1/regions?region=nowhere&stale", 200, '["global"]', JSON),
    Case("GET /v1/regions?index=x", 400, "Invalid index", TEXT),
    Case("POST /v1/regions", 405, "Invalid method", TEXT),
]

HEALTHY = '{"server":{"message":"ok","ok":true}}'
NO_CLIENT = '"client":{"ok":false,"message":"client not enabled"}'
HEALTH = "/v1/agent/health"
ALONE = (
    '{"Members":[{"Addr":"127.0.0.1","DelegateCur":4,"DelegateMax":5,"DelegateMin":2,"Name":"n1.global","Port":4647,'
    '"ProtocolCur":2,"ProtocolMax":5,"ProtocolMin":1,"Status":"alive","Tags":{"build":"0.1.0","dc":"dc1",'
    '"id":"127.0.0.1:4647","port":"4647","raft_vsn":"2","region":"global","revision":"","role":"nomad",'
    '"rpc_addr":"127.0.0.1","vsn":"1"}}],"ServerDC":"dc1","ServerName":"n1","ServerRegion":"global"}'
)
AGENT = [
    Case("POST /v1/agent/self", 405, "Invalid method", TEXT),
    Case("GET /v1/agent/members", 200, ALONE, JSON),
    Case("GET /v1/agent/members?region=nowhere&stale=true", 200, ALONE, JSON),
    Case("GET /v1/agent/members?stale=x", 400, STALE_TEXT, TEXT),
    Case("PUT /v1/agent/members", 405, "Invalid method", TEXT),
    Case("HEAD /v1/agent/members", 405, "", TEXT, length=14),
    Case("GET /v1/agent/servers", 501, "Invalid method", TEXT),
    Case("PUT /v1/agent/servers?address=1.2.3.4:4647", 501, "Invalid method", TEXT),
    Case("POST /v1/agent/servers", 501, "Invalid method", TEXT),
    Case("DELETE /v1/agent/servers", 405, "Invalid method", TEXT),
    Case(f"GET {HEALTH}", 200, HEALTHY, JSON, LEADER, MEMBERS),
    Case(f"GET {HEALTH}?type=server&type=bogus", 200, HEALTHY, JSON, LEADER, MEMBERS),
    Case(f"GET {HEALTH}?type=bogus", 200, "{}", JSON),
    Case(f"GET {HEALTH}?type=client", 500, f"{{{NO_CLIENT}}}", TEXT),
    Case(
        f"GET {HEALTH}?type=client&type=server",
        500,
        f'{{{NO_CLIENT},"server":{{"ok":true,"message":"ok"}}}}',
        TEXT,
        LEADER,
        MEMBERS,
    ),
    Case(f"GET {HEALTH}", 500, '{"server":{"ok":false,"message":"No cluster leader"}}', TEXT, LEADER, NONE),
    Case(f"GET {HEALTH}?stale", 500, '{"server":{"ok":false,"message":"no leader"}}', TEXT, LOCAL, ok(membership(""))),
    Case(f"GET {HEALTH}?region=x", 500, '{"server":{"ok":false,"message":"No path to region"}}', TEXT),
    Case(f"GET {HEALTH}?stale=x", 400, STALE_TEXT, TEXT),
    Case(f"PUT {HEALTH}", 405, "Invalid method", TEXT),
]

NEIGHBOURS = [
    Case("GET /v1/nodes", 200, "[]", JSON, LEADER, MEMBERS),
    Case("GET /v1/nodes?stale&prefix=1", 200, "[]", JSON, LOCAL, MEMBERS),
    Case("GET /v1/nodes", 500, "No cluster leader", REFUSED, LEADER, NONE),
    Case("GET /v1/nodes?region=x", 500, "No path to region", TEXT),
    Case("POST /v1/nodes", 405, "Invalid method", TEXT),
    Case("PUT /v1/system/gc", 200),
    Case("PUT /v1/system/gc?region=x", 500, "No path to region", TEXT),
    Case("POST /v1/system/gc", 405, "Invalid method", TEXT),
    Case("PUT /v1/system/reconcile/summaries", 200),
    Case("GET /v1/system/reconcile/summaries", 405, "Invalid method", TEXT),
    Case("GET /v1/operator/license", 204),
    Case("PUT /v1/operator/license", 501, "Nomad Enterprise only endpoint", TEXT),
]

OWN = [
    Case("PUT /v1/raftsim/status", 405, "Invalid method", TEXT),
    Case("GET /v1/raftsim/fault/link", 403, "this server was started without -faults", TEXT),
    Case("PUT /v1/raftsim/fault/link", 403, "this server was started without -faults", TEXT, send="{}"),
    Case("POST /v1/raftsim/fault/link", 405, "Invalid method", TEXT, send="{}"),
    Case("GET /v1/raftsim/nope", 404),
]


@pytest.mark.parametrize("case", [*TRANSPORT, *STATUS, *AGENT, *NEIGHBOURS, *OWN], ids=names)
async def test_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
