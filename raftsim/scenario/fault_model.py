"""Faults as values: what can be done to links, messages, disks, clocks and servers. Most exist in virtual time only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from raftsim.scenario.conditions import Comparison
from raftsim.scenario.selectors import Selector


@dataclass(frozen=True, slots=True)
class Hold:
    """Messages that fit wait from now on; None: whatever it is. `limit`: no more than so many."""

    kinds: tuple[str, ...] | None
    src: tuple[Selector, ...] | None
    dst: tuple[Selector, ...] | None
    term: Comparison | None
    index: Comparison | None
    limit: int | None
    bind: str


@dataclass(frozen=True, slots=True)
class Release:
    """`verb`: `deliver`, `drop` or `duplicate`, `count` of the messages held, None: all, and the hold ends."""

    verb: str
    hold: str
    count: int | None
    newest: bool


@dataclass(frozen=True, slots=True)
class Link:
    """One way. `changes`: fields of the model of a link; or it is cut; or clogged for a time."""

    src: Selector
    dst: Selector
    text: str
    changes: Mapping[str, Any]
    cut: bool
    clog_s: float | None


@dataclass(frozen=True, slots=True)
class Partition:
    """Two servers hear each other if they are in one group together."""

    groups: tuple[tuple[Selector, ...], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Disk:
    """`fault`: a key of `read_faults.DISK`, with what it takes."""

    server: Selector
    fault: str
    value: Any
    text: str
    bind: str | None


@dataclass(frozen=True, slots=True)
class Clock:
    server: Selector
    rate: float
    jump_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Wipe:
    server: Selector
    bind: str | None


@dataclass(frozen=True, slots=True)
class Slow:
    """The server is busy for `apply_s` with every entry it applies."""

    server: Selector
    apply_s: float
    bind: str | None


@dataclass(frozen=True, slots=True)
class Pause:
    """The server is frozen: what comes in waits, and its timers are late. Its disk goes on."""

    server: Selector
    bind: str | None


@dataclass(frozen=True, slots=True)
class Resume:
    server: Selector


Fault = Hold | Release | Link | Partition | Disk | Clock | Wipe | Slow | Pause | Resume

VERBS: Final[dict[type[Fault], str]] = {  # of a Release it is its own
    Hold: "hold",
    Link: "link",
    Partition: "partition",
    Disk: "disk",
    Clock: "clock",
    Wipe: "wipe",
    Slow: "slow",
    Pause: "pause",
    Resume: "resume",
}
