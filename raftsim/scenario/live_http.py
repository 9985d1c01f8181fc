"""Talking to live servers as a client does: status documents, requests with their outcomes, the switch for links."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote

from raftsim.node.requests import (
    LINK_LOST,
    OK,
    REFUSED,
    UNKNOWN,
    UNREACHABLE,
    ChangeMembership,
    Outcome,
    RemovePeer,
    TransferLeadership,
)
from raftsim.scenario.read_steps import CHANGES
from raftsim.scenario.target import ITEM, ReadVariable, TargetError, WriteVariable
from raftsim.scenario.view import Status

HOST = "127.0.0.1"
STATUS_TIMEOUT_S = 1.0
REQUEST_TIMEOUT_S = 40.0  # longer than a server takes to give up, so that the outcome is the server's to tell
MAX_BODY_BYTES = 1 << 20
MAX_REASON_CHARS = 200
_OPS = {op: word for word, op in CHANGES.items()}

LiveAsk = WriteVariable | ReadVariable | RemovePeer | ChangeMembership | TransferLeadership


class StatusReader:
    """Reads the status of one server again and again, over one connection."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=STATUS_TIMEOUT_S)

    def read(self) -> Status | None:
        """None when the server does not answer."""
        try:
            self._connection.request("GET", "/v1/raftsim/status")
            response = self._connection.getresponse()
            body = response.read(MAX_BODY_BYTES)
            found: Status | None = json.loads(body) if response.status == 200 else None
        except (OSError, HTTPException, ValueError):
            self.close()
            return None
        return found

    def close(self) -> None:
        """The next read opens a new connection."""
        self._connection.close()


def ask(port: int, request: LiveAsk) -> Outcome:
    """Send a request and wait for how it ends. Never raises: a broken connection is an outcome too."""
    method, path, body = _http(request)
    connection = HTTPConnection(HOST, port, timeout=REQUEST_TIMEOUT_S)
    try:
        connection.connect()
    except OSError:
        connection.close()
        return Outcome(REFUSED, reason=UNREACHABLE)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return _outcome(request, response, response.read(MAX_BODY_BYTES))
    except (OSError, HTTPException, ValueError):
        return Outcome(UNKNOWN, reason=LINK_LOST)
    finally:
        connection.close()


def block_links(port: int, peer_ids: list[str] | None) -> int:
    """Cut the server on this port off from these peers; None: change nothing. Returns how many messages it dropped.

    Raises TargetError.
    """
    connection = HTTPConnection(HOST, port, timeout=STATUS_TIMEOUT_S)
    try:
        if peer_ids is None:
            connection.request("GET", "/v1/raftsim/fault/link")
        else:
            connection.request("PUT", "/v1/raftsim/fault/link", json.dumps({"block": peer_ids}))
        response = connection.getresponse()
        body = response.read(MAX_BODY_BYTES)
        if response.status != 200:
            raise TargetError(f"the server on port {port} does not cut links: {body.decode(errors='replace')}")
        return int(json.loads(body)["dropped"])
    except (OSError, HTTPException, ValueError) as error:
        raise TargetError(f"the server on port {port} does not cut links: {error}") from None
    finally:
        connection.close()


def _http(request: LiveAsk) -> tuple[str, str, str | None]:
    if isinstance(request, WriteVariable):
        return "PUT", f"/v1/var/{request.path}", json.dumps({"Items": {ITEM: request.value}})
    if isinstance(request, ReadVariable):
        return "GET", f"/v1/var/{request.path}", None
    if isinstance(request, ChangeMembership):
        changes = [{"op": _OPS[op], "id": id, "address": address} for op, id, address in request.changes]
        return "PUT", "/v1/raftsim/members", json.dumps({"changes": changes})
    id = quote(request.id or "", safe="")
    if isinstance(request, TransferLeadership):
        return "PUT", f"/v1/operator/raft/transfer-leadership?id={id}", None
    return "DELETE", f"/v1/operator/raft/peer?id={id}", None


def _outcome(request: LiveAsk, response: HTTPResponse, body: bytes) -> Outcome:
    if isinstance(request, ReadVariable) and response.status in {200, 404}:
        variable: Any = json.loads(body) if response.status == 200 else None
        return Outcome(OK, {"variable": variable})
    if response.status == 200:
        return Outcome(OK)
    # An answer that does not say what became of the request leaves it unknown.
    refused = response.headers.get("X-Raft-Outcome") == REFUSED or response.status < 500
    reason = body.decode(errors="replace")[:MAX_REASON_CHARS]
    return Outcome(REFUSED if refused else UNKNOWN, reason=reason)
