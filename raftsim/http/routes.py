"""From a path to its handler, as Go's ServeMux finds it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import quote

from raftsim.http import agent, autopilot, members, metrics, neighbours, raft, raftsim, status, vars
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse, text_response
from raftsim.http.query import unescape
from raftsim.http.view import AgentFacts

Handler = Callable[[HttpRequest, AgentFacts], HttpResponse | Ask]
Segments = tuple[str | None, ...]


def _segments(path: str) -> Segments:
    """Decoded one by one: an encoded slash never matches a real one."""
    return tuple(unescape(segment) for segment in path.split("/"))


_PLAIN_EXACT: Final[dict[str, Handler]] = {
    "/v1/agent/health": agent.health,
    "/v1/agent/members": agent.members,
    "/v1/agent/self": agent.about_self,
    "/v1/agent/servers": agent.servers,
    "/v1/metrics": metrics.metrics,
    "/v1/nodes": neighbours.nodes,
    "/v1/operator/autopilot/configuration": autopilot.configuration,
    "/v1/operator/autopilot/health": autopilot.health,
    "/v1/operator/license": neighbours.license,
    "/v1/raftsim/compaction": raftsim.compaction,
    "/v1/raftsim/fault/link": raftsim.link_fault,
    "/v1/raftsim/members": members.members,
    "/v1/raftsim/status": raftsim.status,
    "/v1/regions": status.regions,
    "/v1/status/leader": status.leader,
    "/v1/status/peers": status.peers,
    "/v1/system/gc": neighbours.nothing_to_do,
    "/v1/system/reconcile/summaries": neighbours.nothing_to_do,
    "/v1/vars": vars.list_variables,
}
_PLAIN_SUBTREES: Final[tuple[tuple[str, Handler], ...]] = (
    (vars.PREFIX, vars.one_variable),
    (raft.PREFIX, raft.dispatch),
)
_EXACT: Final = {_segments(path): handler for path, handler in _PLAIN_EXACT.items()}
_SUBTREES: Final = {_segments(prefix.removesuffix("/")): handler for prefix, handler in _PLAIN_SUBTREES}


def handle(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """Answer `request`, or say what must be asked of the server first."""
    handler = _at_once(request.raw_path)
    if handler is None:
        if request.path == "/":
            return _redirect(request, "/ui/")
        clean = clean_path(request.raw_path)
        segments = _segments(clean)
        if segments in _SUBTREES:
            clean += "/"
        if clean != request.raw_path:
            return _redirect(request, clean)
        handler = _EXACT.get(segments) or _subtree(segments)
    if handler is None:
        return HttpResponse(404)
    try:
        return handler(request, facts)
    except HttpError as error:
        return text_response(error.status, error.text)


def _at_once(path: str) -> Handler | None:
    """The handler of a path that is clean and not encoded, as nearly all are; None: look more closely."""
    if "//" in path or "/." in path or "%" in path:
        return None
    for prefix, handler in _PLAIN_SUBTREES:
        if path.startswith(prefix):
            return handler
    return _PLAIN_EXACT.get(path)


def clean_path(path: str) -> str:
    """Without empty, `.` and `..` segments; a slash at the end stays."""
    clean: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del clean[-1:]
        elif segment not in ("", "."):
            clean.append(segment)
    end = "/" if clean and path.endswith("/") else ""
    return "/" + "/".join(clean) + end


def _subtree(segments: Segments) -> Handler | None:
    return next((h for prefix, h in _SUBTREES.items() if segments[: len(prefix)] == prefix), None)


def _redirect(request: HttpRequest, path: str) -> HttpResponse:
    location = f"{path}?{request.raw_query}" if request.raw_query else path
    location = quote(location, safe="/?%:@!$&'()*+,;=~#[]", errors="surrogateescape")
    headers = {"Location": location}
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(307, headers)
    headers["Content-Type"] = "text/html; charset=utf-8"
    body = f'<a href="{escape(location)}">Temporary Redirect</a>.\n\n' if request.method == "GET" else ""
    return HttpResponse(307, headers, body.encode())
