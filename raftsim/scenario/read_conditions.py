"""From YAML to conditions."""

from __future__ import annotations

import re
from collections.abc import Callable

from raftsim.core.output import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE
from raftsim.scenario.conditions import (
    NUMBERS,
    OPERATORS,
    Clause,
    Comparison,
    Condition,
    Converged,
    Held,
    LeaderIs,
    NoLeader,
    Number,
    OneLeader,
    Role,
    Unchanged,
)
from raftsim.scenario.fields import Block, Field
from raftsim.scenario.names import Names
from raftsim.scenario.problems import Mistake
from raftsim.scenario.selectors import Selector

ROLES = (FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER)
KEYS = ("leader", "not", "node", "role", "converged", "held", *NUMBERS)
COMPARISON = re.compile(r"(>=|<=|==|!=|>|<)?\s*(\d{1,15})")
MAX_CONDITIONS = 32


def conditions(field: Field, names: Names, *, acked: bool = False, unchanged: bool = False) -> tuple[Condition, ...]:
    """One condition, or a list of them. `acked` and `unchanged` say whether those words have a meaning here."""
    if not field.is_sequence:
        return (condition(field, names, acked=acked, unchanged=unchanged),)
    found = []
    for item in field.items("conditions"):
        try:
            found.append(condition(item, names, acked=acked, unchanged=unchanged))
        except Mistake as mistake:
            field.noted.append(mistake.problem)
    if not 0 < len(found) <= MAX_CONDITIONS and not field.noted:
        raise field.problem(f"expected 1 to {MAX_CONDITIONS} conditions, got {len(found)}")
    return tuple(found)


def condition(field: Field, names: Names, *, acked: bool = False, unchanged: bool = False) -> Condition:
    """One mapping, each key of which must hold."""
    block = field.block("a condition", (*KEYS, "acked") if acked else KEYS)
    server = block.get("node", names.steady, None)
    clauses = [*_leader(block, names), *_role(block, server), *_converged(block), *_held(block, names)]
    wishes = []
    for name in NUMBERS:
        clause = block.get(name, _number(name, server, unchanged=unchanged), None)
        if isinstance(clause, Unchanged):
            wishes.append(clause)
        elif clause is not None:
            clauses.append(clause)
    reads_back = block.get("acked", lambda value: value.choice(("present",)) == "present", default=False)
    if not (clauses or wishes or reads_back or field.noted):
        raise field.problem("a condition must say something")
    return Condition(field.render(), field.line, tuple(clauses), tuple(wishes), reads_back)


def comparison(field: Field) -> Comparison:
    """A whole number, or text such as `>= 20`."""
    match = COMPARISON.fullmatch(str(field.node.value)) if field.node.id == "scalar" else None
    if match is None:
        known = ", ".join(OPERATORS)
        raise field.problem(f'expected a whole number or a comparison such as ">= 20" ({known}), got {field.show()}')
    return Comparison(match[1] or "==", int(match[2]))


def _leader(block: Block, names: Names) -> list[Clause]:
    without = block.get("not", lambda field: tuple(names.steady(item) for item in field.items("'not'")), ())
    word = block.get("leader", lambda field: field.text(), None)
    if without and word != "one":
        block.entries["not"][0].note("'not' belongs to 'leader: one'")
    if word == "one":
        return [OneLeader(without)]
    if word == "none":
        return [NoLeader()]
    selector = None if word is None else block.get("leader", names.steady, None)
    return [] if selector is None else [LeaderIs(selector)]


def _role(block: Block, server: Selector | None) -> list[Clause]:
    role = block.get("role", lambda field: field.choice(ROLES), None)
    if role is None:
        return []
    if server is None:
        if "node" not in block:
            block.entries["role"][0].note("'role' needs 'node': whose role?")
        return []
    return [Role(server, role)]


def _converged(block: Block) -> list[Clause]:
    wished = block.get("converged", lambda field: field.boolean(), None)
    if wished is False:
        block.entries["converged"][1].note("only 'converged: true' can be asked for")
    return [Converged()] if wished else []


def _held(block: Block, names: Names) -> list[Clause]:
    """`held: stale` (one message at least), or `held: {stale: ">= 3"}`."""

    def read(field: Field) -> list[Clause]:
        if not field.is_mapping:
            return [Held(names.hold(field), Comparison(">=", 1))]
        pairs = [(Field(key, field.noted), Field(value, field.noted)) for key, value in field.node.value]
        return [Held(names.hold(key), comparison(value)) for key, value in pairs]

    return block.get("held", read, [])


def _number(name: str, server: Selector | None, *, unchanged: bool) -> Callable[[Field], Number | Unchanged]:
    def read(field: Field) -> Number | Unchanged:
        if field.node.value != "unchanged":
            return Number(server, name, comparison(field))
        if not unchanged:
            raise field.problem("'unchanged' belongs to 'throughout', where a step has a beginning to compare with")
        return Unchanged(server, name)

    return read
