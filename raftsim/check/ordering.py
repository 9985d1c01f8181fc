"""Everything goes forward (paper Figure 2): terms, commit and applied indexes rise, and of all indexes of a server
base <= snapshot <= applied <= commit <= last.
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class Ordering:
    name = "ordering"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_start(self, node: NodeGhost, restored: Any) -> str | None:
        snapshot = 0 if restored.snapshot is None else restored.snapshot.index
        if not restored.base_index <= snapshot <= self._ghost.found.last:
            return (
                f"{node.name} starts with a log from index {restored.base_index} to {self._ghost.found.last} "
                f"and a snapshot at {snapshot}"
            )
        return None

    def on_role(self, node: NodeGhost, role: Any) -> str | None:
        if role.term < node.term:
            return f"{node.name} went back from term {node.term} to {role.term}"
        return None

    def on_write(self, node: NodeGhost, _: Any) -> str | None:
        change = self._ghost.change
        if change.hard is not None and change.hard[0] < node.hard[0]:
            return f"{node.name} went back from term {node.hard[0]} to {change.hard[0]}"
        if change.first_index > node.log.last + 1:
            return f"{node.name} wrote index {change.first_index} after index {node.log.last}: a gap"
        end = change.last if change.first_index else node.log.last
        if node.commit > end:
            return f"{node.name} holds entries up to index {end} and committed up to {node.commit}"
        return None

    def on_commit(self, node: NodeGhost, commit: Any) -> str | None:
        if commit.index <= node.commit:
            return f"{node.name} went back from commit index {node.commit} to {commit.index}"
        if commit.role == LEADER and commit.index > node.log.last:
            return f"{node.name} committed index {commit.index} of a log that ends at {node.log.last}"
        return None

    def on_snapshot(self, node: NodeGhost, kept: Any) -> str | None:
        meta, _ = kept
        received = any(change.snapshot == meta for change in node.pending)
        if not received and meta.index > node.applied:
            return f"{node.name} saved a snapshot at index {meta.index}; it has applied up to {node.applied}"
        return None

    def on_restore(self, node: NodeGhost, meta: Any) -> str | None:
        if meta.index < node.applied:
            return f"{node.name} went back from applied index {node.applied} to a snapshot at {meta.index}"
        if meta.index > min(node.commit, node.log.last):
            return (
                f"{node.name} restored a snapshot at index {meta.index}; "
                f"it committed up to {node.commit} and holds up to {node.log.last}"
            )
        return None

    def on_apply(self, node: NodeGhost, applied: Any) -> str | None:
        index, _ = applied
        if index != node.applied + 1:
            return f"{node.name} applied index {index} after index {node.applied}"
        if index > min(node.commit, node.log.last):
            return (
                f"{node.name} applied index {index}; it committed up to {node.commit} and holds up to {node.log.last}"
            )
        return None
