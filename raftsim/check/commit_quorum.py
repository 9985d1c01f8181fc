"""Commitment (paper 5.4.2): a leader commits an entry of its own term, once a majority of voters holds it durably.

A copy counts for the incarnation of a voter that was given the vote; one that a wipe took after it was acknowledged was
durable all the same. Followers commit only what a leader has committed. In a joint configuration both halves need their
majority; the copies of non-voters do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost, incarnations
from raftsim.check.history import LogGhost


class CommitQuorum:
    name = "commit quorum"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_commit(self, node: NodeGhost, commit: Any) -> str | None:
        index = commit.index
        if commit.role != LEADER:
            reach = self._ghost.committed.last
            if index > reach:
                return f"{node.name} took index {index} for committed; leaders have committed up to {reach}"
            return None
        term = node.log.term_at(index)
        if term != commit.term:
            return f"{node.name}, leader of term {commit.term}, committed index {index}, whose entry is of term {term}"
        given = incarnations(node.config)
        for voters in node.halves:
            holders = [voter for voter in voters if self._holds(voter, given[voter], node.log, index)]
            if len(holders) * 2 <= len(voters):
                return (
                    f"{node.name}, leader of term {term}, committed index {index}, "
                    f"which is durable on {self._list(holders)} only, of voters {self._list(voters)}"
                )
        return None

    def _holds(self, voter: str, incarnation: int, committed: LogGhost, index: int) -> bool:
        held = self._ghost.node(self._ghost.name(voter)).held(incarnation)
        return any(log.agrees(committed, index) for log in held)

    def _list(self, ids: Sequence[str]) -> str:
        return ", ".join(self._ghost.name(id) for id in ids) or "nobody"
