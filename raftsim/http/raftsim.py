"""/v1/raftsim/: what Nomad does not have. The state of this server as it is, and the switch for its links."""

from __future__ import annotations

from raftsim.http.jsonio import decode_body, json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import require_method
from raftsim.http.view import AgentFacts, LinkFaults


def status(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    require_method(request, "GET")
    return json_response(request, facts.status())


def link_fault(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """GET tells which peers are cut off and how many messages that cost; PUT replaces the set."""
    require_method(request, "GET", "PUT")
    faults = _allowed_faults(request, facts)
    if request.method == "PUT":
        faults.block(_peer_ids(request))
    return json_response(request, {"blocked": sorted(faults.blocked), "dropped": faults.dropped})


def _allowed_faults(request: HttpRequest, facts: AgentFacts) -> LinkFaults:
    if facts.link_faults is None:
        raise HttpError(403, "this server was started without -faults")
    if not is_loopback(request.remote):
        raise HttpError(403, "faults can be injected from the machine of this server only")
    return facts.link_faults


def _peer_ids(request: HttpRequest) -> list[str]:
    ids = decode_body(request, "raftsim.LinkFault").get("block")
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise HttpError(400, '"block" must be a list of server ids')
    return ids


def is_loopback(remote: str) -> bool:
    return remote == "::1" or remote.removeprefix("::ffff:").startswith("127.")
