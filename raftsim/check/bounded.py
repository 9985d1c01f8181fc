"""Whatever can grow has a limit: entries that a leader has taken and cannot commit, and requests without an outcome."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from typing import Any

from raftsim.check.ghost import LEADER, Ghost, NodeGhost


class BoundedQueues:
    name = "bounded queues"

    def __init__(self, ghost: Ghost) -> None:
        self._limits = ghost.limits
        self._open: Counter[str] = Counter()  # server -> requests without an outcome
        self._tails: defaultdict[str, deque[tuple[int, int]]] = defaultdict(deque)  # not committed: (index, bytes)
        self._bytes: Counter[str] = Counter()  # of all these together

    def on_start(self, node: NodeGhost, restored: Any) -> str | None:
        self._open[node.name] = self._bytes[node.name] = 0
        self._tails[node.name].clear()
        self._take(node, restored.base_index + 1, restored.entries)
        if restored.snapshot is not None:
            self._commit(node, restored.snapshot.index)
        return None

    def on_write(self, node: NodeGhost, write: Any) -> str | None:
        if not write.first_index:
            return None
        grown = self._take(node, write.first_index, write.entries)
        self._commit(node, node.commit)  # a follower may have said before that some of these are committed
        held, most = self._bytes[node.name], self._limits.uncommitted_bytes
        if grown and held > most and node.role == LEADER:
            return f"{node.name} leads and has taken {held} bytes that are not committed, of {most} it may take"
        return None

    def on_commit(self, node: NodeGhost, commit: Any) -> str | None:
        self._commit(node, commit.index)
        return None

    def on_request(self, node: NodeGhost, _: Any) -> str | None:
        self._open[node.name] += 1
        # The one that comes now may be one too many: it is refused at once.
        if self._open[node.name] - 1 > self._limits.pending_requests:
            return f"{node.name} works on more than {self._limits.pending_requests} requests"
        return None

    def on_outcome(self, node: NodeGhost, _: Any) -> str | None:
        self._open[node.name] -= 1
        return None

    def _commit(self, node: NodeGhost, index: int) -> None:
        tail = self._tails[node.name]
        while tail and tail[0][0] <= index:
            self._bytes[node.name] -= tail.popleft()[1]

    def _take(self, node: NodeGhost, first_index: int, entries: Any) -> int:
        """Returns how many bytes came with these entries."""
        tail, grown = self._tails[node.name], 0
        while tail and tail[-1][0] >= first_index:
            self._bytes[node.name] -= tail.pop()[1]
        for index, entry in enumerate(entries, first_index):
            size = len(entry.data) if type(entry.data) is bytes else 0
            tail.append((index, size))
            grown += size
        self._bytes[node.name] += grown
        return grown
