"""What is committed stays: no server that holds it cuts it off or replaces it."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class CommittedImmutable:
    name = "committed is immutable"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        change, committed = self._ghost.change, self._ghost.committed
        first = change.first_index
        if not 0 < first <= node.log.last or not node.log.agrees(committed, min(first, committed.last)):
            return None  # nothing is cut, or only what was never committed
        end = first + len(change.hashes) - 1  # of the log after the change
        for index in range(first, min(committed.last, node.log.last) + 1):
            if not node.log.agrees(committed, index):
                return None
            if index > end or change.hashes[index - first] != committed.hashes[index]:
                term, name = self._ghost.committed_by[index]
                return f"{node.name} lost index {index}, which {name} had committed in term {term}"
        return None
