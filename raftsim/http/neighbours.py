"""Small endpoints of Nomad that tools look at on their way: there is nothing behind them here, and they say so."""

from __future__ import annotations

from raftsim.http.jsonio import json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import check_region, read_params, require_method
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.node.requests import OK, Outcome, ReadMembership


def nodes(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """The client nodes: there are none. Who is no leader, and finds none, does not know even that."""
    require_method(request, "GET")
    params = read_params(request.query)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        return json_response(request, []) if outcome.kind == OK else failure(outcome)

    return Ask(ReadMembership(stale=params.stale), render)


def nothing_to_do(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """Collect the garbage of jobs, or count them anew: there are no jobs."""
    require_method(request, "PUT")
    check_region(request.query, facts)
    return HttpResponse()


def license(request: HttpRequest, _: AgentFacts) -> HttpResponse | Ask:
    """What only an enterprise has."""
    require_method(request, "GET", "PUT")
    if request.method == "PUT":
        raise HttpError(501, "Nomad Enterprise only endpoint")
    return HttpResponse(204)
