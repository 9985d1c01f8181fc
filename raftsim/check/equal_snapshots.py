"""State Machine Safety, seen from the state: what was applied up to an index gives the same bytes on every server."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class EqualSnapshots:
    name = "equal snapshots"

    def __init__(self, _: Ghost) -> None:
        self._digests: dict[int, tuple[str, str]] = {}  # index -> (digest, who was first)

    def on_snapshot(self, node: NodeGhost, kept: Any) -> str | None:
        meta, digest = kept
        first, name = self._digests.setdefault(meta.index, (digest, node.name))
        if first != digest:
            return f"{name} and {node.name} have different snapshots at index {meta.index}"
        return None
