"""Every page of docs/ is played: its commands are typed, and must print what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, blocks, is_live, name_of
from tests.docs.play import differences, needs

# An index, what test_commands.py compares, and what takes too long.
NOTHING_TO_RUN = {"README.md", "reference/commands.md", "reference/planted-bugs.md", "benchmarks.md"}
LIVE = [page for page in PAGES if is_live(page)]
QUIET = [page for page in PAGES if page not in LIVE]


def play(page: Path, directory: Path) -> None:
    if missing := needs(page):
        pytest.skip(f"{', '.join(missing)} is not installed")
    found = differences(page, directory)
    assert not found, "\n\n".join(map(str, found))


@pytest.mark.live
@pytest.mark.parametrize("page", LIVE, ids=name_of)
def test_page_with_servers(page: Path, tmp_path: Path) -> None:
    play(page, tmp_path)


@pytest.mark.parametrize("page", QUIET, ids=name_of)
def test_page(page: Path, tmp_path: Path) -> None:
    play(page, tmp_path)


def test_only_known_pages_have_nothing_to_run() -> None:
    idle = {name_of(page) for page in PAGES if not any(block.is_run for block in blocks(page))}
    assert idle == NOTHING_TO_RUN
