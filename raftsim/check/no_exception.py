"""No exception ever escapes a server."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class NoException:
    name = "no exception"

    def __init__(self, _: Ghost) -> None: ...

    def on_error(self, node: NodeGhost, error: Any) -> str | None:
        return f"{node.name} failed: {error}"
