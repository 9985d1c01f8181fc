"""Servers by the names people give them: messages and configurations speak of ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from raftsim.trace.events import DELIVER, SEND
from raftsim.trace.file import Record


class Names:
    """Knows the first servers; of those added later it learns from what they send and receive (`learn`).

    `ids`: by name, in the order in which they became known.
    """

    def __init__(self, servers: Mapping[str, str]) -> None:
        self.ids = dict(servers)
        self._names = {id: name for name, id in servers.items()}

    def learn(self, record: Record) -> None:
        if record.kind in (SEND, DELIVER) and record.node not in self.ids:
            id = record.fields["src" if record.kind == SEND else "dst"]
            self.ids[record.node] = id
            self._names[id] = record.node

    def __call__(self, id: str) -> str:
        return self._names.get(id, id)

    def all(self, ids: Iterable[str]) -> str:
        return ", ".join(map(self, ids)) or "nobody"
