"""The snapshots on the disk of a simulated server: the two newest, and the one that is being received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from raftsim.core.entry import SnapshotMeta
from raftsim.core.output import Chunk

KEPT: Final = 2
PART_BYTES: Final = 97  # of what is read back: small and odd, because a machine must take its state cut anyhow


class SimSnapshots:
    """What is kept here is durable. A crash leaves nothing of what is not whole."""

    __slots__ = ("_kept", "_received", "_receiving")

    def __init__(self) -> None:
        self._kept: list[tuple[SnapshotMeta, bytes]] = []  # by index
        self._receiving: SnapshotMeta | None = None
        self._received = bytearray()

    @property
    def newest(self) -> SnapshotMeta | None:
        return self._kept[-1][0] if self._kept else None

    def keep(self, meta: SnapshotMeta, state: bytes) -> None:
        others = [kept for kept in self._kept if kept[0].index != meta.index]
        self._kept = sorted([*others, (meta, state)], key=lambda kept: kept[0].index)[-KEPT:]

    def receive(self, chunk: Chunk) -> bytes | None:
        """Take the bytes that follow those received, or begin anew. Returns the whole state with the last."""
        if chunk.offset == 0:
            self._receiving = chunk.meta
            self._received.clear()
        place = (chunk.meta, chunk.offset)
        assert place == (self._receiving, len(self._received)), f"a chunk that does not follow: {place}"
        self._received += chunk.data
        if not chunk.last:
            return None
        state = bytes(self._received)
        self.keep(chunk.meta, state)
        self.forget_unfinished()
        return state

    def forget_unfinished(self) -> None:
        self._receiving = None
        self._received.clear()

    def read(self, index: int, offset: int, max_bytes: int) -> tuple[bytes | None, bool]:
        """Bytes of the state at `index` from `offset` on, and whether they end it; (None, False) if it is not kept."""
        for meta, state in self._kept:
            if meta.index == index:
                return state[offset : offset + max_bytes], offset + max_bytes >= len(state)
        return None, False

    def load(self, meta: SnapshotMeta) -> Iterator[bytes]:
        state = dict(self._kept)[meta]
        return (state[place : place + PART_BYTES] for place in range(0, len(state), PART_BYTES))
