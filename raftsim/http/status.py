"""/v1/status/ and /v1/regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raftsim.http.jsonio import json_response
from raftsim.http.message import Ask, HttpRequest, HttpResponse
from raftsim.http.params import check_region, read_params, require_method
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.node.requests import OK, Outcome, ReadMembership


def leader(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    return _membership(request, facts, lambda membership: membership["leader"])


def peers(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    return _membership(request, facts, lambda membership: [server["address"] for server in membership["servers"]])


def regions(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """There is one. Parameters are checked, but none has an effect."""
    require_method(request, "GET")
    read_params(request.query)
    return json_response(request, [facts.region])


def _membership(
    request: HttpRequest, facts: AgentFacts, view: Callable[[dict[str, Any]], object]
) -> HttpResponse | Ask:
    require_method(request, "GET")
    params = read_params(request.query)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        return json_response(request, view(outcome.value)) if outcome.kind == OK else failure(outcome)

    return Ask(ReadMembership(stale=params.stale), render)
