"""/v1/vars and /v1/var/."""

from __future__ import annotations

import pytest

from raftsim.http.server import HttpServer
from raftsim.machine.variables import delete_command, put_command
from raftsim.node.requests import LEADERSHIP_LOST, LINK_LOST, NO_LEADER, Command, Query, Request
from tests.http.contract import JSON, REFUSED, TEXT, UNKNOWN, Case, check, names
from tests.http.fakes import NOW_NS, FakeAgent, ok, refused, unknown

META = {"X-Nomad-Index": "9", "X-Nomad-Knownleader": "true", "X-Nomad-Lastcontact": "0"}
STALE_META = {"X-Nomad-Index": "9", "X-Nomad-Knownleader": "false", "X-Nomad-Lastcontact": "9223372036854"}
META_KEYS = f'"CreateIndex":7,"CreateTime":{NOW_NS}'
LISTED = {"CreateIndex": 7, "CreateTime": NOW_NS, "ModifyIndex": 9, "ModifyTime": NOW_NS, "Namespace": "default"}
STORED = {**LISTED, "Path": "a/b", "Items": {"k": "é<>&\u2028"}}
SHOWN = (
    f'{{{META_KEYS},"Items":{{"k":"é<>&\\u2028"}},"ModifyIndex":9,"ModifyTime":{NOW_NS},'
    '"Namespace":"default","Path":"a/b"}'
)
ZERO = '{"CreateIndex":0,"CreateTime":0,"ModifyIndex":0,"ModifyTime":0,"Namespace":"default","Path":"a/b"}'
ITEMS = '{"Items":{"k":"v"}}'
FOUND = ok({"variable": STORED, "index": 9})
DONE = ok({"result": "ok", "variable": STORED, "index": 9})
CONFLICT = ok({"result": "conflict", "variable": STORED, "index": 9})
INDEX = {"X-Nomad-Index": "9"}


def put(
    path: str = "a/b", items: dict[str, str] | None = None, cas: int | None = None, space: str = "default"
) -> Command:
    return Command(put_command(space, path, {"k": "v"} if items is None else items, cas, NOW_NS))


def refusing(text: str, path: str = "a/b", body: str = ITEMS, status: int = 400) -> Case:
    return Case(f"PUT /v1/var/{path}", status, text, TEXT, send=body)


def listed(*paths: str) -> str:
    one = f'{{{META_KEYS},"ModifyIndex":9,"ModifyTime":{NOW_NS},"Namespace":"default","Path":"%s"}}'
    return "[" + ",".join(one % path for path in paths) + "]"


def listing(query: str, body: str, headers: dict[str, str] = META, asks: Request | None = None) -> Case:
    outcome = ok({"variables": [{**LISTED, "Path": path} for path in ("p/a", "p/b", "p/c")], "index": 9})
    default = Query(("list", "default", "p/"))
    return Case(f"GET /v1/vars?prefix=p/{query}", 200, body, {**JSON, **headers}, asks or default, outcome)


