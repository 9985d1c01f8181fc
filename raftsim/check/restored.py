"""A server starts from what its disk held when it went down: no less, and nothing else.

Its log may begin later than it did, up to its snapshot; and its term is at least that of the snapshot.
"""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class RestoredAsWritten:
    name = "restored as written"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost

    def on_start(self, node: NodeGhost, restored: Any) -> str | None:
        if not node.known:
            return None
        snapshot, log = node.snapshot, node.durable_log
        given, hard = node.durable_hard, (restored.hard.term, restored.hard.vote)
        if snapshot is not None and snapshot.term > given[0]:
            given = (snapshot.term, None)
        if hard != given:
            return f"{node.name} started with term and vote {hard}; its disk was given {given}"
        if restored.snapshot != snapshot:
            return f"{node.name} started from {restored.snapshot}; the newest snapshot its disk was given is {snapshot}"
        found = self._ghost.found
        if found.hashes != log.hashes or restored.base_term != log.term_at(restored.base_index):
            return (
                f"{node.name} started with a log from index {restored.base_index} of term {restored.base_term} "
                f"to {found.last}; its disk was given a log up to {log.last} that is not the same"
            )
        return None
