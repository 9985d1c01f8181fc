"""`raftsim operator autopilot`: what the autopilot is told, and how it sees the servers."""

from __future__ import annotations

from typing import Any

import click

from raftsim.cli.client import ApiError, Client, record, records, reported, with_client
from raftsim.cli.go import GoGroup, option
from raftsim.cli.output import format_list, show_json

_CONFIGURATION = "/v1/operator/autopilot/configuration"
_HEALTH = "/v1/operator/autopilot/health"
_KEYS = (
    "CleanupDeadServers",
    "LastContactThreshold",
    "MaxTrailingLogs",
    "MinQuorum",
    "ServerStabilizationTime",
    "EnableRedundancyZones",
    "DisableUpgradeMigration",
    "EnableCustomUpgrades",
)
_COLUMNS = (
    "ID",
    "Name",
    "Address",
    "SerfStatus",
    "Version",
    "Leader",
    "Voter",
    "Healthy",
    "LastContact",
    "LastTerm",
    "LastIndex",
    "StableSince",
)

autopilot = GoGroup(
    "autopilot",
    help="Look at the autopilot, which promotes stable servers and removes dead ones, and tell it what to do.",
    examples=[
        ("See how the servers are", "raftsim operator autopilot health"),
        ("Keep dead servers", "raftsim operator autopilot set-config -cleanup-dead-servers=false"),
    ],
)


@autopilot.command(
    "get-config",
    examples=[
        ("See what the autopilot is told", "raftsim operator autopilot get-config"),
        ("Ask one server, even when there is no leader", "raftsim operator autopilot get-config -stale"),
    ],
)
@option("stale", help="Let the server that is asked answer by itself.")
@option("json", dest="as_json", help="Output the configuration as JSON.")
@with_client()
def get_config(client: Client, *, stale: bool, as_json: bool) -> None:
    """Display the configuration of the autopilot."""
    with reported("Error querying Autopilot configuration"):
        config = record(client.read(_CONFIGURATION, stale="true" if stale else ""))
    if as_json:
        show_json(config)
        return
    for key in _KEYS:
        print(f"{key} = {_text(config.get(key, ''))}")


@autopilot.command(
    "set-config",
    examples=[
        ("Keep dead servers", "raftsim operator autopilot set-config -cleanup-dead-servers=false"),
        ("Never have less than 3 voters", "raftsim operator autopilot set-config -min-quorum=3"),
    ],
)
@option("cleanup-dead-servers", dest="CleanupDeadServers", default=None, help="Remove servers that are dead.")
@option(
    "last-contact-threshold",
    value="<duration>",
    dest="LastContactThreshold",
    help="A server that the leader has not heard for longer is not healthy.",
)
@option(
    "max-trailing-logs",
    value="<n>",
    type=click.IntRange(min=0),
    dest="MaxTrailingLogs",
    help="A server that is more entries behind the leader is not healthy.",
)
@option(
    "min-quorum",
    value="<n>",
    type=click.IntRange(min=0),
    dest="MinQuorum",
    help="Remove no dead server if fewer would remain.",
)
@option(
    "server-stabilization-time",
    value="<duration>",
    dest="ServerStabilizationTime",
    help="How long a server must have been healthy before it gets a vote.",
)
@option("enable-redundancy-zones", dest="EnableRedundancyZones", default=None, help="Stored, without effect.")
@option("disable-upgrade-migration", dest="DisableUpgradeMigration", default=None, help="Stored, without effect.")
@option("enable-custom-upgrades", dest="EnableCustomUpgrades", default=None, help="Stored, without effect.")
@with_client(writes=True)
def set_config(client: Client, **given: Any) -> int:
    """Change the configuration of the autopilot.

    What is not given stays as it is. The change is made only if nobody else has changed the configuration meanwhile.
    """
    with reported("Error querying for Autopilot configuration"):
        config = record(client.read(_CONFIGURATION))
        try:
            index = str(config["ModifyIndex"])
        except KeyError:
            raise ApiError("the answer is not what Nomad's API says") from None
    changed = {**config, **{key: value for key, value in given.items() if value is not None}}
    with reported("Error setting Autopilot configuration"):
        done = client.write("PUT", _CONFIGURATION, changed, cas=index)
    if done is True:
        print("Configuration updated!")
        return 0
    print("Configuration could not be atomically updated, please try again")
    return 1


@autopilot.command(
    "health",
    examples=[
        ("See how the servers are", "raftsim operator autopilot health"),
        ("Whether one more may fail, for a script", "raftsim operator autopilot health -json | jq .FailureTolerance"),
    ],
)
@option("json", dest="as_json", help="Output the health as JSON.")
@with_client()
def health(client: Client, *, as_json: bool) -> None:
    """Display how the leader sees the servers.

    It is an error when one of them is not healthy; the answer is in the message then, and 'raftsim why autopilot' tells
    it in sentences.
    """
    with reported("Error querying Autopilot configuration"):
        found = record(client.read(_HEALTH))
        servers = records(found.get("Servers"))
    if as_json:
        show_json(found)
        return
    print(f"Healthy: {_text(found.get('Healthy'))}")
    print(f"FailureTolerance: {_text(found.get('FailureTolerance'))}")
    print(f"Leader: {_text(found.get('Leader', ''))}")
    print("Voters:  \n\t" + "\n".join(str(voter) for voter in found.get("Voters") or []))
    print("Servers: ")
    print(format_list([_COLUMNS, *(tuple(_cell(server, key) for key in _COLUMNS) for server in servers)]))


def _cell(server: dict[str, Any], key: str) -> str:
    text = _text(server.get(key, ""))
    return text.replace("T", " ").replace("Z", " +0000 UTC") if key == "StableSince" else text


def _text(value: object) -> str:
    """As Go prints it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
