"""`raftsim agent-info`: the numbers of one server."""

from __future__ import annotations

import click

from raftsim.cli.client import Client, record, reported, with_client
from raftsim.cli.go import GoCommand, option
from raftsim.cli.output import show_json


@click.command(
    "agent-info",
    cls=GoCommand,
    examples=[
        ("See the state of a server", "raftsim agent-info"),
        ("The commit index, for a script", "raftsim agent-info -json | jq -r .stats.raft.commit_index"),
    ],
)
@option("json", dest="as_json", help="Output configuration, member and statistics as JSON.")
@with_client()
def agent_info(client: Client, *, as_json: bool) -> None:
    """Display the statistics of the server that is asked: its raft state, the members it knows, its runtime."""
    with reported("Error querying agent info"):
        reply = record(client.read("/v1/agent/self"))
        stats = {name: record(group) for name, group in record(reply.get("stats")).items()}
    if as_json:
        show_json(reply)
        return
    for name, group in sorted(stats.items()):
        print(name)
        for key, value in sorted(group.items()):
            print(f"  {key} = {value}")
