"""Requests and answers as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from raftsim.http.query import Query, parse_query, unescape
from raftsim.node.requests import Outcome, Request

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"


class HttpError(Exception):
    """What a handler raises to answer with an error: a status and a plain text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


@dataclass(slots=True)
class HttpRequest:
    """One request. Header names are in lower case; `remote` is the client's address without its port."""

    method: str
    raw_path: str  # as it was sent, still percent-encoded
    path: str
    raw_query: str
    query: Query
    headers: Mapping[str, str]
    body: bytes
    remote: str


@dataclass(slots=True)
class HttpResponse:
    """One answer. The transport adds what every answer carries and the length of the body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class Ask:
    """An answer that needs the server: put `request` to it, then `render` the outcome."""

    request: Request
    render: Callable[[Outcome], HttpResponse]


def make_request(
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    remote: str = "127.0.0.1",
) -> HttpRequest:
    """Take the target of a request line apart. Raises HttpError when it is no path or badly percent-encoded."""
    raw_path, _, raw_query = _origin_form(target).partition("?")
    path = unescape(raw_path)
    if path is None or not raw_path.startswith("/"):
        raise bad_request()
    return HttpRequest(method, raw_path, path, raw_query, parse_query(raw_query), headers or {}, body, remote)


def bad_request() -> HttpError:
    """This is no HTTP, or not understood by everyone in the same way."""
    return HttpError(400, "400 Bad Request")


def text_response(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, {"Content-Type": TEXT}, text.encode())


def _origin_form(target: str) -> str:
    """Proxies may send the whole URL (RFC 9112 section 3.2.2)."""
    if target.startswith(("http://", "https://")):
        _, slash, rest = target.partition("://")[2].partition("/")
        return slash + rest
    return target
