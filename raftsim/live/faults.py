"""Faults a live server does to itself: messages of blocked peers are dropped on the way out and on the way in.

The connections stay: to the protocol this is a partition, and silence is all it sees of one.
"""

from __future__ import annotations

from collections.abc import Iterable


class LinkFaults:
    """`blocked` are the ids of the peers this server is cut off from, `dropped` counts the messages lost by that."""

    def __init__(self) -> None:
        self.blocked: frozenset[str] = frozenset()
        self.dropped = 0

    def block(self, peer_ids: Iterable[str]) -> None:
        """Cut off exactly these peers; none: heal everything."""
        self.blocked = frozenset(peer_ids)

    def drops(self, peer_id: str) -> bool:
        """Whether a message to or from `peer_id` is lost now; counts it if so."""
        if peer_id not in self.blocked:
            return False
        self.dropped += 1
        return True
