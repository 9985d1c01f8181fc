"""No acknowledged command is lost: `ok` is only for what was applied, and whoever caught up has all of it."""

from __future__ import annotations

from typing import Any

from raftsim.check.ghost import Ghost, NodeGhost


class Durability:
    """Commands are told apart by their bytes, so a load that checks durability makes each one unique."""

    name = "durability"

    def __init__(self, ghost: Ghost) -> None:
        self._ghost = ghost
        self.acked: dict[bytes, str] = {}  # command -> who acknowledged it first
        self._asked: dict[tuple[str, int], bytes] = {}
        self._applied: dict[str, set[bytes]] = {}  # server -> commands its present state comes from
        self._ever: set[bytes] = set()  # applied anywhere

    def on_start(self, node: NodeGhost, _: Any) -> str | None:
        self._applied[node.name] = set()
        return None

    def on_request(self, node: NodeGhost, asked: Any) -> str | None:
        number, request = asked
        data = getattr(request, "data", None)
        if data is not None:
            self._asked[node.name, number] = data
        return None

    def on_apply(self, node: NodeGhost, applied: Any) -> str | None:
        data = applied[1].data
        if type(data) is bytes:
            self._applied.setdefault(node.name, set()).add(data)
            self._ever.add(data)
        return None

    def on_restore(self, node: NodeGhost, meta: Any) -> str | None:
        past = self._ghost.applied[1 : meta.index + 1]
        self._applied[node.name] = {entry.data for _, entry in past if type(entry.data) is bytes}
        return None

    def on_outcome(self, node: NodeGhost, answered: Any) -> str | None:
        number, outcome = answered
        data = self._asked.pop((node.name, number), None)
        if data is None or outcome.kind != "ok":
            return None
        self.acked.setdefault(data, node.name)
        return None if data in self._ever else f"{node.name} acknowledged a command nobody had applied: {data!r}"

    def lost(self, name: str) -> list[bytes]:
        """The acknowledged commands that server `name` has not applied; empty once it caught up."""
        return [data for data in self.acked if data not in self._applied.get(name, ())]
