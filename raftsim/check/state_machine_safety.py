"""State Machine Safety (paper Figure 3): no two servers apply different entries at the same index, ever."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class StateMachineSafety:
    name = "state machine safety"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_apply(self, node: NodeGhost, applied: Any) -> str | None:
        index, entry = applied
        if index >= len(self._ghost.applied):
            return None
        name, first = self._ghost.applied[index]
        if first is entry or first == entry:
            return None
        return (
            f"{name} and {node.name} applied different entries at index {index}: "
            f"one of term {first.term} and one of term {entry.term}"
        )
