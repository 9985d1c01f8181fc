"""The two runs, recorded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.trace.file import Record
from tests.trace import runs


@pytest.fixture(scope="session")
def eventful_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("traces") / "eventful.jsonl.gz"
    runs.eventful(path)
    return path


@pytest.fixture(scope="session")
def eventful(eventful_path: Path) -> list[Record]:
    return runs.read(eventful_path)


@pytest.fixture(scope="session")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    path = tmp_path_factory.mktemp("traces") / "calm.jsonl"
    runs.calm(path)
    return runs.read(path)
