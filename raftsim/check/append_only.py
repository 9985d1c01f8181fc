"""Leader Append-Only (paper Figure 3): a leader never overwrites or deletes entries in its log."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class LeaderAppendOnly:
    name = "leader append-only"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        first = self._ghost.change.first_index
        if node.role == LEADER and 0 < first <= node.log.last:
            return f"{node.name}, leader of term {node.term}, cut its log at index {first} of {node.log.last}"
        return None
