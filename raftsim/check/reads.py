"""Linearizable reads (dissertation 6.4): a read sees all that was committed anywhere when it was asked for."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class ReadIndex:
    name = "read index"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._floors: dict[str, dict[int, int]] = {}  # server -> request -> what was committed when it was asked
        self._indexes: dict[str, set[int]] = {}  # server -> requests for the index alone, which another server applies

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        self._floors[node.name] = {}
        self._indexes[node.name] = set()
        return None

    def on_request(self, node: NodeGhost, asked: Any) -> str | None:
        number, request = asked
        if getattr(request, "stale", True) is False:
            self._floors.setdefault(node.name, {})[number] = self._ghost.committed.last
            if type(request).__name__ == "ReadIndex":
                self._indexes.setdefault(node.name, set()).add(number)
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
        if number in self._indexes.get(node.name, ()):
            self._indexes[node.name].remove(number)
            return None  # `on_read` has judged it, and the outcome of the query will be judged where it was asked
        if outcome.kind == "ok" and not outcome.forwarded and node.applied < floor:
            return (
                f"{node.name} answered a read from its state at index {node.applied}; "
                f"index {floor} was committed when it was asked for"
            )
        return None
