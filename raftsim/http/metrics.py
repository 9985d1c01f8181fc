"""/v1/metrics: the numbers of this server as JSON, or as text that Prometheus reads."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any, Final

from raftsim.http.jsonio import json_response
from raftsim.http.message import Ask, HttpError, HttpRequest, HttpResponse
from raftsim.http.params import require_method
from raftsim.http.view import AgentFacts

_PREFIX: Final = "nomad."
_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics(request: HttpRequest, facts: AgentFacts) -> HttpResponse | Ask:
    require_method(request, "GET")
    host = socket.gethostname()
    if request.query.first("format") != "prometheus":
        return json_response(request, _document(facts.metrics(), host))
    if not facts.config["Telemetry"]["PrometheusMetrics"]:
        raise HttpError(415, "Prometheus is not enabled")
    return HttpResponse(200, {"Content-Type": _EXPOSITION}, exposition(facts.metrics(), host).encode())


def _document(numbers: dict[str, Any], host: str) -> dict[str, Any]:
    labels = {"host": host}

    def told(group: str) -> list[dict[str, Any]]:
        return [{"Name": _PREFIX + name, "Labels": labels, **value} for name, value in sorted(numbers[group].items())]

    gauges = [
        {"Name": _PREFIX + name, "Labels": labels, "Value": value} for name, value in sorted(numbers["gauges"].items())
    ]
    return {
        "Counters": told("counters"),
        "Gauges": gauges,
        "Points": [],
        "PrecisionGauges": [],
        "Samples": told("samples"),
        "Timestamp": datetime.fromtimestamp(numbers["began_s"], UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
    }


def exposition(numbers: dict[str, Any], host: str) -> str:
    """Gauges as they are now; counters and samples from the start of the server on, as Prometheus wants them."""
    escaped = host.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    labels = f'{{host="{escaped}"}}'
    families = {name: ("gauge", [("", value)]) for name, value in numbers["gauges"].items()}
    families |= {name: ("counter", [("", total)]) for name, total in numbers["counted"].items()}
    for name, (count, total) in numbers["sampled"].items():
        families[name] = ("summary", [("_sum", total), ("_count", count)])
    lines = []
    for name, (kind, values) in sorted(families.items()):
        flat = (_PREFIX + name).replace(".", "_")
        lines += [f"# HELP {flat} {flat}", f"# TYPE {flat} {kind}"]
        lines += [f"{flat}{suffix}{labels} {float(value)!r}" for suffix, value in values]
    return "\n".join([*lines, ""])
