"""What must hold in every state that is reached, judged by the logs alone: no code is shared with the core.

A history outlives the servers' states: who led in which term, and what was committed. It is part of the state that is
explored, so what a crash wiped from the servers is still judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from raftsim.explore.servers import Step, View

LEADER: Final = "leader"


@dataclass(frozen=True, slots=True)
class History:
    """`leaders`: (term, place of the server), ascending. `committed`: the terms of the committed entries, and
    `committed_in`: in whose leader's term each was committed."""

    leaders: tuple[tuple[int, int], ...] = ()
    committed: tuple[int, ...] = ()
    committed_in: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """`invariant`: its name. `text`: what was seen."""

    invariant: str
    text: str


@dataclass(slots=True)
class Seen:
    """What should happen somewhere, or the bounds prove little: the name, and the depth at which it was first seen."""

    first: dict[str, int] = field(default_factory=dict)

    def note(self, name: str, depth: int) -> None:
        self.first.setdefault(name, depth)


ELECTED: Final = "a leader is elected"
COMMITTED: Final = "an entry is committed"
REELECTED: Final = "leadership moves to another server"
TWO_LEADERS: Final = "two servers lead, in different terms"
OLD_COMMITTED: Final = "an entry of an older term is committed with one of the present term"
TRUNCATED: Final = "entries are cut off"
SOMETIMES: Final = (ELECTED, COMMITTED, REELECTED, TWO_LEADERS, OLD_COMMITTED, TRUNCATED)


def judge(history: History, views: Sequence[View], place: int, step: Step) -> History | Violation:
    """`views` are those after the step of the server at `place`."""
    view = views[place]
    if step.error:
        return Violation("no exception", step.error)
    leaders, committed, committed_in = history.leaders, history.committed, history.committed_in
    if step.led:
        before = dict(leaders).get(view.term)
        if before is not None and before != place:
            return Violation("election safety", f"term {view.term} had another leader before")
        kept = sum(term < view.term for term in history.committed_in)
        if view.log[:kept] != committed[:kept]:
            return Violation("leader completeness", f"its log {view.log} lacks what is committed: {committed}")
        leaders = tuple(sorted({*leaders, (view.term, place)}))
    if step.committed:
        violation = _judge_commit(views, view, step.committed)
        if violation is not None:
            return violation
    if view.commit:
        known = min(view.commit, len(committed))
        if view.log[:known] != committed[:known]:
            return Violation("state machine safety", f"{view.log[:known]} here, {committed[:known]} elsewhere")
        if view.commit > known:
            committed = view.log[: view.commit]
            committed_in += (view.term,) * (view.commit - known)
    for other in views:
        if other is not view and not _match(view.log, other.log):
            return Violation("log matching", f"{view.log} and {other.log}")
    after = History(leaders, committed, committed_in)
    return history if after == history else after


def _judge_commit(views: Sequence[View], leader: View, index: int) -> Violation | None:
    """Of its own term, and on a majority (paper 5.4.2). Between two steps, what is in a log is durable."""
    if leader.log[index - 1] != leader.term:
        return Violation("commit of the own term", f"index {index} is of term {leader.log[index - 1]}")
    copies = sum(view.log[:index] == leader.log[:index] for view in views)
    if 2 * copies <= len(views):
        return Violation("commit on a quorum", f"index {index} is on {copies} of {len(views)} servers")
    return None


def _match(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Where two logs hold the same term at the same index, they are the same up to there (paper 5.3)."""
    for index in range(min(len(one), len(other)), 0, -1):
        if one[index - 1] == other[index - 1]:
            return one[:index] == other[:index]
    return True


def notice(seen: Seen, history: History, before: Sequence[View], after: Sequence[View], place: int, depth: int) -> None:
    """A state was met for the first time: which of SOMETIMES it shows. `place`: of the server that acted."""
    old, new = before[place], after[place]
    if new.role == LEADER != old.role:
        seen.note(ELECTED, depth)
        if len({leader for _, leader in history.leaders}) > 1:
            seen.note(REELECTED, depth)
    if new.role == LEADER and new.commit > old.commit:
        seen.note(COMMITTED, depth)
        if any(0 < term < new.term for term in new.log[old.commit : new.commit]):
            seen.note(OLD_COMMITTED, depth)
    if new.log[: len(old.log)] != old.log:
        seen.note(TRUNCATED, depth)
    if new.role == LEADER and sum(view.role == LEADER for view in after) > 1:
        seen.note(TWO_LEADERS, depth)
