"""Conditions: what `until`, `check`, `throughout` and `expect` may ask. They see status documents and nothing else.

A condition is a conjunction of clauses; each key of its mapping is one. Numbers without `node` are the leader's.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from raftsim.scenario.selectors import Selector
from raftsim.scenario.view import Status, View

OPERATORS: dict[str, Callable[[int, int], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`>= 20`: an operator and a whole number."""

    sign: str
    number: int

    def holds(self, value: int) -> bool:
        return OPERATORS[self.sign](value, self.number)

    def __str__(self) -> str:
        return f"{self.sign} {self.number}"


def _voters(status: Status) -> int | None:
    configuration = status["configuration"]
    if not configuration["committed"]:
        return None
    return sum(1 for server in configuration["servers"] if server["voter"])


NUMBERS: dict[str, Callable[[Status], int | None]] = {
    "term": lambda status: int(status["term"]),
    "committed": lambda status: int(status["commit_index"]),
    "applied": lambda status: int(status["applied_index"]),
    "last_index": lambda status: int(status["last_log_index"]),
    "voters": _voters,  # of a committed configuration
}


class Clause(Protocol):
    def holds(self, view: View) -> bool: ...


@dataclass(frozen=True, slots=True)
class OneLeader:
    """Exactly one server holds itself for leader, leaving out some, and it has committed in its term."""

    without: tuple[Selector, ...]

    def holds(self, view: View) -> bool:
        leaders = self.leaders(view)
        return len(leaders) == 1 and bool((view.statuses[leaders[0]] or {})["ready"])

    def leaders(self, view: View) -> list[str]:
        return view.leaders(tuple(name for selector in self.without for name in selector.find(view)))


@dataclass(frozen=True, slots=True)
class NoLeader:
    def holds(self, view: View) -> bool:
        return not view.leaders()


@dataclass(frozen=True, slots=True)
class LeaderIs:
    """The only leader is this server."""

    server: Selector

    def holds(self, view: View) -> bool:
        return tuple(view.leaders()) == self.server.find(view)


@dataclass(frozen=True, slots=True)
class Role:
    server: Selector
    role: str

    def holds(self, view: View) -> bool:
        found = self.server.find(view)
        return bool(found) and all((status := view.statuses[name]) and status["role"] == self.role for name in found)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the status of every server meant; of the leader if none is named."""

    server: Selector | None
    field: str
    comparison: Comparison

    def holds(self, view: View) -> bool:
        values = _values(view, self.server, self.field)
        return bool(values) and all(value is not None and self.comparison.holds(value) for value in values.values())


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A number stays what it was when the step began: `pinned` makes the clauses that say so."""

    server: Selector | None
    field: str

    def pinned(self, view: View) -> list[Number] | None:
        """None when there is no number to begin with."""
        clauses = []
        for name, value in _values(view, self.server, self.field).items():
            if value is None:
                return None
            # Without a server named it is the leader's number, whoever leads by then.
            where = None if self.server is None else Selector(name, lambda _, name=name: (name,))  # type: ignore[misc]
            clauses.append(Number(where, self.field, Comparison("==", value)))
        return clauses or None


@dataclass(frozen=True, slots=True)
class Converged:
    """One leader; every member of its configuration is up, has the same log, and has committed and applied it all."""

    def holds(self, view: View) -> bool:
        leaders = view.leaders()
        members = [view.statuses[name] for name in view.members(leaders[0])] if len(leaders) == 1 else []
        return bool(members) and len({_progress(status) for status in members}) == 1 and _settled(members[0])


@dataclass(frozen=True, slots=True)
class Held:
    """So many messages wait in a hold."""

    hold: str
    comparison: Comparison

    def holds(self, view: View) -> bool:
        return self.comparison.holds(view.cast.held[self.hold])


def _progress(status: Status | None) -> tuple[int, ...] | None:
    if status is None:
        return None
    keys = ("last_log_term", "last_log_index", "commit_index", "applied_index")
    return tuple(status[key] for key in keys)


def _settled(status: Status | None) -> bool:
    return status is not None and status["last_log_index"] == status["commit_index"] == status["applied_index"]


def _values(view: View, server: Selector | None, field: str) -> dict[str, int | None]:
    names = server.find(view) if server is not None else tuple(view.leaders()[:1])
    statuses = {name: view.statuses[name] for name in names}
    return {name: None if status is None else NUMBERS[field](status) for name, status in statuses.items()}


@dataclass(frozen=True, slots=True)
class Condition:
    """All of `clauses`. `acked`: besides, every acknowledged write must be read back (only in `check` and `expect`)."""

    text: str
    line: int
    clauses: tuple[Clause, ...]
    unchanged: tuple[Unchanged, ...] = ()  # only in `throughout`
    acked: bool = False

    def holds(self, view: View) -> bool:
        return all(clause.holds(view) for clause in self.clauses)

    def leader(self, view: View) -> str:
        """The one leader that a condition with `leader: one` found."""
        return next(clause.leaders(view)[0] for clause in self.clauses if isinstance(clause, OneLeader))

    def pinned(self, view: View) -> Condition | None:
        """This condition with the numbers of `view` in the place of `unchanged`, or None if there are none."""
        clauses: list[Clause] = list(self.clauses)
        for wish in self.unchanged:
            found = wish.pinned(view)
            if found is None:
                return None
            clauses += found
        return Condition(self.text, self.line, tuple(clauses))
