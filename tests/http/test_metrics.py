"""/v1/metrics: JSON as Nomad's, and text that is parsed as Prometheus does."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from raftsim.http.message import HttpResponse, make_request
from raftsim.http.metrics import exposition
from raftsim.http.routes import handle
from tests.http.fakes import FakeAgent

VALUES = {"Count": 2, "Max": 3.0, "Mean": 2.0, "Min": 1.0, "Rate": 0.4, "Stddev": 1.5, "Sum": 4.0}
NUMBERS: dict[str, Any] = {
    "began_s": 1_767_323_040,
    "gauges": {"raft.lastIndex": 12.0, "nomad.agent.http.connections": 1.0},
    "counters": {"raft.apply": VALUES},
    "samples": {"raft.commitTime": VALUES},
    "counted": {"raft.apply": 7},
    "sampled": {"raft.commitTime": (5, 12.5)},
}


def agent(*, prometheus: bool = False) -> FakeAgent:
    return FakeAgent(numbers=NUMBERS, config={"Telemetry": {"PrometheusMetrics": prometheus}})


def ask(agent: FakeAgent, target: str, method: str = "GET") -> HttpResponse:
    response = handle(make_request(method, target), agent)
    assert isinstance(response, HttpResponse)
    return response


@dataclass
class Family:
    """A metric as the text format has it."""

    help: str
    kind: str = ""
    samples: dict[str, float] = field(default_factory=dict)  # by name with labels


def parse(text: str) -> dict[str, Family]:
    """The families of an exposition, read by its grammar (version 0.0.4): every line must be one of three forms."""
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    for line in text.removesuffix("\n").split("\n"):
        if found := re.fullmatch(r"# HELP ([a-zA-Z_:][\w:]*) (.*)", line):
            assert found[1] not in families
            families[found[1]] = Family(found[2])
        elif found := re.fullmatch(r"# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|summary|histogram|untyped)", line):
            families[found[1]].kind = found[2]
        else:
            found = re.fullmatch(r'([a-zA-Z_:][\w:]*)(\{host="(?:[^"\\\n]|\\[\\"n])*"\}) (\S+)', line)
            assert found, line
            latest = list(families)[-1]
            assert found[1].removeprefix(latest) in ("", "_sum", "_count")
            families[latest].samples[found[1] + found[2]] = float(found[3])
    return families


def test_json_is_sorted_by_name_and_labelled_with_the_host() -> None:
    labels = {"host": socket.gethostname()}
    response = ask(agent(), "/v1/metrics")
    assert response.headers == {"Content-Type": "application/json"}
    assert json.loads(response.body) == {
        "Counters": [{"Name": "nomad.raft.apply", "Labels": labels, **VALUES}],
        "Gauges": [
            {"Name": "nomad.nomad.agent.http.connections", "Labels": labels, "Value": 1.0},
            {"Name": "nomad.raft.lastIndex", "Labels": labels, "Value": 12.0},
        ],
        "Points": [],
        "PrecisionGauges": [],
        "Samples": [{"Name": "nomad.raft.commitTime", "Labels": labels, **VALUES}],
        "Timestamp": "2026-01-02 03:04:00 +0000 UTC",
    }
    assert b'"Value":12.0' in response.body


@pytest.mark.parametrize("query", ["?format=xml", "?format=", "?region=nowhere&stale=x"])
def test_any_other_format_is_json_and_no_parameter_matters(query: str) -> None:
    assert ask(agent(), f"/v1/metrics{query}").body == ask(agent(), "/v1/metrics").body


def test_prometheus_must_be_enabled() -> None:
    response = ask(agent(), "/v1/metrics?format=prometheus")
    assert (response.status, response.body) == (415, b"Prometheus is not enabled")


def test_other_methods() -> None:
    response = ask(agent(), "/v1/metrics", "PUT")
    assert (response.status, response.body) == (405, b"Invalid method")


def test_the_text_for_prometheus_has_gauges_and_totals() -> None:
    response = ask(agent(prometheus=True), "/v1/metrics?format=prometheus")
    assert response.headers == {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    families = parse(response.body.decode())
    host = f'{{host="{socket.gethostname()}"}}'
    assert {name: (family.kind, family.samples) for name, family in families.items()} == {
        "nomad_nomad_agent_http_connections": ("gauge", {f"nomad_nomad_agent_http_connections{host}": 1.0}),
        "nomad_raft_apply": ("counter", {f"nomad_raft_apply{host}": 7.0}),
        "nomad_raft_commitTime": (
            "summary",
            {f"nomad_raft_commitTime_sum{host}": 12.5, f"nomad_raft_commitTime_count{host}": 5.0},
        ),
        "nomad_raft_lastIndex": ("gauge", {f"nomad_raft_lastIndex{host}": 12.0}),
    }


def test_odd_host_names_are_escaped() -> None:
    families = parse(exposition(NUMBERS, 'a"b\\c\nd'))
    assert list(families["nomad_raft_lastIndex"].samples) == ['nomad_raft_lastIndex{host="a\\"b\\\\c\\nd"}']
