"""`raftsim operator autopilot` against a scripted server: the texts, the streams, the exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.stub import Stub
from tests.cli.terminal import run

CONFIGURATION = "/v1/operator/autopilot/configuration"
HEALTH = "/v1/operator/autopilot/health"
COMMAND = ("operator", "autopilot")
CONFIG = {
    "LastContactThreshold": "200ms",
    "ServerStabilizationTime": "10s",
    "CleanupDeadServers": True,
    "MaxTrailingLogs": 250,
    "MinQuorum": 0,
    "EnableRedundancyZones": False,
    "DisableUpgradeMigration": False,
    "EnableCustomUpgrades": False,
    "CreateIndex": 1,
    "ModifyIndex": 4,
}
SHOWN = """\
CleanupDeadServers = true
LastContactThreshold = 200ms
MaxTrailingLogs = 250
MinQuorum = 0
ServerStabilizationTime = 10s
EnableRedundancyZones = false
DisableUpgradeMigration = false
EnableCustomUpgrades = false
"""
QUERY_FAILED = "Error querying Autopilot configuration: Unexpected response code: "


def server(number: int, **other: Any) -> dict[str, Any]:
    return {
        "LastContact": "0s",
        "ID": f"id{number}",
        "Name": f"n{number}.global",
        "Address": f"127.0.0.1:46{number}7",
        "SerfStatus": "alive",
        "Version": "1.0",
        "Leader": False,
        "LastTerm": 2,
        "LastIndex": 14,
        "Healthy": True,
        "Voter": True,
        "StableSince": "2026-01-02T03:04:05Z",
        **other,
    }


WELL = {
    "FailureTolerance": 0,
    "Healthy": True,
    "Leader": "id4",
    "Servers": [server(4, Leader=True), server(5, LastContact="45.123ms", Name="")],
    "Voters": ["id4", "id5"],
}
TABLE = """\
Healthy: true
FailureTolerance: 0
Leader: id4
Voters:  
\tid4
id5
Servers: 
ID   Name       Address         SerfStatus  Version  Leader  Voter  Healthy  LastContact  LastTerm  LastIndex  StableSince
id4  n4.global  127.0.0.1:4647  alive       1.0      true    true   true     0s           2         14         2026-01-02 03:04:05 +0000 UTC
id5  <none>     127.0.0.1:4657  alive       1.0      false   true   true     45.123ms     2         14         2026-01-02 03:04:05 +0000 UTC
"""  # noqa: E501, W291


def test_the_configuration_in_eight_lines(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, CONFIG)
    assert run(*COMMAND, "get-config", NOMAD_ADDR=stub.address) == (0, SHOWN, "")
    code, out, err = run(*COMMAND, "get-config", "-json", "-stale", NOMAD_ADDR=stub.address)
    assert (code, json.loads(out), err) == (0, CONFIG, "")
    assert [target for _, target in stub.asked] == [CONFIGURATION, f"{CONFIGURATION}?stale=true"]


def test_no_leader_no_configuration(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, "No cluster leader", status=500)
    error = f"{QUERY_FAILED}500 (No cluster leader)\n"
    assert run(*COMMAND, "get-config", NOMAD_ADDR=stub.address) == (1, "", error)


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        ([], {}),
        (["-cleanup-dead-servers=false"], {"CleanupDeadServers": False}),
        (["-cleanup-dead-servers", "-min-quorum=3"], {"CleanupDeadServers": True, "MinQuorum": 3}),
        (["--max-trailing-logs=0"], {"MaxTrailingLogs": 0}),
        (
            ["-last-contact-threshold", "1s", "-server-stabilization-time=1m"],
            {"LastContactThreshold": "1s", "ServerStabilizationTime": "1m"},
        ),
        (
            ["-enable-redundancy-zones", "-disable-upgrade-migration=true", "-enable-custom-upgrades=1"],
            {"EnableRedundancyZones": True, "DisableUpgradeMigration": True, "EnableCustomUpgrades": True},
        ),
    ],
)
def test_what_is_given_is_changed_if_nobody_else_did(stub: Stub, flags: list[str], changed: dict[str, Any]) -> None:
    stub.on("GET", CONFIGURATION, CONFIG)
    stub.on("PUT", CONFIGURATION, "true")
    done = "Configuration updated!\n"
    assert run(*COMMAND, "set-config", *flags, NOMAD_ADDR=stub.address) == (0, done, "")
    assert stub.asked[-1] == ("PUT", f"{CONFIGURATION}?cas=4")
    assert json.loads(stub.requests[-1].body) == {**CONFIG, **changed}


def test_somebody_else_was_faster(stub: Stub) -> None:
    stub.on("GET", CONFIGURATION, CONFIG)
    stub.on("PUT", CONFIGURATION, "false")
    again = "Configuration could not be atomically updated, please try again\n"
    assert run(*COMMAND, "set-config", "-min-quorum=3", NOMAD_ADDR=stub.address) == (1, again, "")


def test_what_goes_wrong_with_a_change(stub: Stub) -> None:
    failed = "Unexpected response code: 500 (No cluster leader)\n"
    stub.on("GET", CONFIGURATION, "No cluster leader", status=500)
    change = (*COMMAND, "set-config", "-last-contact-threshold=5")
    told = f"Error querying for Autopilot configuration: {failed}"
    assert run(*change, NOMAD_ADDR=stub.address) == (1, "", told)
    stub.on("GET", CONFIGURATION, {})
    told = "Error querying for Autopilot configuration: the answer is not what Nomad's API says\n"
    assert run(*change, NOMAD_ADDR=stub.address) == (1, "", told)
    stub.on("GET", CONFIGURATION, CONFIG)
    stub.on("PUT", CONFIGURATION, "No cluster leader", status=500)
    told = f"Error setting Autopilot configuration: {failed}"
    assert run(*change, NOMAD_ADDR=stub.address) == (1, "", told)


@pytest.mark.parametrize("flag", ["-min-quorum=-1", "-max-trailing-logs=many", "-cleanup-dead-servers=perhaps"])
def test_what_is_no_value_is_not_sent(stub: Stub, flag: str) -> None:
    code, out, err = run(*COMMAND, "set-config", flag, NOMAD_ADDR=stub.address)
    assert (code, out) == (1, "")
    assert flag.partition("=")[0] in err
    assert stub.requests == []


def test_health_is_a_table(stub: Stub) -> None:
    stub.on("GET", HEALTH, WELL)
    assert run(*COMMAND, "health", NOMAD_ADDR=stub.address) == (0, TABLE, "")
    code, out, _ = run(*COMMAND, "health", "-json", NOMAD_ADDR=stub.address)
    assert (code, json.loads(out)) == (0, WELL)


def test_that_they_are_not_well_is_an_error(stub: Stub) -> None:
    stub.on("GET", HEALTH, '{"Healthy":false}', status=429)
    error = f'{QUERY_FAILED}429 ({{"Healthy":false}})\n'
    assert run(*COMMAND, "health", NOMAD_ADDR=stub.address) == (1, "", error)
