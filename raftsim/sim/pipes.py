"""Links of limited bandwidth: what is sent waits for what was sent before it, and where too much waits, it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from raftsim.core.messages import Append, Install

if TYPE_CHECKING:
    from raftsim.node.ports import PeerMessage

HEADER_BYTES: Final = 64  # of any message, near enough


def size_of(message: PeerMessage) -> int:
    """Bytes on the wire, near enough for bandwidth."""
    if isinstance(message, Append):
        return HEADER_BYTES + sum([entry.size for entry in message.entries])
    return HEADER_BYTES + (len(message.data) if isinstance(message, Install) else 0)


class Pipes:
    """When each direction of each link is done with what was sent so far."""

    def __init__(self) -> None:
        self._free_at: dict[tuple[str, str], float] = {}

    def send(self, link: tuple[str, str], now: float, size: int, bytes_per_s: float, queue_bytes: int) -> float | None:
        """When the last byte has left, or None: no room. What is larger than the queue waits for an empty one."""
        begin = max(now, self._free_at.get(link, now))
        waiting = (begin - now) * bytes_per_s
        if waiting > 0 and waiting + size > queue_bytes:
            return None
        self._free_at[link] = begin + size / bytes_per_s
        return self._free_at[link]
