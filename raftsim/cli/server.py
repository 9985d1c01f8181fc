"""`raftsim server`: who is there, in the eyes of one server."""

from __future__ import annotations

from typing import Any, Final

from raftsim.cli.client import ApiError, Client, record, records, reported, with_client
from raftsim.cli.go import Failure, GoGroup, option
from raftsim.cli.output import columnize, go_quote, show_json

_HEADING: Final = ("Name", "Address", "Port", "Status", "Leader", "Raft Version", "Build", "Datacenter", "Region")
_PROTOCOL: Final = 5  # the column before which the verbose form has one more

server = GoGroup(
    "server",
    help="Look at the servers.",
    examples=[("See which servers are alive", "raftsim server members")],
)


@server.command(
    "members",
    examples=[
        ("See which servers are alive", "raftsim server members"),
        ("See all that is known of them", "raftsim server members -verbose"),
        ("The status of each, for a script", "raftsim server members -json | jq -r .Members[].Status"),
    ],
)
@option("verbose", help="Show the protocol version and the tags of every server too.")
@option("detailed", help="The same as -verbose.")
@option("json", dest="as_json", help="Output what the server answered as JSON.")
@with_client()
def members(client: Client, *, verbose: bool, detailed: bool, as_json: bool) -> None:
    """Display the servers and their status, as the server that is asked sees them.

    A server is alive if it was heard within some seconds, else it has failed, or it has left if it is no member any
    more. Without a leader the servers are shown all the same, and the command fails.
    """
    with reported("Error querying servers"):
        reply = record(client.read("/v1/agent/members"))
        found = [(member, record(member.get("Tags"))) for member in records(reply.get("Members"))]
    if as_json:
        show_json(reply)
        return
    found.sort(key=lambda pair: (_text(pair[1], "region"), _text(pair[1], "dc"), _text(pair[0], "Name")))
    leaders, errors = _leaders(client, sorted({_text(tags, "region") for _, tags in found}))
    rows = [_row(member, tags, leaders, verbose=verbose or detailed) for member, tags in found]
    print(columnize([_heading(verbose=verbose or detailed), *rows]))
    if errors:
        print()
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        listed = "".join(f"\t* {error}\n" for error in errors)
        raise Failure(f"Error determining leaders: {count} occurred:\n{listed}")


def _leaders(client: Client, regions: list[str]) -> tuple[dict[str, Any], list[str]]:
    """The leader's address by region, and what went wrong."""
    leaders: dict[str, Any] = {}
    errors: list[str] = []
    for region in regions:
        try:
            leaders[region] = client.read("/v1/status/leader", region=region)
        except ApiError as error:
            errors.append(f"Region {go_quote(region)}: {error}")
    return leaders, errors


def _heading(*, verbose: bool) -> tuple[str, ...]:
    if not verbose:
        return _HEADING
    return (*_HEADING[:_PROTOCOL], "Protocol", *_HEADING[_PROTOCOL:], "Tags")


def _row(member: dict[str, Any], tags: dict[str, Any], leaders: dict[str, Any], *, verbose: bool) -> tuple[str, ...]:
    host = _text(member, "Addr")
    address = f"[{host}]:{_text(tags, 'port')}" if ":" in host else f"{host}:{_text(tags, 'port')}"
    leads = leaders.get(_text(tags, "region")) == address
    cells = [_text(member, name) for name in ("Name", "Addr", "Port", "Status")]
    cells.append("true" if leads else "false")
    if verbose:
        cells.append(_text(member, "ProtocolCur"))
    cells += [_text(tags, name) for name in ("raft_vsn", "build", "dc", "region")]
    if verbose:
        cells.append(",".join(f"{name}={value}" for name, value in sorted(tags.items())))
    return tuple(cells)


def _text(document: dict[str, Any], key: str) -> str:
    return str(document.get(key, ""))
