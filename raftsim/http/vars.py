"""/v1/vars and /v1/var/: Nomad's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from raftsim.http.goformat import quote
from raftsim.http.jsonio import decode_body, encode, is_pretty, json_response, kind
from raftsim.http.message import TEXT, Ask, HttpError, HttpRequest, HttpResponse, text_response
from raftsim.http.params import ReadParams, check_region, namespace, read_params, require_method
from raftsim.http.query import parse_uint
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.machine.base import InvalidRequest
from raftsim.machine.variables import check_delete, check_put, delete_command, put_command
from raftsim.node.requests import OK, Command, Outcome, Query

PREFIX: Final = "/v1/var/"
NEVER_MS: Final = ((1 << 63) - 1) // 1_000_000  # the longest time there is: no leader was ever heard of

_KINDS: Final = {
    "namespace": "string",
    "path": "string",
    "createindex": "number",
    "createtime": "number",
    "modifyindex": "number",
    "modifytime": "number",
    "items": "object",
    "lock": "object",
}
_TYPE: Final = "structs.VariableDecrypted"
_LOCK_OPERATIONS: Final = ("lock-acquire", "lock-renew", "lock-release")


def list_variables(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    require_method(request, "GET")
    params = _read_params(request)
    if params.filter:
        raise HttpError(
            400, "failed to create result paginator: failed to read filter expression: filters are not supported"
        )
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        page, next_token = _page(outcome.value["variables"], params)
        headers = _meta(outcome.value["index"], params, facts)
        if next_token:
            headers["X-Nomad-Nexttoken"] = next_token
        return json_response(request, page, headers)

    return Ask(Query(("list", namespace(request.query), params.prefix), params.stale), render)


def one_variable(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    path = request.path.removeprefix(PREFIX)
    if not path:
        raise HttpError(400, "missing variable path")
    match request.method:
        case "GET":
            return _get(request, facts, path)
        case "PUT" | "POST":
            return _put(request, facts, path)
        case "DELETE":
            return _delete(request, facts, path)
    raise HttpError(400, "Invalid method")


def _get(request: HttpRequest, facts: AgentFacts, path: str) -> Ask:
    params = _read_params(request)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        headers = _meta(outcome.value["index"], params, facts)
        variable = outcome.value["variable"]
        if variable is not None:
            return json_response(request, variable, headers)
        response = text_response(404, "variable not found")
        response.headers.update(headers)
        return response

    return Ask(Query(("get", namespace(request.query), path), params.stale), render)


def _put(request: HttpRequest, facts: AgentFacts, path: str) -> Ask:
    query = request.query
    if query and any(operation in query for operation in _LOCK_OPERATIONS):
        raise HttpError(501, "variable locks are not supported")
    body = decode_body(request, _TYPE)
    _check_kinds(body)
    items = _items(body)
    if not items:
        raise HttpError(400, "variable missing required Items object")
    cas = _cas(request)
    check_region(query, facts)
    space = body.get("namespace") or namespace(query)
    try:
        check_put(space, path, items)
    except InvalidRequest as error:
        raise HttpError(400, f"RPC Error:: 400,{error}") from None
    _check_no_lock(body)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        if outcome.value["result"] != "ok":
            return _conflict(request, outcome.value, space, path)
        return json_response(request, outcome.value["variable"], {"X-Nomad-Index": str(outcome.value["index"])})

    return Ask(Command(put_command(space, path, items, cas, facts.wall_ns())), render)


def _delete(request: HttpRequest, facts: AgentFacts, path: str) -> Ask:
    cas = _cas(request)
    check_region(request.query, facts)
    space = namespace(request.query)
    try:
        check_delete(space, path)
    except InvalidRequest as error:
        raise HttpError(400, f"RPC Error:: 400,{error}") from None

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        if outcome.value["result"] != "ok":
            return _conflict(request, outcome.value, space, path)
        return HttpResponse(204, {"X-Nomad-Index": str(outcome.value["index"])})

    return Ask(Command(delete_command(space, path, cas)), render)


def _read_params(request: HttpRequest) -> ReadParams:
    """These endpoints say it twice: the complaint itself, then that there was one."""
    try:
        return read_params(request.query)
    except HttpError as error:
        raise HttpError(error.status, f"{error.text}failed to parse parameters") from None


def _cas(request: HttpRequest) -> int | None:
    text = request.query.first("cas")
    if not text:
        return None
    cas = parse_uint(text)
    if isinstance(cas, str):
        raise HttpError(400, f"can not parse cas: strconv.ParseUint: parsing {quote(text)}: {cas}")
    return cas


def _check_kinds(body: Mapping[str, Any]) -> None:
    for name, wanted in _KINDS.items():
        if name in body and kind(body[name]) not in (wanted, "null"):
            raise HttpError(400, f"json: cannot unmarshal {kind(body[name])} into Go struct field {_TYPE}.{name}")


def _items(body: Mapping[str, Any]) -> dict[str, str]:
    items = body.get("items") or {}
    for value in items.values():
        if kind(value) not in ("string", "null"):
            raise HttpError(400, f"json: cannot unmarshal {kind(value)} into Go struct field {_TYPE}.items")
    return {key: value or "" for key, value in items.items()}


def _check_no_lock(body: Mapping[str, Any]) -> None:
    lock = {name.lower(): value for name, value in (body.get("lock") or {}).items() if value}
    if "ttl" in lock or "lockdelay" in lock:
        raise HttpError(400, "RPC Error:: 400,RPC Error:: 400,variable should not contain lock definition")
    if "id" in lock:
        raise HttpError(501, "variable locks are not supported")


def _conflict(request: HttpRequest, value: Mapping[str, Any], space: str, path: str) -> HttpResponse:
    """JSON in a body called text: the status was sent before anyone thought of the type."""
    nothing = {"CreateIndex": 0, "CreateTime": 0, "ModifyIndex": 0, "ModifyTime": 0, "Namespace": space, "Path": path}
    headers = {"Content-Type": TEXT, "X-Nomad-Index": str(value["index"])}
    return HttpResponse(409, headers, encode(value["variable"] or nothing, pretty=is_pretty(request)))


def _page(variables: list[dict[str, Any]], params: ReadParams) -> tuple[list[dict[str, Any]], str]:
    """The page that begins at the token `<namespace>.<path>`, and the token of the next one."""
    start, _, path = params.next_token.partition(".")
    rest = [variable for variable in variables if (variable["Namespace"], variable["Path"]) >= (start, path)]
    if params.per_page <= 0 or len(rest) <= params.per_page:
        return rest, ""
    following = rest[params.per_page]
    return rest[: params.per_page], f"{following['Namespace']}.{following['Path']}"


def _meta(index: int, params: ReadParams, facts: AgentFacts) -> dict[str, str]:
    """How fresh the answer is. What is not stale comes from the leader."""
    known, contact_ms = True, 0
    if params.stale:
        status = facts.status()
        known = status["leader"] is not None
        seconds = status["last_contact_s"]
        contact_ms = NEVER_MS if seconds is None else int(seconds * 1000)
    return {
        "X-Nomad-Index": str(index),
        "X-Nomad-Knownleader": "true" if known else "false",
        "X-Nomad-Lastcontact": str(contact_ms),
    }
