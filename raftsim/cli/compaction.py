"""`raftsim operator raft compaction`: when a server takes snapshots."""

from __future__ import annotations

import click

from raftsim.cli.client import Client, record, reported, with_client
from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import columnize, show_json

_PATH = "/v1/raftsim/compaction"
_KEYS = {  # by option
    "threshold_entries": "snapshot_threshold_entries",
    "threshold_bytes": "snapshot_threshold_bytes",
    "trailing_entries": "trailing_entries",
}


@click.command(
    "compaction",
    cls=GoCommand,
    examples=[
        ("See the policy of a server", "raftsim operator raft compaction"),
        ("Take a snapshot every 100 entries", "raftsim operator raft compaction -threshold-entries=100"),
    ],
)
@option("threshold-entries", value="<n>", default="", help="Take a snapshot when so many entries were applied.")
@option("threshold-bytes", value="<n>", default="", help="Or when so many bytes of commands were applied.")
@option("trailing-entries", value="<n>", default="", help="Keep so many entries before a snapshot for slow followers.")
@option("json", dest="as_json", help="Output the policy as JSON.")
@with_client(writes=True)
def compaction(client: Client, *, as_json: bool, **words: str) -> None:
    """Display, or change, when a server takes snapshots and how much of its log it keeps.

    Every server has its own policy: only the one that is asked changes, until it restarts. What is not given stays as
    it is. The configuration of an agent holds what it starts with.
    """
    given = {_KEYS[name]: _number(name, word) for name, word in words.items() if word}
    with reported("Error changing the policy" if given else "Error reading the policy"):
        policy = record(client.write("PUT", _PATH, given) if given else client.read(_PATH))
    if as_json:
        show_json(policy)
    else:
        print(columnize([("Policy", "Value"), *((name, str(policy.get(name, ""))) for name in _KEYS.values())]))


def _number(name: str, word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise Failure(f"-{name.replace('_', '-')} must be a whole number, got {word}")
    return int(word)