VARS = [
    Case(
        "GET /v1/vars", 200, "[]", {**JSON, **META}, Query(("list", "default", "")), ok({"variables": (), "index": 9})
    ),
    listing("&namespace=*", listed("p/a", "p/b", "p/c"), asks=Query(("list", "*", "p/"))),
    listing("&per_page=2", listed("p/a", "p/b"), {**META, "X-Nomad-Nexttoken": "default.p/c"}),
    listing("&per_page=2&next_token=default.p%2Fb", listed("p/b", "p/c")),
    listing("&per_page=-1&next_token=other.p%2Fb", "[]"),
    Case("POST /v1/vars", 405, "Invalid method", TEXT),
    Case("GET /v1/vars?wait=x", 400, "Invalid wait timefailed to parse parameters", TEXT),
    Case(
        "GET /v1/vars?filter=%3D%3D",
        400,
        "failed to create result paginator: failed to read filter expression: filters are not supported",
        TEXT,
    ),
    Case("GET /v1/vars?region=x", 500, "No path to region", TEXT),
    Case("GET /v1/vars", 500, "No cluster leader", REFUSED, Query(("list", "default", "")), refused(NO_LEADER)),
    Case("GET /v1/var/", 400, "missing variable path", TEXT),
    Case("PATCH /v1/var/", 400, "missing variable path", TEXT),
    Case("PATCH /v1/var/a", 400, "Invalid method", TEXT),
    Case("OPTIONS /v1/var/a", 400, "Invalid method", TEXT),
    Case("HEAD /v1/var/a", 400, "", TEXT, length=14),
    Case("GET /v1/var/a/b", 200, SHOWN, {**JSON, **META}, Query(("get", "default", "a/b")), FOUND),
    Case(
        "GET /v1/var/a%2Fb?namespace=n&index=3&wait=1m", 200, SHOWN, {**JSON, **META}, Query(("get", "n", "a/b")), FOUND
    ),
    Case(
        "GET /v1/var/a?stale",
        404,
        "variable not found",
        {**TEXT, **STALE_META},
        Query(("get", "default", "a"), stale=True),
        ok({"variable": None, "index": 9}),
        role="follower",
    ),
    Case("GET /v1/var/a?index=x", 400, "Invalid indexfailed to parse parameters", TEXT),
    Case("GET /v1/var/a?region=x", 500, "No path to region", TEXT),
    Case("GET /v1/var/a", 500, "rpc error: EOF", UNKNOWN, Query(("get", "default", "a")), unknown(LINK_LOST)),
    Case("PUT /v1/var/a/b", 200, SHOWN, {**JSON, **INDEX}, put(), DONE, ITEMS),
    Case("POST /v1/var/a/b?cas=&namespace=x", 200, SHOWN, {**JSON, **INDEX}, put(space="x"), DONE, ITEMS),
    Case("PUT /v1/var/a/b?cas=5&cas=6", 200, SHOWN, {**JSON, **INDEX}, put(cas=5), DONE, ITEMS),
    Case(
        "PUT /v1/var/a/b?namespace=x",
        200,
        SHOWN,
        {**JSON, **INDEX},
        put(items={"k": "", "é": "\ufffd"}, space="y"),
        DONE,
        ' {"items":{"k":null,"é":"\\ud800"},"NameSpace":"y","Path":"zzz","CreateIndex":5,"Lock":null,"X":[1]} trailing',
    ),
    Case("PUT /v1/var/a/b?cas=0", 409, SHOWN, {**TEXT, **INDEX}, put(cas=0), CONFLICT, ITEMS),
    Case(
        "PUT /v1/var/a/b?cas=9",
        409,
        ZERO,
        {**TEXT, "X-Nomad-Index": "0"},
        put(cas=9),
        ok({"result": "conflict", "variable": None, "index": 0}),
        ITEMS,
    ),
    Case(
        "PUT /v1/var/a/b", 500, "leadership lost while committing log", UNKNOWN, put(), unknown(LEADERSHIP_LOST), ITEMS
    ),
    Case(
        "PUT /v1/var/big",
        200,
        SHOWN,
        {**JSON, **INDEX},
        put("big", {"k": "x" * 65535}),
        DONE,
        f'{{"Items":{{"k":"{"x" * 65535}"}}}}',
    ),
    refusing("Request body is empty", body=""),
    refusing("EOF", body="  "),
    refusing("unexpected EOF", body='{"Items":{"k":'),
    refusing("invalid character 'x' looking for beginning of value", body="x"),
    refusing("json: cannot unmarshal array into Go value of type structs.VariableDecrypted", body="[]"),
    refusing(
        "json: cannot unmarshal number into Go struct field structs.VariableDecrypted.items", body='{"Items":{"k":1}}'
    ),
    refusing("json: cannot unmarshal bool into Go struct field structs.VariableDecrypted.path", body='{"Path":true}'),
    refusing("variable missing required Items object", body="null"),
    refusing("variable missing required Items object", body='{"Items":null}'),
    refusing("variable missing required Items object", "a/b?cas=abc", '{"Items":{}}'),
    refusing('can not parse cas: strconv.ParseUint: parsing "abc": invalid syntax', "a?cas=abc&region=x"),
    refusing(
        'can not parse cas: strconv.ParseUint: parsing "18446744073709551616": value out of range',
        "a?cas=18446744073709551616",
    ),
    refusing("No path to region", "a.b?region=x", status=500),
    refusing('RPC Error:: 400,invalid path "a.b"', "a.b?namespace=*"),
    refusing(
        "RPC Error:: 400,variables are limited to 64KiB in total size", "big", f'{{"Items":{{"k":"{"x" * 65536}"}}}}'
    ),
    refusing('RPC Error:: 400,can not target wildcard ("*")namespace', "a?namespace=*"),
    refusing('RPC Error:: 400,invalid namespace "a b"', "a?namespace=a+b"),
    refusing(
        'RPC Error:: 400,"nomad" is a reserved top-level directory path, but you may write variables to '
        '"nomad/jobs", "nomad/job-templates", "nomad/sentinel", or below',
        "nomad",
    ),
    refusing(
        'RPC Error:: 400,only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths '
        'under the top-level "nomad" directory',
        "nomad/x",
    ),
    refusing(
        "RPC Error:: 400,RPC Error:: 400,variable should not contain lock definition",
        body='{"Items":{"k":"v"},"Lock":{"TTL":"15s"}}',
    ),
    refusing("variable locks are not supported", body='{"Items":{"k":"v"},"Lock":{"ID":"x"}}', status=501),
    refusing("variable locks are not supported", "a?lock-acquire", body="{}", status=501),
    Case(
        "DELETE /v1/var/a.b?cas=3",
        204,
        "",
        INDEX,
        Command(delete_command("default", "a.b", 3)),
        ok({"result": "ok", "variable": None, "index": 9}),
    ),
    Case(
        "DELETE /v1/var/a/b?cas=0&pretty=0",
        409,
        SHOWN,
        {**TEXT, **INDEX},
        Command(delete_command("default", "a/b", 0)),
        CONFLICT,
    ),
    Case("DELETE /v1/var/a?cas=-1", 400, 'can not parse cas: strconv.ParseUint: parsing "-1": invalid syntax', TEXT),
    Case("DELETE /v1/var/a?namespace=*", 400, 'RPC Error:: 400,can not target wildcard ("*")namespace', TEXT),
    Case("DELETE /v1/var/a?region=x", 500, "No path to region", TEXT),
    Case(
        "DELETE /v1/var/a",
        500,
        "No cluster leader",
        REFUSED,
        Command(delete_command("default", "a", None)),
        refused(NO_LEADER),
    ),
]


@pytest.mark.parametrize("case", VARS, ids=names)
async def test_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
