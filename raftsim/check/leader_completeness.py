"""Leader Completeness (paper Figure 3): what is committed in a term is in the logs of all leaders of later terms.

A leader of an earlier term may still be elected, by votes that were long on their way: it is asked only for what was
committed in terms before its own.
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class LeaderCompleteness:
    name = "leader completeness"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.role != LEADER:
            return None
        ghost = self._ghost
        reach = next(index for term, index in reversed(ghost.reach) if term < role.term or term == 0)
        if node.log.agrees(ghost.committed, reach):
            return None
        term, name = ghost.committed_by[reach]
        return (
            f"{node.name} leads in term {role.term} without what {name} had committed up to index {reach} "
            f"in term {term}: its log ends at index {node.log.last} of term {node.log.end[0]}"
        )
