"""The log entry, the durable vote record, and what a server finds on its disk (paper Figure 2, persistent state)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from raftsim.core.config import Config

NOOP: Final = 0  # opens a leader's term, so that entries of earlier terms can be committed (paper section 8)
COMMAND: Final = 1  # data: bytes for the state machine
CONFIG: Final = 2  # data: the Config that is in force from here on
RESTORE_STEP: Final = 3  # data: bytes of an operator's restore of the whole state; as a command for all this room knows

CONFIG_SIZE: Final = 1024  # what a configuration counts where bytes are limited

INCARNATIONS: Final = 1 << 48  # a number is drawn from 1 to this: that one comes twice is not to be expected


@dataclass(slots=True)
class Entry:
    """One place in the log; its index is its place. Never changed once made."""

    term: int
    kind: int
    data: bytes | Config = b""

    @property
    def size(self) -> int:
        """Bytes, near enough for limits."""
        data = self.data
        return len(data) if isinstance(data, bytes) else CONFIG_SIZE


@dataclass(frozen=True, slots=True)
class HardState:
    """The current term and the vote cast in it: one record, one write, never apart (bugs of two writes: B02).

    `founder`: this server was there when its cluster began (founding.py).
    """

    term: int = 0
    vote: str | None = None
    founder: bool = False


@dataclass(frozen=True, slots=True)
class SnapshotMeta:
    """What a snapshot stands for: the log up to `index`, and the configuration in force there (paper section 7)."""

    index: int
    term: int
    config: Config
    config_index: int


@dataclass(slots=True)
class Restored:
    """What a disk held at start: the vote record, the newest snapshot, and the entries after the base of the log.

    `incarnation` is the random number of this store, drawn when it was begun; 0 if it has none: a founder's, then.
    """

    hard: HardState = field(default_factory=HardState)
    entries: list[Entry] = field(default_factory=list)
    base_index: int = 0
    base_term: int = 0
    snapshot: SnapshotMeta | None = None
    incarnation: int = 0


def bootstrapped(config: Config) -> Restored:
    """The identical beginning of every first member of a cluster: its configuration at index 1, in term 0."""
    return Restored(HardState(), [Entry(0, CONFIG, config)])
