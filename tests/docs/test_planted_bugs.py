"""The page of planted bugs has every mutant of the catalogue, as it is there."""

from __future__ import annotations

from tests.docs.mutants import HEADING, PAGE, SECTION, rows
from tests.docs.tables import tables


def test_the_list() -> None:
    (listed,) = tables(PAGE, SECTION)
    assert listed.heading == HEADING
    assert listed.rows == rows()
