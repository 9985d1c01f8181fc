"""A run in 32 hexadecimal digits: two runs are the same if, and only if, their digests are."""

from __future__ import annotations

from hashlib import blake2b

from raftsim.trace.events import Event
from raftsim.trace.record import line


class Digest:
    """Give it every event; `hexdigest` is the digest of their lines."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)

    def __call__(self, event: Event) -> None:
        self._hash.update(line(event).encode() + b"\n")

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
