"""`raftsim operator raft transfer-leadership`."""

from __future__ import annotations

import click

from raftsim.cli.client import Client, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import go_quote, show_json


@click.command(
    "transfer-leadership",
    cls=GoCommand,
    examples=[
        ("Make a follower the leader", "raftsim operator raft transfer-leadership -peer-id=127.0.0.1:4657"),
        ("The same by its address", "raftsim operator raft transfer-leadership -peer-address=127.0.0.1:4657"),
    ],
)
@option("peer-id", value="<id>", default="", help="Hand leadership to the server with this ID.")
@option("peer-address", value="<ip:port>", default="", help="Hand leadership to the server with this address.")
@option("json", dest="as_json", help="Output who led and who is to lead as JSON.")
@with_client(writes=True)
def transfer_leadership(client: Client, *, peer_id: str, peer_address: str, as_json: bool) -> None:
    """Hand leadership of the cluster to another voter.

    The leader stops taking writes for a moment, brings the other server up to date and lets it stand for election. If
    that takes longer than an election timeout, the leader goes on as before and this command fails.
    """
    if peer_id and peer_address:
        raise Failure("Error transferring leadership to peer: cannot give both an address and id")
    if not peer_id and not peer_address:
        raise Failure("Error transferring leadership to peer: an address or id is required for the destination peer")
    key, value = ("id", peer_id) if peer_id else ("address", peer_address)
    with reported("Error transferring leadership to peer"):
        reply = client.write("PUT", "/v1/operator/raft/transfer-leadership", **{key: value})
    if as_json:
        show_json(reply)
    else:
        print(f"Transferred leadership to peer with {key} {go_quote(value)}")
