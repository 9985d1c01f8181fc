"""Planted bugs of votes and elections."""

from __future__ import annotations

from raftsim.core.log import Log
from raftsim.mutants.mutant import mutant, replace


@mutant(
    "B07",
    "votes given whatever the log of the candidate",
    source="Raft section 5.4.1; NuRaft#185",
    needs=("crash", "partition"),
    judge="up-to-date votes",
)
def any_log_gets_the_vote() -> None:
    """A voter does not compare logs. A server that lacks committed entries is elected and rolls them back."""
    replace(Log, "is_up_to_date", lambda *_: True)
