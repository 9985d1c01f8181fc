"""How a case of the contract is written down and checked: the status line, every header, every byte of the body."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from raftsim.http.server import HttpServer
from raftsim.node.requests import Outcome, Request
from tests.http.fakes import FakeAgent, exchange, ok, status_of

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain; charset=utf-8"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
REFUSED = {**TEXT, "X-Raft-Outcome": "refused"}
UNKNOWN = {**TEXT, "X-Raft-Outcome": "unknown"}
STALE_TEXT = "Expect `true` or `false` for `stale` query string parameter"

_COMMON = {"Vary": "Accept-Encoding", "Raftsim": "1", "X-Raft-Term": "3", "X-Raft-Commit-Index": "17"}
_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
_REASONS = {
    200: "OK",
    204: "No Content",
    307: "Temporary Redirect",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
}


@dataclass
class Case:
    """`request` ("GET /path") with the body `send` gets the answer described; the agent is asked `asks`, if that."""

    request: str
    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asks: Request | None = None
    outcome: Outcome = field(default_factory=ok)
    send: str = ""
    dialect: int = 2
    role: str = "leader"
    length: int | None = None  # of the body that HEAD does not send


def names(case: Case) -> str:
    return f"{case.request} {case.outcome.reason} {case.send}"[:90]


async def check(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    agent.outcome, agent.raft_protocol, agent.state = case.outcome, case.dialect, status_of(case.role)
    reply = await exchange(server.port, case.request, case.send.encode())
    body = case.body.encode()
    length = {} if case.status == 204 else {"Content-Length": str(case.length or len(body))}
    assert _DATE.fullmatch(reply.headers.pop("Date"))
    assert reply.status == f"HTTP/1.1 {case.status} {_REASONS[case.status]}"
    assert reply.headers == {**_COMMON, **case.headers, **length}
    assert reply.body == body
    assert agent.asked == ([case.asks] if case.asks else [])
