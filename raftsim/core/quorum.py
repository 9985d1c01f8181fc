"""Majorities (paper section 5) and joint majorities (section 6; dissertation 4.3).

A decision in a joint configuration needs a majority of both halves, so an index is committed up to the lesser of the
two, and a vote is won only when it is won twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeVar

Vote = Literal["won", "lost", "pending"]
Number = TypeVar("Number", int, float)


def committed_index(
    voters: Collection[str], outgoing: Collection[str] | None, acks: Mapping[str, Number]
) -> Number | None:
    """The highest index that a majority of `voters` (and of `outgoing`, if any) has acknowledged.

    `acks` maps a server to its acknowledged index; a missing one counts 0. None when there is no voter at all.
    The same arithmetic serves rounds (read index) and times (check-quorum).
    """
    incoming = _majority_ack(voters, acks) if voters else None
    leaving = _majority_ack(outgoing, acks) if outgoing else None
    if incoming is None:
        return leaving
    return incoming if leaving is None else min(incoming, leaving)


def vote_result(voters: Collection[str], outgoing: Collection[str] | None, votes: Mapping[str, bool]) -> Vote:
    """How an election stands, given who granted (True) or refused (False). An empty quorum is won (vacuously)."""
    results = (_majority_vote(voters, votes), _majority_vote(outgoing or (), votes))
    if "lost" in results:
        return "lost"
    return "pending" if "pending" in results else "won"


def _majority_ack(voters: Collection[str], acks: Mapping[str, Number]) -> Number:
    acknowledged = sorted([acks.get(voter, 0) for voter in voters])
    return acknowledged[(len(acknowledged) - 1) // 2]


def _majority_vote(voters: Collection[str], votes: Mapping[str, bool]) -> Vote:
    needed = len(voters) // 2 + 1
    granted = sum(1 for voter in voters if votes.get(voter) is True)
    refused = sum(1 for voter in voters if votes.get(voter) is False)
    if not voters or granted >= needed:
        return "won"
    return "lost" if len(voters) - refused < needed else "pending"
