"""/v1/raftsim/: the status of the leader, and when a server takes snapshots."""

from __future__ import annotations

import pytest

from raftsim.http.server import HttpServer
from raftsim.node.requests import INVALID, NO_LEADER, ReadStatus, SetCompaction
from tests.http.contract import JSON, REFUSED, TEXT, Case, check, names
from tests.http.fakes import FakeAgent, ok, refused

STATUS, COMPACTION = "/v1/raftsim/status", "/v1/raftsim/compaction"
LEADERS = ReadStatus(leader=True)
POLICY = {"snapshot_threshold_entries": 5, "snapshot_threshold_bytes": 6, "trailing_entries": 7}
SHOWN = '{"snapshot_threshold_bytes":6,"snapshot_threshold_entries":5,"trailing_entries":7}'
PUT = f"PUT {COMPACTION}"
NO_NUMBER = '"trailing_entries" must be a whole number'
NAMES = "snapshot_threshold_entries, snapshot_threshold_bytes, trailing_entries"


CASES = [
    Case(f"GET {STATUS}?leader", 200, '{"term":4}', JSON, LEADERS, ok({"term": 4})),
    Case(f"GET {STATUS}?leader=true", 500, "No cluster leader", REFUSED, LEADERS, refused(NO_LEADER)),
    Case(f"PUT {STATUS}", 405, "Invalid method", TEXT),
    Case(PUT, 200, SHOWN, JSON, SetCompaction(5, 6, 7), ok(POLICY), send=SHOWN),
    Case(PUT, 200, SHOWN, JSON, SetCompaction(trailing_entries=0), ok(POLICY), '{"trailing_entries": 0}'),
    Case(PUT, 200, SHOWN, JSON, SetCompaction(), ok(POLICY), "{}"),
    Case(
        PUT,
        400,
        "why",
        TEXT,
        SetCompaction(0),
        refused(INVALID, "why"),
        '{"snapshot_threshold_entries": 0}',
    ),
    Case(PUT, 400, NO_NUMBER, TEXT, send='{"trailing_entries": 1.5}'),
    Case(PUT, 400, NO_NUMBER, TEXT, send='{"trailing_entries": "1"}'),
    Case(PUT, 400, NO_NUMBER, TEXT, send='{"trailing_entries": 1e999}'),
    Case(PUT, 400, f'"trailing" is no part of the policy: {NAMES}', TEXT, send='{"trailing": 1}'),
    Case(PUT, 400, "Request body is empty", TEXT),
    Case(f"DELETE {COMPACTION}", 405, "Invalid method", TEXT),
]


@pytest.mark.parametrize("case", CASES, ids=names)
async def test_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
