"""`raftsim why`: the reasons behind the state of a cluster, in sentences."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import click

from raftsim.cli.client import ApiError, Client, record, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import go_quote, show_json
from raftsim.http import why as reasons

_PATH: Final = "/v1/raftsim/status"


@click.command(
    "why",
    cls=GoCommand,
    examples=[
        ("See all that is not in order", "raftsim why"),
        ("See why there is no leader", "raftsim why leader"),
        ("See why the last entries are not committed", "raftsim why commit"),
        ("See why a server could not be elected", "raftsim why n2"),
        ("See what the autopilot would do, and why it does not", "raftsim why autopilot"),
    ],
)
@click.argument("subject", metavar="[leader|commit|change|autopilot|NODE]", default="")
@option("json", dest="as_json", help="Output the server, the subject and the sentences as JSON.")
@with_client()
def why(client: Client, *, subject: str, as_json: bool) -> None:
    """Tell in sentences why the cluster is as it is, as the server that is asked knows it.

    The subject is "leader", "commit" for the entries that are not committed, "change" for a membership change that
    waits, "autopilot" for what that would do and why it does not, or a server by its name, id or address. Without a
    subject, all that is not in order is told. What only the leader knows, such as whose acknowledgements are missing,
    is fetched from it through the server that is asked.
    """
    with reported("Error reading the status"):
        status = _best(client, subject)
        try:
            name, sentences = reasons.label(status, status["id"]), _sentences(status, subject)
        except (KeyError, TypeError, AttributeError) as error:
            raise ApiError(f"the answer is not the status of a raftsim server: {error!r}") from error
    if sentences is None:
        raise Failure(f"No member, or more than one, is called {go_quote(subject)}")
    if as_json:
        show_json({"Server": name, "Subject": subject, "Reasons": sentences})
    elif sentences:
        print("\n".join(sentences))
    elif status["role"] == "leader":
        print("Nothing is wrong.")
    else:
        leader = reasons.label(status, status["leader"])
        print(f"Nothing is wrong as far as {name} knows; the leader, {leader}, knows more.")


def _best(client: Client, subject: str) -> reasons.Status:
    """The leader's status where that tells more and can be had, else that of the server that is asked."""
    own = record(client.read(_PATH))
    if subject != "leader" and own.get("role") != "leader" and own.get("leader") is not None:
        with suppress(ApiError):
            return record(client.read(_PATH, leader="true"))
    return own


def _sentences(status: reasons.Status, subject: str) -> list[str] | None:
    match subject:
        case "":
            return reasons.troubles(status)
        case "leader":
            return reasons.leader(status)
        case "commit":
            return reasons.commit(status)
        case "change":
            return reasons.change(status)
        case "autopilot":
            return reasons.autopilot(status)
    return reasons.node(status, subject)
