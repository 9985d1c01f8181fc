"""`raftsim operator raft add-peer|promote-peer|demote-peer|replace-peers`: who has a vote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from raftsim.cli.client import Client, record, records, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import go_quote

F = TypeVar("F", bound=Callable[..., Any])

_PATH = "/v1/raftsim/members"


def _peer_options(what: str) -> Callable[[F], F]:
    def add(command: F) -> F:
        command = option("peer-address", value="<ip:port>", default="", help=f"{what} the server with this address.")(
            command
        )
        return option("peer-id", value="<id>", default="", help=f"{what} the server with this ID.")(command)

    return add


@click.command(
    "add-peer",
    cls=GoCommand,
    examples=[("Add a server that waits to be added", "raftsim operator raft add-peer -peer-address=127.0.0.1:4677")],
)
@option("peer-id", value="<id>", default="", help="Its ID. In raft protocol 2 that is its address.")
@option("peer-address", value="<ip:port>", default="", help="Where its peers reach it.")
@with_client(writes=True)
def add_peer(client: Client, *, peer_id: str, peer_address: str) -> None:
    """Add a server to the cluster, as a non-voter.

    The leader brings it up to date, and it counts in no majority until it is promoted. The server itself is started
    with raftsim.join, the cluster's id, and an empty data directory; it waits until it is added.
    """
    if not peer_address and not peer_id:
        raise Failure("Error adding peer: an address is required for the peer to add")
    _change(client, "Error adding peer", [_wish("non-voter", peer_id, peer_address)])
    print(f"Added peer {go_quote(peer_address or peer_id)} as a non-voter")


@click.command(
    "promote-peer",
    cls=GoCommand,
    examples=[("Give a non-voter a vote", "raftsim operator raft promote-peer -peer-id=127.0.0.1:4677")],
)
@_peer_options("Promote")
@with_client(writes=True)
def promote_peer(client: Client, *, peer_id: str, peer_address: str) -> None:
    """Give a non-voter a vote.

    It is refused, with how far behind the server is, until the server has caught up: a vote for a server that lags
    could leave the cluster unable to commit anything.
    """
    _change_one(client, "voter", "promot", peer_id, peer_address)


@click.command(
    "demote-peer",
    cls=GoCommand,
    examples=[("Take a server's vote away", "raftsim operator raft demote-peer -peer-id=127.0.0.1:4677")],
)
@_peer_options("Demote")
@with_client(writes=True)
def demote_peer(client: Client, *, peer_id: str, peer_address: str) -> None:
    """Take the vote of a server away. It stays a member and receives everything."""
    _change_one(client, "non-voter", "demot", peer_id, peer_address)


@click.command(
    "replace-peers",
    cls=GoCommand,
    examples=[
        (
            "Put two servers in the place of two others",
            "raftsim operator raft replace-peers -old=n2 -old=n3 -new=n4 -new=n5",
        )
    ],
)
@option("old", value="<peer>", multiple=True, help="Remove this member. May be repeated.")
@option("new", value="<peer>", multiple=True, help="Give this member a vote. May be repeated.")
@with_client(writes=True)
def replace_peers(client: Client, *, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """Remove members and give others their votes, all in one step.

    A peer is a name, an ID or an address. The new ones have been added and have caught up. If several votes move, the
    cluster passes through a joint configuration, in which the old and the new majority must both agree; it is left by
    itself, and the command ends when it is.
    """
    if not old and not new:
        raise Failure("Error replacing peers: nothing to do; give -old and -new")
    with reported("Error replacing peers"):
        servers = records(record(client.read(_PATH)).get("servers"))
    removals = [_wish("remove", _id_of(servers, name)) for name in old]
    promotions = [_wish("voter", _id_of(servers, name)) for name in new]
    _change(client, "Error replacing peers", [*promotions, *removals])
    print(f"Removed: {', '.join(old) or 'nobody'}. Voters now: {', '.join(new) or 'nobody new'}")


def _change_one(client: Client, op: str, doing: str, id: str, address: str) -> None:
    if id and address:
        raise Failure(f"Error {doing}ing peer: cannot give both an address and id")
    if not id and not address:
        raise Failure(f"Error {doing}ing peer: an address or id is required for the peer")
    _change(client, f"Error {doing}ing peer", [_wish(op, id, address)])
    print(f"{doing.capitalize()}ed peer with {'id' if id else 'address'} {go_quote(id or address)}")


def _change(client: Client, error: str, changes: list[dict[str, str]]) -> None:
    with reported(error):
        client.write("PUT", _PATH, {"changes": changes})


def _wish(op: str, id: str = "", address: str = "") -> dict[str, str]:
    return {key: value for key, value in (("op", op), ("id", id), ("address", address)) if value}


def _id_of(servers: list[dict[str, Any]], name: str) -> str:
    exact = [server for server in servers if name in (server.get("id"), server.get("address"), server.get("name"))]
    short = [server for server in servers if str(server.get("name") or "").partition(".")[0] == name]
    found = exact or short
    if len(found) != 1:
        raise Failure(f"Error replacing peers: no member, or more than one, is called {go_quote(name)}")
    return str(found[0].get("id", ""))
