"""/v1/agent/: this server about itself."""

from __future__ import annotations

import os
import platform
from typing import Any, Final

from raftsim.http.goformat import duration
from raftsim.http.jsonio import encode, json_response
from raftsim.http.member import member_of
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse, text_response
from raftsim.http.params import NO_PATH_TO_REGION, is_own_region, read_params, require_method
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.node.presence import FAILED, LEFT
from raftsim.node.requests import OK, Outcome, ReadMembership

_STATES: Final = {"leader": "Leader", "follower": "Follower", "candidate": "Candidate", "pre-candidate": "Candidate"}


def about_self(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    require_method(request, "GET")
    status = facts.status()
    found = facts.members()
    stats = {
        "nomad": _nomad_stats(status, facts),
        "raft": _raft_stats(status),
        "runtime": _runtime_stats(),
        "serf": _serf_stats(found),
    }
    own = next(member for member in found if member["id"] == status["id"])
    return json_response(request, {"config": facts.config, "member": member_of(own, facts), "stats": stats})


def members(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """Who is alive in the eyes of this server, whichever region is asked about."""
    require_method(request, "GET")
    read_params(request.query)
    document = {
        "Members": [member_of(member, facts) for member in facts.members()],
        "ServerDC": facts.datacenter,
        "ServerName": facts.name,
        "ServerRegion": facts.region,
    }
    return json_response(request, document)


def servers(request: HttpRequest, _: AgentFacts) -> HttpResponse | Ask:
    """Which servers a client agent knows; this one is no client."""
    require_method(request, "GET", "PUT", "POST")
    raise HttpError(501, "Invalid method")


def health(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """Healthy is a server that finds a leader. `type` selects what is asked about; this agent is no client."""
    require_method(request, "GET")
    params = read_params(request.query)
    types = request.query.get("type", ["server"])
    if "server" not in types:
        return _health(request, types, "ok")
    if not is_own_region(request.query, facts):
        return _health(request, types, NO_PATH_TO_REGION)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return _health(request, types, failure(outcome).body.decode())
        return _health(request, types, "ok" if outcome.value["leader"] else "no leader")

    return Ask(ReadMembership(stale=params.stale), render)


def _health(request: HttpRequest, types: list[str], server: str) -> HttpResponse:
    messages = {"client": "client not enabled", "server": server}
    # The order of keys within is not that of the alphabet when something is wrong: another encoder writes it then.
    told = {type: {"ok": messages[type] == "ok", "message": messages[type]} for type in messages if type in types}
    if all(agent["ok"] for agent in told.values()):
        return json_response(request, told)
    return text_response(500, encode(told, sort_keys=False).decode())


def _nomad_stats(status: dict[str, Any], facts: AgentFacts) -> dict[str, str]:
    return {
        "bootstrap": _bool(facts.config.get("Server", {}).get("BootstrapExpect") == 1),
        "known_regions": "1",
        "leader": _bool(status["role"] == "leader"),
        "leader_addr": status["leader_address"],
        "server": "true",
    }


def _raft_stats(status: dict[str, Any]) -> dict[str, str]:
    servers = status["configuration"]["servers"]
    voters = [server["id"] for server in servers if server["voter"]]
    configuration = " ".join(
        f"{{Suffrage:{'Voter' if server['voter'] else 'Nonvoter'} ID:{server['id']} Address:{server['address']}}}"
        for server in servers
    )
    numbers = {
        "applied_index": status["applied_index"],
        "commit_index": status["commit_index"],
        "fsm_pending": 0,
        "last_log_index": status["last_log_index"],
        "last_log_term": status["last_log_term"],
        "last_snapshot_index": status["snapshot_index"],
        "last_snapshot_term": status["snapshot_term"],
        "latest_configuration_index": status["configuration"]["index"],
        "num_peers": len(voters) - 1 if status["id"] in voters else 0,
        "protocol_version": status["raft_protocol"],
        "protocol_version_max": 3,
        "protocol_version_min": 0,
        "snapshot_version_max": 1,
        "snapshot_version_min": 0,
        "term": status["term"],
    }
    return {
        **{name: str(number) for name, number in numbers.items()},
        "last_contact": _last_contact(status),
        "latest_configuration": f"[{configuration}]",
        "logstore_backend": "wal",
        "state": _STATES[status["role"]],
    }


def _serf_stats(members: list[dict[str, Any]]) -> dict[str, str]:
    """There is no gossip: what counts its traffic is nought."""
    statuses = [member["status"] for member in members]
    return {
        "coordinate_resets": "0",
        "encrypted": "false",
        "event_queue": "0",
        "event_time": "0",
        "failed": str(statuses.count(FAILED)),
        "health_score": "0",
        "intent_queue": "0",
        "left": str(statuses.count(LEFT)),
        "member_time": "0",
        "members": str(len(members)),
        "query_queue": "0",
        "query_time": "0",
    }


def _runtime_stats() -> dict[str, str]:
    return {
        "arch": platform.machine(),
        "cpu_count": str(os.cpu_count()),
        "kernel.name": platform.system().lower(),
        "version": f"python{platform.python_version()}",
    }


def _last_contact(status: dict[str, Any]) -> str:
    if status["role"] == "leader":
        return "0"
    seconds = status["last_contact_s"]
    return "never" if seconds is None else duration(round(seconds * 1e9))


def _bool(value: bool) -> str:
    return "true" if value else "false"
