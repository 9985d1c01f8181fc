"""Log Matching (paper Figure 3): two logs with the same index and term have the same entries up to there."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class LogMatching:
    name = "log matching"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self._prefixes: dict[tuple[int, int], tuple[int, str]] = {}  # (index, term) -> (prefix hash, who was first)

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        return self._match(node)

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        return None if node.known else self._match(node)

    def _match(self, node: NodeGhost) -> str | None:
        prefixes, change = self._prefixes, self._ghost.change
        for index, (term, prefix) in enumerate(zip(change.terms, change.hashes, strict=True), change.first_index):
            first, name = prefixes.setdefault((index, term), (prefix, node.name))
            if first != prefix:
                return f"{name} and {node.name} hold different logs up to the same entry, index {index} of term {term}"
        return None
