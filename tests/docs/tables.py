"""The tables of a page, for comparing them with the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import DOCS

REFERENCE = DOCS / "reference"


@dataclass(slots=True)
class Table:
    """`rows` are the cells below the heading line."""

    heading: list[str]
    rows: list[list[str]]

    def column(self, title: str) -> dict[str, str]:
        """First cell -> the cell under `title`; code marks are taken off the first."""
        place = self.heading.index(title)
        found = {row[0].strip("`"): row[place] for row in self.rows}
        assert len(found) == len(self.rows), f"a row of the table {self.heading} is there twice"
        return found


def tables(page: Path, section: str) -> list[Table]:
    """The tables under the heading `section`, sections below it not included."""
    title = re.compile(rf"#+ {re.escape(section)}$")
    found: list[Table] = []
    inside = False
    before = ""
    for line in page.read_text().splitlines():
        if line.startswith("#"):
            inside = bool(title.match(line))
        elif inside and line.startswith("|"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line[1:-1])]
            if not before.startswith("|"):
                found.append(Table(cells, []))
            elif not set(line) <= set("|-"):
                found[-1].rows.append(cells)
        before = line
    assert found, f"{page.name} has no table under {section}"
    return found


def table(page: Path, section: str) -> Table:
    """The only table under a heading."""
    (found,) = tables(page, section)
    return found


def marked(cell: str) -> list[str]:
    """What is marked as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)
