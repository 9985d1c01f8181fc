"""A snapshot stands for a committed prefix (paper section 7): its last entry, and the configuration in force there."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class SnapshotsCommitted:
    name = "snapshots are committed"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_start(self, node: NodeGhost, restored: Any) -> str | None:
        return None if restored.snapshot is None else self._stands(node, restored.snapshot)

    def on_snapshot(self, node: NodeGhost, kept: Any) -> str | None:
        return self._stands(node, kept[0])

    def on_restore(self, node: NodeGhost, meta: Any) -> str | None:
        return self._stands(node, meta)

    def _stands(self, node: NodeGhost, meta: Any) -> str | None:
        committed = self._ghost.committed
        term = committed.term_at(meta.index)
        if term != meta.term:
            found = "nothing" if term is None else f"an entry of term {term}"
            return f"{node.name} has a snapshot at index {meta.index} of term {meta.term}; committed there is {found}"
        index, config = committed.config_at(meta.index)
        if (index, config) != (meta.config_index, meta.config):
            return (
                f"{node.name} has a snapshot at index {meta.index} with the configuration of index "
                f"{meta.config_index}; committed there is that of index {index}"
            )
        return None
