"""Help is part of the product: 80 columns, one layout, examples everywhere, no change by accident."""

from __future__ import annotations

import re

import pytest

from raftsim.cli import help as layout
from raftsim.cli.main import main
from tests.cli.golden import FOLDER, golden, helps

HELPS = helps()


@pytest.mark.parametrize("path", HELPS)
def test_help_is_as_approved(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*path.split()[1:], "-help"]) == 0
    assert capsys.readouterr().out == golden(path).read_text()


def test_nothing_else_is_approved() -> None:
    assert sorted(FOLDER.glob("*.txt")) == sorted(golden(path) for path in HELPS)


@pytest.mark.parametrize("path", HELPS)
def test_layout(path: str) -> None:
    text = HELPS[path]
    assert text.startswith(f"Usage: {path}")
    assert [line for line in text.split("\n") if len(line) > 80 or line != line.rstrip()] == []
    assert "\n\n\n" not in text


@pytest.mark.parametrize("path", [path for path in HELPS if not path.startswith("raftsim cluster")])
def test_there_are_examples(path: str) -> None:
    assert "\n\nExamples:\n\n" in HELPS[path]


def test_examples_name_commands_that_exist() -> None:
    lines = [line for text in HELPS.values() for line in text.split("\n") if line.startswith("      $ ")]
    assert len(lines) > len(HELPS) / 2
    for line in lines:
        found = re.search(r"raftsim( [a-z-]+)+", line)
        assert found, line
        words = found[0].split()
        assert any(" ".join(words[:count]) in HELPS for count in range(2, len(words) + 1)), line


def test_prose_is_filled_and_indented_lines_are_kept() -> None:
    text = """First line
    and second.

      kept   as
      it is
    """
    assert layout.prose(text) == "  First line and second.\n\n    kept   as\n    it is"


def test_a_summary_is_the_first_sentence_without_its_full_stop() -> None:
    assert layout.summary("Do a\n    thing. Well.\n\nMore.") == "Do a thing"
    assert layout.summary("Do it.\n\nMore.") == "Do it"


def test_a_long_summary_stays_in_its_column() -> None:
    lines = layout.commands({"All:": {"a": "word " * 20, "bc": "short"}}).split("\n")
    assert lines[0] == "All:"
    assert lines[1].startswith("    a     word word")
    assert lines[2].startswith("          word")
    assert lines[-1] == "    bc    short"
    assert max(map(len, lines)) <= 80
