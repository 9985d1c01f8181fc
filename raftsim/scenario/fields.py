"""Reading a YAML document node by node, so that every mistake has its place and all of them are found.

A `Field` is one node. Its methods return the value or raise `Mistake`. A `Block` is a mapping; its `get` and `need`
catch the mistake of one field, note it, and go on with a default, so that reading continues to the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from raftsim.scenario.problems import Mistake, Problem, did_you_mean

T = TypeVar("T")
D = TypeVar("D")

DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m)")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
MAX_DURATION_S = 3600.0
NUMBER = re.compile(r"[+-]?\d+")
BITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
MAX_SHOWN = 40  # characters of a wrong value that are repeated in its message


@dataclass(frozen=True, slots=True)
class Field:
    """One YAML node and the list that takes its problems."""

    node: Any
    noted: list[Problem]

    def problem(self, text: str) -> Mistake:
        mark = self.node.start_mark
        return Mistake(Problem(mark.line + 1, mark.column + 1, text))

    def note(self, text: str) -> None:
        """Record a problem that does not stop the reading of this field."""
        self.noted.append(self.problem(text).problem)

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    @property
    def word(self) -> str:
        """A key, whatever stands there."""
        return str(self.node.value) if self.node.id == "scalar" else self.show()

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node.value, list) and self.node.id == "mapping"

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.node.value, list) and self.node.id == "sequence"

    @property
    def is_integer(self) -> bool:
        return bool(self.node.id == "scalar" and self._kind == "int" and NUMBER.fullmatch(self.node.value))

    @property
    def _kind(self) -> str:
        return str(self.node.tag).rpartition(":")[2]

    def block(self, what: str, known: Collection[str]) -> Block:
        """This mapping, every key of which must be among `known`."""
        if not self.is_mapping:
            raise self.problem(f"{what} must be a mapping of {', '.join(sorted(known))}, got {self.show()}")
        entries: dict[str, tuple[Field, Field]] = {}
        for key_node, value_node in self.node.value:
            key = Field(key_node, self.noted)
            name = key.word
            if name not in known:
                key.note(f"{what} has no {name!r}{did_you_mean(name, known)}")
            elif name in entries:
                key.note(f"{name!r} is given twice")
            else:
                entries[name] = key, Field(value_node, self.noted)
        return Block(self, entries)

    def items(self, what: str) -> Iterator[Field]:
        """The elements of this list."""
        if not self.is_sequence:
            raise self.problem(f"{what} must be a list, got {self.show()}")
        return (Field(node, self.noted) for node in self.node.value)

    def text(self) -> str:
        if self.node.id != "scalar" or self._kind != "str":
            raise self.problem(f"expected text, got {self.show()}")
        return str(self.node.value)

    def boolean(self) -> bool:
        if self.node.id != "scalar" or self._kind != "bool":
            raise self.problem(f"expected true or false, got {self.show()}")
        return str(self.node.value).lower() == "true"

    def integer(self, low: int, high: int) -> int:
        if not self.is_integer:
            raise self.problem(f"expected a whole number, got {self.show()}")
        # Long digit strings are refused before int(), whose own limit would raise something else.
        value = int(self.node.value) if len(self.node.value) < 20 else high + 1
        if not low <= value <= high:
            raise self.problem(f"must be between {low} and {high}, got {self.show()}")
        return value

    def choice(self, options: Collection[str]) -> str:
        word = self.text()
        if word not in options:
            raise self.problem(f"unknown {word!r}{did_you_mean(word, options)}")
        return word

    def duration_s(self) -> float:
        """Seconds, from text such as `150ms`, `5s` or `1.5s`."""
        if self.node.id != "scalar":
            raise self.problem(f"expected a duration such as 150ms or 5s, got {self.show()}")
        match = DURATION.fullmatch(self.node.value)
        if match is None:
            lacks_unit = re.fullmatch(r"\d+(\.\d+)?", self.node.value)
            wish = "a duration needs a unit, such as 150ms or 5s" if lacks_unit else "expected a duration such as 150ms"
            raise self.problem(f"{wish}, got {self.show()}")
        seconds = float(match[1]) * SECONDS[match[2]]
        if not 0 < seconds <= MAX_DURATION_S:
            raise self.problem(f"must be more than 0s and at most {MAX_DURATION_S / 60:g}m, got {self.show()}")
        return seconds

    def durations(self, *, ordered: bool = True) -> tuple[float, float]:
        """`[150ms, 300ms]`: two durations, the shorter one first if they are `ordered`."""
        values = list(self.items("a pair of durations"))
        if len(values) != 2:
            raise self.problem(f"expected two durations such as [150ms, 300ms], got {self.show()}")
        low, high = (value.duration_s() for value in values)
        if ordered and low > high:
            raise self.problem(f"the first must not be more than the second, got {self.show()}")
        return low, high

    def bytes_per_s(self) -> float:
        """A bandwidth such as `20mbit`: bits a second."""
        text = str(self.node.value) if self.node.id == "scalar" else ""
        match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(kbit|mbit|gbit)", text)
        if match is None or not float(match[1]):
            raise self.problem(f"expected a bandwidth such as 20mbit ({', '.join(BITS)} a second), got {self.show()}")
        return float(match[1]) * BITS[match[2]] / 8

    def number(self, low: float, high: float) -> float:
        """A number, such as 1.02."""
        text = str(self.node.value) if self.node.id == "scalar" else ""
        value = float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else -1.0
        if not low <= value <= high:
            raise self.problem(f"expected a number between {low:g} and {high:g}, got {self.show()}")
        return value

    def share(self) -> float:
        """A probability from 0 to 1, or text such as `5%`."""
        text = str(self.node.value) if self.node.id == "scalar" else ""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)(%?)", text)
        value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
        if not 0 <= value <= 1:
            raise self.problem(f"expected a share from 0 to 1, or such as 5%, got {self.show()}")
        return value

    def show(self) -> str:
        """What stands there, for a message: short and on one line."""
        if self.node.id == "scalar" and self._kind == "str":
            quoted = f'"{self.node.value}"'
        else:
            quoted = self.render() or "nothing"
        return quoted if len(quoted) <= MAX_SHOWN else quoted[:MAX_SHOWN] + "..."

    def render(self) -> str:
        """This value again as YAML, on one line."""
        return _render(self.node)


def _render(node: Any) -> str:
    if node.id == "mapping":
        return "{" + ", ".join(f"{_render(key)}: {_render(value)}" for key, value in node.value) + "}"
    if node.id == "sequence":
        return "[" + ", ".join(_render(item) for item in node.value) + "]"
    return " ".join(str(node.value).split())


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping whose keys are known; where a value cannot be read, its problem is noted and the default taken."""

    field: Field
    entries: dict[str, tuple[Field, Field]]

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def get(self, name: str, read: Callable[[Field], T], default: D) -> T | D:
        entry = self.entries.get(name)
        if entry is None:
            return default
        try:
            return read(entry[1])
        except Mistake as mistake:
            self.field.noted.append(mistake.problem)
            return default

    def need(self, name: str, read: Callable[[Field], T], default: D) -> T | D:
        """As `get`, but a missing key is a problem too."""
        if name not in self.entries:
            self.field.note(f"{name!r} is missing")
        return self.get(name, read, default)
