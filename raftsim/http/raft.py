"""/v1/operator/raft/: who is a member, and who shall be one no more."""

from __future__ import annotations

from typing import Any

from raftsim.http.jsonio import json_response
from raftsim.http.member import UNKNOWN
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import check_region, read_params
from raftsim.http.transfer import transfer
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.node.requests import OK, Outcome, ReadMembership, RemovePeer

PREFIX = "/v1/operator/raft/"


def dispatch(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """What follows the prefix decides, by its beginning: `peers` is taken for `peer`."""
    what = request.path.removeprefix(PREFIX)
    if what.startswith("configuration"):
        return _configuration(request, facts)
    if what.startswith("peer"):
        return _remove_peer(request, facts)
    if what.startswith("transfer-leadership"):
        return transfer(request, facts)
    raise HttpError(404, "Invalid method")


def _configuration(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    if request.method != "GET":
        return HttpResponse(405)
    params = read_params(request.query)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        servers = [_server(server, facts.raft_protocol) for server in outcome.value["servers"]]
        return json_response(request, {"Index": outcome.value["index"], "Servers": servers or None})

    return Ask(ReadMembership(stale=params.stale), render)


def _server(server: dict[str, Any], dialect: int) -> dict[str, Any]:
    """In dialect 2 the protocol is a number, as first documented; today's typed clients need a string."""
    protocol = server["raft_protocol"]
    if protocol is None:
        protocol = "unknown"
    return {
        "Address": server["address"],
        "ID": server["id"],
        "Leader": server["leader"],
        "Node": server["name"] or UNKNOWN,
        "RaftProtocol": protocol if dialect == 2 else str(protocol),
        "Voter": server["voter"],
    }


def _remove_peer(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    query = request.query
    if request.method != "DELETE":
        raise HttpError(404, "Invalid method")
    by_id, by_address = "id" in query, "address" in query
    if not by_id and not by_address:
        raise HttpError(400, "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove")
    if by_id and by_address:
        raise HttpError(400, "Must specify only one of ?id or ?address")
    check_region(query, facts)
    peer = RemovePeer(id=query.first("id")) if by_id else RemovePeer(address=query.first("address"))
    return Ask(peer, lambda outcome: HttpResponse() if outcome.kind == OK else failure(outcome))
