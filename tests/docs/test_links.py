"""No link in docs/ leads nowhere, every page is in the index, and lines are not too long to read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, name_of

MAX_COLUMNS = 120


def prose(page: Path) -> list[str]:
    """The lines outside of fenced blocks."""
    found, fenced = [], False
    for line in page.read_text().splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced:
            found.append(line)
    return found


def anchors(page: Path) -> set[str]:
    titles = [line.lstrip("#").strip() for line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", "\n".join(prose(page))):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.is_file(), target
        if anchor:
            assert anchor in anchors(linked), target


def test_the_index_has_every_page() -> None:
    index = (DOCS / "README.md").read_text()
    for page in PAGES:
        assert name_of(page) == "README.md" or f"({name_of(page)})" in index


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_of_prose_fit(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > MAX_COLUMNS and not line.startswith("|")] == []
