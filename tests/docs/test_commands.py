"""The reference of the commands is what they say themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import raftsim
from raftsim.cli import main
from raftsim.cluster.home import state_folder
from tests.docs.commands import PAGE, text
from tests.docs.tables import table


def test_the_page_is_made_from_the_help() -> None:
    assert PAGE.read_text() == text(), "python -m tests.docs.commands makes it anew"


def test_the_exit_codes_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    documented = {int(code) for code in table(PAGE, "Exit codes").column("Means")}
    assert documented == {int(code) for code in re.findall(r"(\d+) [a-zC]", main.__doc__ or "")}
    assert main.main(["version"]) == 0
    assert main.main(["version", "x"]) == 1
    assert main.main(["versoin"]) == 127
    capsys.readouterr()


def test_the_environment_is_what_the_commands_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = Path(raftsim.__path__[0]).rglob("*.py")
    read = {name for source in sources for name in re.findall(r'"((?:NOMAD|RAFTSIM)_[A-Z_]+)"', source.read_text())}
    assert set(table(PAGE, "Environment").column("Means")) == read
    monkeypatch.delenv("RAFTSIM_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/you")
    assert str(state_folder()) == "/home/you/.local/state/raftsim"
