"""/v1/operator/autopilot/: what the autopilot is told, and how it sees the servers.

Nomad writes the configuration, and each server of the health, with an encoder of their own: in a fixed order of keys,
and never indented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from raftsim import __version__
from raftsim.http.goformat import duration, quote
from raftsim.http.jsonio import decode_body, encode, is_pretty, json_response, kind
from raftsim.http.message import JSON, TEXT, Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import check_region, read_params
from raftsim.http.query import duration_problem, parse_duration, parse_uint
from raftsim.http.view import AgentFacts
from raftsim.http.words import failure
from raftsim.machine.autopilot import AutopilotConfig, set_command
from raftsim.node.requests import OK, Command, Outcome, Query, ReadStatus

_FIELDS: Final = {  # by key, in the order of the answer: the field of AutopilotConfig, and what Go calls its type
    "LastContactThreshold": ("last_contact_threshold_ns", "string"),
    "ServerStabilizationTime": ("server_stabilization_time_ns", "string"),
    "CleanupDeadServers": ("cleanup_dead_servers", "bool"),
    "MaxTrailingLogs": ("max_trailing_logs", "uint64"),
    "MinQuorum": ("min_quorum", "uint"),
    "EnableRedundancyZones": ("enable_redundancy_zones", "bool"),
    "DisableUpgradeMigration": ("disable_upgrade_migration", "bool"),
    "EnableCustomUpgrades": ("enable_custom_upgrades", "bool"),
}
_INDEXES: Final = {"CreateIndex": "create_index", "ModifyIndex": "modify_index"}
_ZERO: Final[Mapping[str, Any]] = {"string": 0, "bool": False, "uint64": 0, "uint": 0}


def configuration(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """GET: what the autopilot is told. PUT: all of it anew; what the body leaves out is false, zero or 0s."""
    if request.method == "PUT":
        return _set(request, facts)
    _require_get(request)
    params = read_params(request.query)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        config = outcome.value
        told = {key: _shown(config[field], type) for key, (field, type) in _FIELDS.items()}
        told |= {key: config[field] for key, field in _INDEXES.items()}
        end = b"\n" if is_pretty(request) else b""
        return HttpResponse(200, {"Content-Type": JSON}, encode(told, sort_keys=False) + end)

    return Ask(Query(("autopilot",), params.stale), render)


def health(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    """How the leader sees the servers; 429 unless all are well."""
    _require_get(request)
    read_params(request.query)
    check_region(request.query, facts)

    def render(outcome: Outcome) -> HttpResponse:
        if outcome.kind != OK:
            return failure(outcome)
        # A follower that was just deposed, or a leader that has not looked yet, has nothing to tell.
        seen = outcome.value["autopilot"] or {"healthy": False, "failure_tolerance": 0, "servers": [], "voters": []}
        # JSON in a body called text: the status was sent before anyone thought of the type.
        status, type = (200, JSON) if seen["healthy"] else (429, TEXT)
        return HttpResponse(status, {"Content-Type": type}, _health(seen, pretty=is_pretty(request)))

    return Ask(ReadStatus(leader=True), render)


def _require_get(request: HttpRequest) -> None:
    if request.method != "GET":
        raise HttpError(404, "Invalid method")


def _set(request: HttpRequest, facts: AgentFacts) -> Ask:
    try:
        config = _config(decode_body(request, "structs.AutopilotConfig"))
    except HttpError as error:
        raise HttpError(400, f"Error parsing autopilot config: {error.text}") from None
    cas = _cas(request)
    check_region(request.query, facts)
    return Ask(
        Command(set_command(config, cas)),
        lambda outcome: json_response(request, outcome.value["applied"]) if outcome.kind == OK else failure(outcome),
    )


def _cas(request: HttpRequest) -> int | None:
    if "cas" not in request.query:
        return None
    text = request.query.first("cas")
    cas = parse_uint(text)
    if isinstance(cas, str):
        raise HttpError(400, f"Error parsing cas value: strconv.ParseUint: parsing {quote(text)}: {cas}")
    return cas


def _config(body: Mapping[str, Any]) -> AutopilotConfig:
    """Types first, as Go does, then what the texts say."""
    given = {key: (body.get(key.lower()), type) for key, (_, type) in _FIELDS.items()}
    for key, (value, type) in given.items():
        if value is not None and not _is_of(value, type):
            number = f" {value:g}" if kind(value) == "number" and type.startswith("uint") else ""
            raise HttpError(
                400, f"json: cannot unmarshal {kind(value)}{number} into Go struct field .{key} of type {type}"
            )
    return AutopilotConfig(**{_FIELDS[key][0]: _read(value, type) for key, (value, type) in given.items()})


def _is_of(value: Any, type: str) -> bool:
    if type.startswith("uint"):
        return isinstance(value, float) and value.is_integer() and 0 <= value < 1 << 64
    return kind(value) == type


def _read(value: Any, type: str) -> Any:
    if value is None or value == "":
        return _ZERO[type]
    if type != "string":
        return int(value) if type.startswith("uint") else value
    duration_ns = parse_duration(value)
    if duration_ns is None:
        raise HttpError(400, duration_problem(value))
    return duration_ns


def _shown(value: Any, type: str) -> Any:
    return duration(value) if type == "string" else value


def _health(seen: Mapping[str, Any], *, pretty: bool) -> bytes:
    leader = next((server["id"] for server in seen["servers"] if server["leader"]), "")
    servers = [encode(_server(server), sort_keys=False) for server in seen["servers"]]
    told = {
        "FailureTolerance": seen["failure_tolerance"],
        "Healthy": seen["healthy"],
        "Leader": leader,
        "Servers": [] if servers else None,
        "Voters": seen["voters"],
    }
    colon, begin, between, end = (b": ", b"\n        ", b",\n        ", b"\n    ") if pretty else (b":", b"", b",", b"")
    key = b'"Servers"' + colon + b"["
    return encode(told, pretty=pretty).replace(key + b"]", key + begin + between.join(servers) + end + b"]")


def _server(server: Mapping[str, Any]) -> dict[str, Any]:
    stable_since = datetime.fromtimestamp((server["stable_since_ns"] + 500_000_000) // 10**9, UTC)
    return {
        "LastContact": duration(round(server["last_contact_s"] * 1e9)),
        "ID": server["id"],
        "Name": server["name"] or "(unknown)",
        "Address": server["address"],
        "SerfStatus": "alive" if server["alive"] else "failed",
        "Version": __version__,  # servers do not tell each other theirs
        "Leader": server["leader"],
        "LastTerm": server["last_term"],
        "LastIndex": server["last_index"],
        "Healthy": server["healthy"],
        "Voter": server["voter"],
        "StableSince": stable_since.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
