"""The query parameters most endpoints share, checked in the order of the contract."""

from __future__ import annotations

from dataclasses import dataclass

from raftsim.http.message import HttpError, HttpRequest
from raftsim.http.query import Query, parse_bool, parse_duration, parse_int32, parse_uint
from raftsim.http.view import AgentFacts


@dataclass(frozen=True, slots=True)
class ReadParams:
    stale: bool
    prefix: str
    filter: str
    next_token: str
    per_page: int  # 0 or less: everything


def read_params(query: Query) -> ReadParams:
    """What reads understand. `wait` and `index` are checked too. Raises HttpError 400."""
    stale = _stale(query)
    per_page = parse_int32(query.first("per_page") or "0")
    if per_page is None:
        raise HttpError(400, "Expect a number for `per_page` query string parameter")
    if parse_duration(query.first("wait") or "0") is None:
        raise HttpError(400, "Invalid wait time")
    if isinstance(parse_uint(query.first("index") or "0"), str):
        raise HttpError(400, "Invalid index")
    return ReadParams(stale, query.first("prefix"), query.first("filter"), query.first("next_token"), per_page)


def namespace(query: Query) -> str:
    return query.first("namespace") or "default"


def is_own_region(query: Query, facts: AgentFacts) -> bool:
    return query.first("region") in ("", facts.region)


def check_region(query: Query, facts: AgentFacts) -> None:
    """Comes after all other checks of parameters, and before the leader is looked for."""
    if not is_own_region(query, facts):
        raise HttpError(500, NO_PATH_TO_REGION)


def require_method(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        raise HttpError(405, "Invalid method")


NO_PATH_TO_REGION = "No path to region"


def _stale(query: Query) -> bool:
    if "stale" not in query:
        return False
    stale = parse_bool(query.first("stale") or "true")
    if stale is None:
        raise HttpError(400, "Expect `true` or `false` for `stale` query string parameter")
    return stale
