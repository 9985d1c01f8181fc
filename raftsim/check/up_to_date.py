"""The election restriction (paper 5.4.1): nobody votes for a candidate whose log is less up to date than its own."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class UpToDateVotes:
    name = "up-to-date votes"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._claims: dict[tuple[int, str], tuple[int, int]] = {}  # (term, candidate's id) -> (last term, last index)
        self._ends: dict[str, tuple[int, int]] = {}  # server -> the end of its log before its turn

    def on_send_vote(self, _: NodeGhost, message: Any) -> str | None:
        if not message.pre:
            key, claim = (message.term, message.src), (message.last_term, message.last_index)
            # A candidate that crashed may ask again in the same term, with less.
            self._claims[key] = max(claim, self._claims.get(key, claim))
        return None

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        self._ends.pop(node.name, None)
        return None

    def on_synced(self, node: NodeGhost, _: Any) -> str | None:
        self._ends[node.name] = node.log.end
        return None

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        change, before = self._ghost.change, self._ends.pop(node.name, node.log.end)
        if change.hard is None or change.hard == node.hard or change.hard[1] is None:
            return None
        if self._ghost.name(change.hard[1]) == node.name:
            return None  # nobody's log is behind itself; the claim may be that of a disk it has lost
        claim = self._claims.get((change.hard[0], change.hard[1]))
        # The turn may also have changed the log, before or after it voted: believe the better for it.
        own = min(before, node.log.end)
        if change.first_index and change.terms:
            own = min(own, (change.terms[-1], change.last))
        if claim is None or claim >= own:
            return None
        return (
            f"{node.name}, whose log ends at index {own[1]} of term {own[0]}, voted in term {change.hard[0]} for "
            f"{self._ghost.name(change.hard[1])}, whose log ends at index {claim[1]} of term {claim[0]}"
        )
