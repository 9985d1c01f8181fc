"""What a leader commits is on its own disk too: its answer to a client must not hang on others surviving."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class CommittedIsDurable:
    name = "committed is durable"

    def __init__(self, _: Ghost) -> None: ...

    def on_commit(self, node: NodeGhost, commit: Any) -> str | None:
        if commit.role != LEADER or node.durable_log.agrees(node.log, commit.index):
            return None
        return (
            f"{node.name}, leader of term {commit.term}, committed index {commit.index}; "
            f"its disk holds its log up to index {node.durable_log.last} at most"
        )
