"""The list of planted bugs in the documents. `python -m tests.docs.mutants` writes it."""

from __future__ import annotations

import re

from raftsim.mutants.catalogue import CATALOGUE
from raftsim.mutants.mutant import Mutant
from tests.docs.tables import REFERENCE

PAGE = REFERENCE / "planted-bugs.md"
HEADING = ["Mutant", "Bug", "Needs", "Judge", "Title"]
SECTION = "The catalogue"


def row(mutant: Mutant) -> list[str]:
    return [mutant.id, mutant.number, ", ".join(mutant.needs), mutant.judge, mutant.title]


def rows() -> list[list[str]]:
    return [row(mutant) for mutant in CATALOGUE.values()]


if __name__ == "__main__":
    heading, *lines = [f"| {' | '.join(line)} |\n" for line in (HEADING, *rows())]
    table = "".join([heading, "|---" * len(HEADING) + "|\n", *lines])
    PAGE.write_text(re.sub(rf"(?<=## {SECTION}\n\n)(\|.*\n)*", lambda _: table, PAGE.read_text()))
