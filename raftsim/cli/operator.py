"""`raftsim operator`, and its `raft`: who is in the Raft configuration, and changing that."""

from __future__ import annotations

from typing import Any

from raftsim.cli.autopilot import autopilot
from raftsim.cli.client import Client, record, records, reported, with_client
from raftsim.cli.compaction import compaction
from raftsim.cli.go import Failure, GoGroup, option
from raftsim.cli.output import columnize, go_quote, show_json
from raftsim.cli.peers import add_peer, demote_peer, promote_peer, replace_peers
from raftsim.cli.peersjson import peers_json
from raftsim.cli.raftdata import info, logs, state
from raftsim.cli.transfer import transfer_leadership

operator = GoGroup(
    "operator",
    help="Tools for those who run the servers.",
    examples=[("See who is in the cluster", "raftsim operator raft list-peers")],
)
raft = GoGroup(
    "raft",
    help="Look at the Raft configuration and repair it.",
    examples=[
        ("See who is in the cluster and who leads it", "raftsim operator raft list-peers"),
        ("Take a server that is gone for good out of it", "raftsim operator raft remove-peer -peer-id=127.0.0.1:4667"),
    ],
)
operator.add_command(raft)
operator.add_command(autopilot)


@raft.command(
    "list-peers",
    examples=[
        ("Ask the leader", "raftsim operator raft list-peers"),
        ("Ask one server, even when there is no leader", "raftsim operator raft list-peers -stale"),
        ("Every address, for a script", "raftsim operator raft list-peers -json | jq -r .Servers[].Address"),
    ],
)
@option(
    "stale",
    help="Let the server that is asked answer by itself. Without it the leader answers, so that a cluster without"
    " leader gives no answer.",
)
@option("json", dest="as_json", help="Output the configuration as JSON.")
@with_client()
def list_peers(client: Client, *, stale: bool, as_json: bool) -> None:
    """Display the current Raft peer configuration.

    A server that is gone stays in the configuration, and in the count of the majority, until it is removed.
    """
    with reported("Failed to retrieve raft configuration"):
        reply = record(client.read("/v1/operator/raft/configuration", stale="true" if stale else ""))
        servers = records(reply.get("Servers"))
    if as_json:
        show_json(reply)
        return
    rows = sorted((_row(server) for server in servers), key=lambda row: row[0])
    print(columnize([("Node", "ID", "Address", "State", "Voter", "RaftProtocol"), *rows]))


@raft.command(
    "remove-peer",
    examples=[
        ("Remove a server by its id", "raftsim operator raft remove-peer -peer-id=127.0.0.1:4667"),
        ("Remove a server by its address", "raftsim operator raft remove-peer -peer-address=127.0.0.1:4667"),
    ],
)
@option("peer-id", value="<id>", default="", help="Remove the server with this ID.")
@option("peer-address", value="<ip:port>", default="", help="Remove the server with this address.")
@option("json", dest="as_json", help="Output what was removed as JSON.")
@with_client(writes=True)
def remove_peer(client: Client, *, peer_id: str, peer_address: str, as_json: bool) -> None:
    """Remove a server from the Raft configuration.

    A server that was destroyed without leaving first still counts as a member. Removing it makes the majority smaller,
    so that the cluster can lose one more server. The change needs a leader, and so a majority of the voters.
    """
    if peer_id and peer_address:
        raise Failure("Error removing peer: cannot give both an address and id")
    if not peer_id and not peer_address:
        raise Failure("Error removing peer: an address or id is required for the peer to remove")
    key, value = ("id", peer_id) if peer_id else ("address", peer_address)
    with reported("Error removing peer"):
        client.write("DELETE", "/v1/operator/raft/peer", **{key: value})
    if as_json:
        show_json({"Removed": {"ID" if peer_id else "Address": value}})
    else:
        print(f"Removed peer with {key} {go_quote(value)}")


_COMMANDS = (
    add_peer,
    promote_peer,
    demote_peer,
    replace_peers,
    transfer_leadership,
    compaction,
    info,
    logs,
    state,
    peers_json,
)
for _command in _COMMANDS:
    raft.add_command(_command)


def _row(server: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(server.get("Node", "")),
        str(server.get("ID", "")),
        str(server.get("Address", "")),
        "leader" if server.get("Leader") else "follower",
        "true" if server.get("Voter") else "false",
        str(server.get("RaftProtocol", "")),  # a number in dialect 2, a string in dialect 3
    )
