"""/v1/operator/raft/transfer-leadership: who shall lead next."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from raftsim.http.goformat import quote
from raftsim.http.jsonio import json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse, text_response
from raftsim.http.params import check_region, require_method
from raftsim.http.query import Query
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure, not_found
from raftsim.node.requests import NOT_FOUND, OK, Outcome, TransferLeadership

_UUID_LENGTH: Final = 36
_DASHES: Final = (8, 13, 18, 23)


def transfer(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    require_method(request, "PUT", "POST")
    query = request.query
    asked = _target(query, facts.raft_protocol)
    check_region(query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind == OK:
            value = outcome.value
            ends = {end.title(): {"Address": value[end]["address"], "ID": value[end]["id"]} for end in ("from", "to")}
            return json_response(request, {"Err": None, "Noop": value["noop"], **ends})
        if outcome.reason == NOT_FOUND:
            return text_response(400, not_found(**outcome.detail))  # 500 where a peer is removed, and prefixed there
        return failure(outcome)

    return Ask(asked, render)


def _target(query: Query, dialect: int) -> TransferLeadership:
    by_id, by_address = "id" in query, "address" in query
    if not by_id and not by_address:
        raise HttpError(400, "must specify id or address")
    if by_id and by_address:
        raise HttpError(400, "must specify either id or address")
    name = "id" if by_id else "address"
    value = query.first(name)
    if not value:
        raise HttpError(400, f"{name} must be non-empty")
    if len(query[name]) > 1:
        raise HttpError(400, f"must specify only one {name}")
    if by_id:
        # In the older dialect an id is an address, in no fixed form.
        if dialect == 3 and (wrong := _wrong_uuid(value)):
            raise HttpError(400, f"id must be a uuid: {wrong}")
        return TransferLeadership(id=value)
    if wrong := _wrong_address(value):
        raise HttpError(400, f"address must be in IP:port format: {wrong}")
    return TransferLeadership(address=value)


def _wrong_uuid(text: str) -> str:
    """Why this is no UUID, as Go's clients know it; empty if it is one."""
    if len(text.encode()) != _UUID_LENGTH:
        return "uuid string is wrong length"
    if any(text[place] != "-" for place in _DASHES):
        return "uuid is improperly formatted"
    strange = re.search("[^0-9a-fA-F]", text.replace("-", "", len(_DASHES)))
    return f"encoding/hex: invalid byte: U+{ord(strange[0]):04X} '{strange[0]}'" if strange else ""


def _wrong_address(text: str) -> str:
    """Why this is no literal ip:port; empty if it is one."""
    ip, colon, port = text.rpartition(":")
    if not colon:
        return "not an ip:port"
    if not ip:
        return "no IP"
    if not port:
        return "no port"
    if ip.startswith("["):
        if not ip.endswith("]"):
            return "missing ]"
        ip = ip[1:-1]
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        return f"invalid port {quote(port)} parsing {quote(text)}"
    try:
        ip_address(ip)
    except ValueError:
        return f"ParseAddr({quote(ip)}): unable to parse IP"
    return ""
