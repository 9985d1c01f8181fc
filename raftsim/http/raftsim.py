"""/v1/raftsim/: what Nomad does not have. The state of a server, when it takes snapshots, the switch for its links."""

from __future__ import annotations

from raftsim.http.jsonio import decode_body, json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import require_method
from raftsim.http.view import AgentFacts, LinkFaults
from raftsim.http.words import failure
from raftsim.node.requests import INVALID, OK, Outcome, ReadStatus, SetCompaction


def status(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """The state of this server, or with `leader` that of the leader."""
    require_method(request, "GET")
    if "leader" not in request.query:
        return json_response(request, facts.status())
    return Ask(
        ReadStatus(leader=True),
        lambda outcome: json_response(request, outcome.value) if outcome.kind == OK else failure(outcome),
    )


def compaction(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """When this server takes snapshots; PUT changes what it names, until the server restarts."""
    require_method(request, "GET", "PUT")
    if request.method == "GET":
        return json_response(request, facts.status()["compaction"])

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind == OK:
            return json_response(request, outcome.value)
        if outcome.reason == INVALID:
            raise HttpError(400, outcome.detail)
        return failure(outcome)

    return Ask(_policy(request), render)


def link_fault(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """GET tells which peers are cut off and how many messages that cost; PUT replaces the set."""
    require_method(request, "GET", "PUT")
    faults = _allowed_faults(request, facts)
    if request.method == "PUT":
        faults.block(_peer_ids(request))
    return json_response(request, {"blocked": sorted(faults.blocked), "dropped": faults.dropped})


def _policy(request: HttpRequest) -> SetCompaction:
    given = decode_body(request, "raftsim.Compaction")
    for name, value in given.items():
        if name not in SetCompaction.__slots__:
            raise HttpError(400, f'"{name}" is no part of the policy: {", ".join(SetCompaction.__slots__)}')
        if type(value) is not float or not value.is_integer():
            raise HttpError(400, f'"{name}" must be a whole number')
    return SetCompaction(**{name: int(value) for name, value in given.items()})


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
