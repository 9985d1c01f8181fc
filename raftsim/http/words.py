"""Outcomes that are not ok, put into the words operators and client libraries know.

A text gets the prefix `rpc error: ` exactly when it came back from another server uncoded, or tells how the way there
failed. `X-Raft-Outcome` says what the status code cannot: `refused` (nothing happened) or `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from raftsim.http.goformat import quote
from raftsim.http.message import HttpResponse, text_response
from raftsim.node.requests import (
    BUSY,
    INVALID,
    LAGGING,
    LAST_VOTER,
    LEADERSHIP_LOST,
    LINK_LOST,
    NO_LEADER,
    NOT_A_VOTER,
    NOT_FOUND,
    NOT_LEADER,
    NOT_READY,
    NOT_TAKEN,
    STOPPED,
    TIMED_OUT,
    TRANSFERRING,
    UNKNOWN,
    UNREACHABLE,
    Outcome,
)

_TEXTS: Final[Mapping[str, Callable[[Outcome], str]]] = {
    NO_LEADER: lambda _: "No cluster leader",
    NOT_READY: lambda _: "Not ready to serve consistent reads",
    NOT_LEADER: lambda _: "node is not the leader",
    LEADERSHIP_LOST: lambda _: "leadership lost while committing log",
    LINK_LOST: lambda _: "EOF",
    STOPPED: lambda _: "raft is already shutdown",
    INVALID: lambda outcome: f"RPC Error:: 400,{outcome.detail}",
    BUSY: lambda outcome: f"too busy, nothing was done: {outcome.detail} is reached",
    UNREACHABLE: lambda outcome: f"failed to get conn: dial tcp {outcome.detail}: connect: connection refused",
    NOT_FOUND: lambda outcome: not_found(**outcome.detail),
    LAGGING: lambda outcome: f"refused, nothing was done: {outcome.detail}",
    NOT_A_VOTER: lambda _: _not_handed_over("node is not a voter"),
    TRANSFERRING: lambda _: _not_handed_over("leadership transfer in progress"),
    NOT_TAKEN: lambda _: _not_handed_over("leadership transfer timeout"),
    LAST_VOTER: lambda outcome: _last_voter(outcome.detail),
    TIMED_OUT: lambda outcome: _timed_out(outcome.kind == UNKNOWN),
}
_CODES: Final = {INVALID: 400, BUSY: 429}
_ON_THE_WAY: Final = (UNREACHABLE, LINK_LOST, TIMED_OUT)


def failure(outcome: Outcome) -> HttpResponse:
    """The answer for an outcome that is refused or unknown."""
    text = _TEXTS[outcome.reason](outcome)
    status = _CODES.get(outcome.reason, 500)
    if status == 500 and (outcome.forwarded or outcome.reason in _ON_THE_WAY):
        text = f"rpc error: {text}"
    response = text_response(status, text)
    response.headers["X-Raft-Outcome"] = outcome.kind
    return response


def not_found(id: str | None = None, address: str | None = None) -> str:
    wanted = f"address {quote(address)}" if address is not None else f"id {quote(id or '')}"
    return f"{wanted} was not found in the Raft configuration"


def _last_voter(rest: Sequence[tuple[str, str]]) -> str:
    remaining = " ".join(f"{{Nonvoter {id} {address}}}" for id, address in rest)
    return f"need at least one voter in configuration: {{[{remaining}]}}"


def _not_handed_over(error: str) -> str:
    return f"failed to transfer leadership in 3 attempts. last error: {error}"


def _timed_out(unknown: bool) -> str:
    end = "the outcome is unknown" if unknown else "nothing was changed"
    return f"timed out waiting for the leader's answer; {end}"
