"""Variables as the client shows them, made from what the machine answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """`items` are empty in a list, which holds what is known about variables, not what is in them."""

    namespace: str
    path: str
    create_index: int
    create_time_ns: int
    modify_index: int
    modify_time_ns: int
    items: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Put:
    """A variable that is there, new or changed."""

    variable: Variable


@dataclass(frozen=True, slots=True)
class Deleted:
    """A variable that was there."""

    namespace: str
    path: str


def from_plain(plain: Mapping[str, Any]) -> Variable:
    """A variable in the form the machine answers with (raftsim/machine/varstate.py)."""
    return Variable(
        plain["Namespace"],
        plain["Path"],
        plain["CreateIndex"],
        plain["CreateTime"],
        plain["ModifyIndex"],
        plain["ModifyTime"],
        plain.get("Items", {}),
    )
