"""/v1/operator/autopilot/: the configuration and the health, byte for byte."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from raftsim import __version__
from raftsim.http.server import HttpServer
from raftsim.machine.autopilot import AutopilotConfig, set_command
from raftsim.node.requests import LEADERSHIP_LOST, NO_LEADER, Command, Query, ReadStatus
from tests.http.contract import JSON, REFUSED, STALE_TEXT, TEXT, UNKNOWN, Case, check, names
from tests.http.fakes import ADDRESSES, FakeAgent, ok, refused, status_of, unknown

CONFIGURATION = "/v1/operator/autopilot/configuration"
HEALTH = "/v1/operator/autopilot/health"
GET, PUT = f"GET {CONFIGURATION}", f"PUT {CONFIGURATION}"
READ = Query(("autopilot",))
WRONG = "Error parsing autopilot config: "
ZERO = AutopilotConfig(0, 0, cleanup_dead_servers=False, max_trailing_logs=0)
ALL = AutopilotConfig(
    last_contact_threshold_ns=-(10**9),
    server_stabilization_time_ns=90 * 10**9,
    max_trailing_logs=7,
    min_quorum=3,
    enable_redundancy_zones=True,
    disable_upgrade_migration=True,
    enable_custom_upgrades=True,
)


def shown(contact: str = "200ms", stable: str = "10s", modified: int = 1) -> str:
    return (
        f'{{"LastContactThreshold":"{contact}","ServerStabilizationTime":"{stable}","CleanupDeadServers":true,'
        '"MaxTrailingLogs":250,"MinQuorum":0,"EnableRedundancyZones":false,"DisableUpgradeMigration":false,'
        f'"EnableCustomUpgrades":false,"CreateIndex":1,"ModifyIndex":{modified}}}'
    )


def config(**changes: Any) -> Any:
    return ok(asdict(AutopilotConfig(**changes)))


def sets(config: AutopilotConfig, cas: int | None = None) -> Command:
    return Command(set_command(config, cas))


DEFAULT = config()
DONE, CONFLICT = ok({"applied": True, "index": 9}), ok({"applied": False, "index": 4})

CONFIGURATIONS = [
    Case(GET, 200, shown(), JSON, READ, DEFAULT),
    Case(f"{GET}?pretty", 200, shown() + "\n", JSON, READ, DEFAULT),
    Case(f"{GET}?stale", 200, shown(), JSON, Query(("autopilot",), stale=True), DEFAULT),
    Case(
        GET,
        200,
        shown("-1s", "36h0m0s", 8),
        JSON,
        READ,
        config(last_contact_threshold_ns=-(10**9), server_stabilization_time_ns=36 * 3600 * 10**9, modify_index=8),
    ),
    Case(
        GET,
        200,
        shown("1.5ms", "1m30s"),
        JSON,
        READ,
        config(last_contact_threshold_ns=1_500_000, server_stabilization_time_ns=90 * 10**9),
    ),
    Case(f"{GET}?stale=2", 400, STALE_TEXT, TEXT),
    Case(f"{GET}?region=mars", 500, "No path to region", TEXT),
    Case(GET, 500, "No cluster leader", REFUSED, READ, refused(NO_LEADER)),
    Case(f"POST {CONFIGURATION}", 404, "Invalid method", TEXT),
    Case(f"DELETE {CONFIGURATION}", 404, "Invalid method", TEXT),
    Case(f"HEAD {CONFIGURATION}", 404, "", TEXT, length=14),
    Case(f"{GET}/", 404, ""),
    Case("GET /v1/operator/autopilot", 404, ""),
]

CHANGES = [
    Case(PUT, 200, "true", JSON, sets(ZERO), DONE, "{}"),
    Case(PUT, 200, "true", JSON, sets(ZERO), DONE, "null"),
    Case(PUT, 200, "true", JSON, sets(ZERO), DONE, '{"CreateIndex": 7, "Other": [1]} and what follows'),
    Case(PUT, 200, "true", JSON, sets(ZERO), DONE, '{"LastContactThreshold": "", "MinQuorum": null}'),
    Case(
        PUT,
        200,
        "true",
        JSON,
        sets(ALL),
        DONE,
        '{"lastcontactthreshold": "-1s", "ServerStabilizationTime": "1m30s", "CleanupDeadServers": true,'
        '"MaxTrailingLogs": 7, "MINQUORUM": 3, "EnableRedundancyZones": true, "DisableUpgradeMigration": true,'
        '"EnableCustomUpgrades": true}',
    ),
    Case(f"{PUT}?cas=4", 200, "true", JSON, sets(ZERO, 4), DONE, "{}"),
    Case(f"{PUT}?cas=0", 200, "false", JSON, sets(ZERO, 0), CONFLICT, "{}"),
    Case(f"{PUT}?pretty", 200, "true\n", JSON, sets(ZERO), DONE, "{}"),
    Case(
        f"{PUT}?cas=abc",
        400,
        'Error parsing cas value: strconv.ParseUint: parsing "abc": invalid syntax',
        TEXT,
        send="{}",
    ),
    Case(f"{PUT}?cas=", 400, 'Error parsing cas value: strconv.ParseUint: parsing "": invalid syntax', TEXT, send="{}"),
    Case(
        f"{PUT}?cas=18446744073709551616",
        400,
        'Error parsing cas value: strconv.ParseUint: parsing "18446744073709551616": value out of range',
        TEXT,
        send="{}",
    ),
    Case(f"{PUT}?cas=abc", 400, f"{WRONG}unexpected EOF", TEXT, send="{"),  # the body is read first
    Case(PUT, 400, f"{WRONG}Request body is empty", TEXT),
    Case(PUT, 400, f"{WRONG}EOF", TEXT, send=" "),
    Case(PUT, 400, f"{WRONG}invalid character 'x' looking for beginning of value", TEXT, send="x"),
    Case(
        PUT,
        400,
        f"{WRONG}json: cannot unmarshal array into Go value of type structs.AutopilotConfig",
        TEXT,
        send="[]",
    ),
    Case(f"{PUT}?region=mars", 500, "No path to region", TEXT, send="{}"),
    Case(PUT, 500, "No cluster leader", REFUSED, sets(ZERO), refused(NO_LEADER), "{}"),
    Case(PUT, 500, "leadership lost while committing log", UNKNOWN, sets(ZERO), unknown(LEADERSHIP_LOST), "{}"),
    *(
        Case(
            PUT,
            400,
            f"{WRONG}json: cannot unmarshal {kind} into Go struct field .{key} of type {type}",
            TEXT,
            send=f'{{"{key}": {value}}}',
        )
        for key, value, kind, type in [
            ("LastContactThreshold", "5", "number", "string"),
            ("ServerStabilizationTime", "true", "bool", "string"),
            ("CleanupDeadServers", '"true"', "string", "bool"),
            ("MaxTrailingLogs", "-1", "number -1", "uint64"),
            ("MaxTrailingLogs", "2.5", "number 2.5", "uint64"),
            ("MinQuorum", '"3"', "string", "uint"),
            ("MinQuorum", "[]", "array", "uint"),
        ]
    ),
    *(
        Case(PUT, 400, f"{WRONG}time: {problem}", TEXT, send=f'{{"LastContactThreshold": "{text}"}}')
        for text, problem in [
            ("5", 'missing unit in duration "5"'),
            ("-1.5", 'missing unit in duration "-1.5"'),
            ("5s3", 'missing unit in duration "5s3"'),
            ("5 s", 'unknown unit " s" in duration "5 s"'),
            ("1d", 'unknown unit "d" in duration "1d"'),
            ("soon", 'invalid duration "soon"'),
            ("1s-", 'unknown unit "s-" in duration "1s-"'),
            (".s", 'invalid duration ".s"'),
            ("9999999999h", 'invalid duration "9999999999h"'),
        ]
    ),
]


def server(**changes: Any) -> dict[str, Any]:
    found = {
        "id": ADDRESSES[0],
        "address": ADDRESSES[0],
        "name": "n1.global",
        "leader": True,
        "voter": True,
        "alive": True,
        "healthy": True,
        "trouble": "",
        "last_contact_s": 0.0,
        "last_term": 2,
        "last_index": 14,
        "stable_since_ns": 1_767_323_044_500_000_000,
    }
    return {**found, **changes}


def told(*, healthy: bool, tolerance: int, servers: list[dict[str, Any]], voters: list[str]) -> Any:
    seen = {"healthy": healthy, "failure_tolerance": tolerance, "servers": servers, "voters": voters}
    return ok(status_of(autopilot=seen))


SECOND = server(
    id="b",
    address=ADDRESSES[1],
    name=None,
    leader=False,
    voter=False,
    alive=False,
    healthy=False,
    last_contact_s=0.0451,
)
FIRST_SHOWN = (
    '{"LastContact":"0s","ID":"127.0.0.1:4647","Name":"n1.global","Address":"127.0.0.1:4647","SerfStatus":"alive",'
    f'"Version":"{__version__}","Leader":true,"LastTerm":2,"LastIndex":14,"Healthy":true,"Voter":true,'
    '"StableSince":"2026-01-02T03:04:05Z"}'
)
SECOND_SHOWN = (
    '{"LastContact":"45.1ms","ID":"b","Name":"(unknown)","Address":"127.0.0.1:4657","SerfStatus":"failed",'
    f'"Version":"{__version__}","Leader":false,"LastTerm":2,"LastIndex":14,"Healthy":false,"Voter":false,'
    '"StableSince":"2026-01-02T03:04:05Z"}'
)
ALONE = told(healthy=True, tolerance=0, servers=[server()], voters=[ADDRESSES[0]])
SICK = told(healthy=False, tolerance=1, servers=[server(), SECOND], voters=[ADDRESSES[0]])
EMPTY = '{"FailureTolerance":0,"Healthy":false,"Leader":"","Servers":null,"Voters":[]}'
ASKS = ReadStatus(leader=True)

HEALTHS = [
    Case(
        f"GET {HEALTH}",
        200,
        f'{{"FailureTolerance":0,"Healthy":true,"Leader":"{ADDRESSES[0]}","Servers":[{FIRST_SHOWN}],'
        f'"Voters":["{ADDRESSES[0]}"]}}',
        JSON,
        ASKS,
        ALONE,
    ),
    Case(
        f"GET {HEALTH}?stale&pretty",
        429,
        "{\n"
        '    "FailureTolerance": 1,\n'
        '    "Healthy": false,\n'
        f'    "Leader": "{ADDRESSES[0]}",\n'
        '    "Servers": [\n'
        f"        {FIRST_SHOWN},\n"
        f"        {SECOND_SHOWN}\n"
        "    ],\n"
        '    "Voters": [\n'
        f'        "{ADDRESSES[0]}"\n'
        "    ]\n"
        "}\n",
        TEXT,
        ASKS,
        SICK,
    ),
    Case(f"GET {HEALTH}", 429, EMPTY, TEXT, ASKS, ok(status_of(autopilot=None))),
    Case(f"GET {HEALTH}", 429, EMPTY, TEXT, ASKS, told(healthy=False, tolerance=0, servers=[], voters=[])),
    Case(f"GET {HEALTH}", 500, "No cluster leader", REFUSED, ASKS, refused(NO_LEADER)),
    Case(f"GET {HEALTH}?stale=2", 400, STALE_TEXT, TEXT),
    Case(f"GET {HEALTH}?region=mars", 500, "No path to region", TEXT),
    *(Case(f"{method} {HEALTH}", 404, "Invalid method", TEXT) for method in ("POST", "PUT", "DELETE")),
]


@pytest.mark.parametrize("case", CONFIGURATIONS + CHANGES + HEALTHS, ids=names)
async def test_the_contract(server: HttpServer, agent: FakeAgent, case: Case) -> None:
    await check(server, agent, case)
