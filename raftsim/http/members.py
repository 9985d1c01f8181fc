"""/v1/raftsim/members: who is a member and has a vote, and changes of that; Nomad leaves them to its autopilot."""

from __future__ import annotations

from typing import Any, Final

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.http.jsonio import decode_body, json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse, text_response
from raftsim.http.params import check_region, read_params, require_method
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure, not_found
from raftsim.node.requests import INVALID, NOT_FOUND, OK, ChangeMembership, Outcome, ReadMembership
from raftsim.wire.address import endpoint

MAX_CHANGES: Final = 25  # in one request
_OPS: Final = {"voter": VOTER, "non-voter": LEARNER, "remove": REMOVE}
_KEYS: Final = ("op", "id", "address")


def members(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """GET: who is a member. PUT: the changes in the body, all in one step; answered when they are in force."""
    require_method(request, "GET", "PUT")
    if request.method == "PUT":
        changes = _changes(request, facts)
        check_region(request.query, facts)
        return Ask(ChangeMembership(changes), _changed)
    stale = read_params(request.query).stale
    check_region(request.query, facts)
    return Ask(
        ReadMembership(stale=stale),
        lambda outcome: json_response(request, outcome.value) if outcome.kind == OK else failure(outcome),
    )


def _changed(outcome: Outcome) -> HttpResponse:
    if outcome.kind == OK:
        return HttpResponse()
    if outcome.reason == INVALID:
        return text_response(400, f"nothing was done: {outcome.detail}")
    if outcome.reason == NOT_FOUND:
        return text_response(400, not_found(**outcome.detail))
    return failure(outcome)


def _changes(request: HttpRequest, facts: AgentFacts) -> tuple[tuple[str, str, str], ...]:
    given = decode_body(request, "raftsim.Changes").get("changes")
    if not isinstance(given, list) or not 0 < len(given) <= MAX_CHANGES:
        raise HttpError(400, f'"changes" must be a list of 1 to {MAX_CHANGES} objects')
    return tuple(_change(number, item, facts.raft_protocol) for number, item in enumerate(given, 1))


def _change(number: int, item: Any, dialect: int) -> tuple[str, str, str]:
    if not isinstance(item, dict) or not item.keys() <= set(_KEYS):
        raise HttpError(400, f"change {number}: it must be an object with {', '.join(_KEYS)}")
    op, id, address = (item.get(key, "") for key in _KEYS)
    if not isinstance(op, str) or op not in _OPS:
        raise HttpError(400, f'change {number}: "op" must be one of {", ".join(_OPS)}')
    if not isinstance(id, str) or not isinstance(address, str) or not (id or address):
        raise HttpError(400, f'change {number}: "id" or "address" must name the server')
    try:
        for text in filter(None, (address, id if dialect == 2 else "")):
            endpoint(text)
    except ValueError as error:
        raise HttpError(400, f"change {number}: {error}") from None
    if dialect == 2:
        if id and address and id != address:
            raise HttpError(400, f"change {number}: with raft_protocol 2 the id of a server is its address")
        id = address = id or address
    return _OPS[op], id, address
