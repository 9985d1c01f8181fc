"""`raftsim operator raft peers-json`: the members as the file that recovers a cluster without a quorum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from raftsim.cli.client import Client, record, records, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.raftdata import inspected, warn

if TYPE_CHECKING:
    from raftsim.storage.inspect import Inspection


class _Member(NamedTuple):
    id: str
    address: str
    voter: bool


@click.command(
    "peers-json",
    cls=GoCommand,
    examples=[
        ("The members of a cluster that runs", "raftsim operator raft peers-json"),
        ("The members that a stopped server knows", "raftsim operator raft peers-json -data-dir=/var/lib/raftsim"),
    ],
)
@option("data-dir", value="<path>", default="", help="Read this data directory instead of asking a server.")
@with_client()
def peers_json(client: Client, *, data_dir: str) -> None:
    """Print a peers.json file with the present members of the cluster.

    The file is for recovery when a majority of the servers is lost for good: take out those that are lost, and put it
    into the directory server/raft of the data directory of every server that is left, before they are started. The file
    peers.info there explains more.

    A running server answers even if there is no leader.
    """
    members = _known(inspected(Path(data_dir))) if data_dir else _asked(client)
    left_out = []
    if all(member.id == member.address for member in members):  # raft protocol 2
        lines = [json.dumps(member.id) for member in members if member.voter]
        left_out = [member.id for member in members if not member.voter]
    else:
        lines = [
            json.dumps({"id": member.id, "address": member.address, "non_voter": not member.voter})
            for member in members
        ]
    print("[\n" + ",\n".join(f"  {line}" for line in lines) + "\n]")
    warn([f"{id} has no vote, which a list of addresses cannot say; it is left out" for id in left_out])


def _known(found: Inspection) -> list[_Member]:
    from raftsim.core.config import Config

    restored, snapshot = found.restored, found.restored.snapshot
    beyond = restored.entries[snapshot.index - restored.base_index :] if snapshot else restored.entries
    configs = [snapshot.config] if snapshot else []
    configs += [entry.data for entry in beyond if isinstance(entry.data, Config)]
    if not configs:
        raise Failure(f"{found.path}: nothing in it says who the members are")
    config = configs[-1]
    return [
        _Member(server.id, server.address, server.id in config.voters)
        for server in config.servers
        if server.id in config.voters + config.learners + config.learners_next
    ]


def _asked(client: Client) -> list[_Member]:
    with reported("Failed to retrieve raft configuration"):
        reply = record(client.read("/v1/operator/raft/configuration", stale="true"))
        return [
            _Member(str(server.get("ID", "")), str(server.get("Address", "")), bool(server.get("Voter")))
            for server in records(reply.get("Servers"))
        ]
