"""The messages servers exchange (paper Figure 2; pre-vote: dissertation 9.6).

`round` is a number the leader makes and followers echo: one mechanism for check-quorum and read index. A reply can
only ever confirm what was asked at or before the round it carries, so a delayed reply never confirms a newer read.
`incarnation` says which life of its disk a server answers from (founding.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from raftsim.core.entry import Entry, SnapshotMeta


@dataclass(slots=True)
class Vote:
    """May I lead in `term`? With `pre`: would you say yes, if I asked (nothing is recorded)."""

    term: int
    src: str
    dst: str
    last_index: int
    last_term: int
    pre: bool = False
    force: bool = False  # set by a leadership transfer: stickiness does not apply


@dataclass(slots=True)
class VoteReply:
    """A grant carries the term asked for, a refusal the term of the refuser and, for people, its reason."""

    term: int
    src: str
    dst: str
    granted: bool
    pre: bool = False
    reason: str = ""
    incarnation: int = 0


@dataclass(slots=True)
class Append:
    """Entries after (prev_index, prev_term); without entries, a heartbeat."""

    term: int
    src: str
    dst: str
    prev_index: int
    prev_term: int
    entries: list[Entry] = field(default_factory=list)
    commit: int = 0
    round: int = 0


@dataclass(slots=True)
class AppendReply:
    """ok: `index` is the highest index known to match. Else `index` is the refused prev_index, and (hint_index,
    hint_term) the highest place at or below it where the logs may still agree."""

    term: int
    src: str
    dst: str
    ok: bool
    index: int
    hint_index: int = 0
    hint_term: int = 0
    round: int = 0
    incarnation: int = 0


@dataclass(slots=True)
class Install:
    """The bytes of snapshot `meta` from `offset` on; `last` ends it."""

    term: int
    src: str
    dst: str
    meta: SnapshotMeta
    offset: int
    data: bytes
    last: bool
    round: int = 0


@dataclass(slots=True)
class InstallReply:
    """Of the snapshot at `index` the bytes before `offset` are here; `done`: all that it stands for is."""

    term: int
    src: str
    dst: str
    index: int
    offset: int
    done: bool
    round: int = 0
    incarnation: int = 0


@dataclass(slots=True)
class TimeoutNow:
    """Your log is complete: stand for election at once, I will not mind."""

    term: int
    src: str
    dst: str


@dataclass(slots=True)
class Hail:
    """I begin as `incarnation`: have you met me? Or the answer to that, which says whom the sender has met.

    `knows` is the receiver's incarnation as the sender met it, 0 for none. A sender that has `begun` meets nobody new.
    """

    term: int
    src: str
    dst: str
    incarnation: int
    knows: int
    begun: bool
    answer: bool = False


Message = Vote | VoteReply | Append | AppendReply | Install | InstallReply | TimeoutNow | Hail
