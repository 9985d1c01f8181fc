"""What a planted bug is, and how it is planted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getattr_static, getdoc
from types import ModuleType
from typing import Any, Final

ROOMS: Final = ("core", "node", "storage", "machine")  # whose functions a mutant may replace

Trap = Callable[[int], object]  # of a seed; raises InvariantViolated


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug.

    `number`: that of the bug among the known ones ("B24"). `story`: what is done wrong and what comes of it. `source`:
    the rule that is broken, and implementations that broke it. `needs`: the faults without which it cannot show.
    `judge`: what finds it in its trap. `trap`: the scene, or None if it is the scenario file traps/<id>.yaml.
    """

    id: str
    number: str
    title: str
    story: str
    source: str
    needs: tuple[str, ...]
    judge: str
    plant: Callable[[], None]
    trap: Trap | None


def flag(id: str) -> str:
    """What a command line that plays with that mutant ends with; empty for an empty id."""
    return f" -mutant={id}" if id else ""


def mutant(
    number: str, title: str, *, source: str, judge: str, needs: tuple[str, ...] = (), trap: Trap | None = None
) -> Callable[[Callable[[], None]], Mutant]:
    """Makes a function that plants a bug a mutant: its name is the id, its docstring the story."""

    def made(plant: Callable[[], None]) -> Mutant:
        id, story = plant.__name__.replace("_", "-"), " ".join((getdoc(plant) or "").split())
        return Mutant(id, number, title, story, source, needs, judge, plant, trap)

    return made


def replace(owner: Any, name: str, by: Any) -> None:
    """`owner.name`, a function of a module or a method of a class, is `by` from now on, for whoever refers to it.

    To be called in a copy only. Raises AttributeError: `owner` has no such thing, so the mutant has gone stale.
    """
    package, _, room = _module_of(owner).partition(".")
    assert room.partition(".")[0] in ROOMS, f"{room} is not to be changed"
    old = getattr_static(owner, name)
    setattr(owner, name, by)
    if isinstance(owner, ModuleType):
        for place, key in references(package, old):
            place[key] = by


def _module_of(owner: Any) -> str:
    found: str = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    return found


def references(package: str, old: Any) -> Iterator[tuple[dict[Any, Any], Any]]:
    """Where modules of the copy hold `old`: under names of their own, or in a table."""
    names = [name for name in sys.modules if name.partition(".")[0] == package]
    for space in [vars(sys.modules[name]) for name in names]:
        tables = [value for value in list(space.values()) if isinstance(value, dict)]
        for place in [space, *tables]:
            yield from [(place, key) for key, value in place.items() if value is old]
