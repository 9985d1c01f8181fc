"""What can be wrong with a scenario file, said with file, line and column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file. Line and column count from 1."""

    line: int
    column: int
    text: str


class Mistake(Exception):
    """Raised where one field cannot be read; the reader notes it and goes on with the next field."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


class BadScenario(ValueError):
    """A file that is no scenario. `problems` holds all of them, in the order of the file."""

    def __init__(self, file: str, problems: Collection[Problem]) -> None:
        self.file = file
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(self.lines()))

    def lines(self) -> list[str]:
        """`file:line:column: error: text`, one a problem."""
        return [f"{self.file}:{p.line}:{p.column}: error: {p.text}" for p in self.problems]


def did_you_mean(word: str, known: Collection[str]) -> str:
    """` (did you mean 'crash'?)`, or all that is known if nothing is near."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (known: {', '.join(sorted(known))})"
