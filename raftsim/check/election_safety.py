"""Election Safety (paper Figure 3): at most one leader in a term, ever."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class ElectionSafety:
    name = "election safety"

    def __init__(self, _: Ghost) -> None:
        self._leaders: dict[int, str] = {}

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.role != LEADER:
            return None
        first = self._leaders.setdefault(role.term, node.name)
        if first != node.name:
            return f"{first} and {node.name} both lead in term {role.term}"
        return None
