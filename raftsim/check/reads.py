"""Linearizable reads (dissertation 6.4): a read sees all that was committed anywhere when it was asked for."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class ReadIndex:
    name = "read index"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._floors: dict[str, dict[int, int]] = {}  # server -> request -> what was committed when it was asked

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        self._floors[node.name] = {}
        return None

    def on_request(self, node: NodeGhost, asked: Any) -> str | None:
        number, request = asked
        if getattr(request, "stale", True) is False:
            self._floors.setdefault(node.name, {})[number] = self._ghost.committed.last
        return None

    def on_read(self, node: NodeGhost, confirmed: Any) -> str | None:
        number, index = confirmed
        floor = self._floors.get(node.name, {}).get(number, 0)
        if index < floor:
            return f"{node.name} confirmed a read at index {index}; index {floor} was committed when it was asked for"
        return None

    def on_outcome(self, node: NodeGhost, answered: Any) -> str | None:
        number, outcome = answered
        floor = self._floors.get(node.name, {}).pop(number, 0)
        if outcome.kind == "ok" and not outcome.forwarded and node.applied < floor:
            return (
                f"{node.name} answered a read from its state at index {node.applied}; "
                f"index {floor} was committed when it was asked for"
            )
        return None
