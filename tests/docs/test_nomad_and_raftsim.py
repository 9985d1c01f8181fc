"""What the comparison with Nomad calls faithful is there, and the commands it calls missing are not."""

from __future__ import annotations

import re

from tests.cli.golden import helps
from tests.docs.pages import DOCS
from tests.docs.tables import REFERENCE, marked, table

PAGE = DOCS / "explanation" / "nomad-and-raftsim.md"
FAITHFUL = PAGE.read_text().partition("## Faithful")[2].partition("\n## ")[0]


def test_faithful_endpoints_are_in_the_reference() -> None:
    paths = re.findall(r"/v1/[\w/<>-]+", FAITHFUL)
    assert len(paths) > 5
    reference = (REFERENCE / "http-api.md").read_text()
    assert [path for path in paths if path not in reference] == []


def test_faithful_commands_exist() -> None:
    groups = re.findall(
        r"`(operator raft|operator autopilot|var|server) ([\w-]+)`((?:(?:, | and )`[\w-]+`)*)", FAITHFUL
    )
    named = {f"raftsim {group} {name}" for group, first, rest in groups for name in [first, *marked(rest)]}
    assert len(named) == 11
    assert named | {"raftsim agent-info"} <= set(helps())


def test_missing_commands_do_not_exist() -> None:
    cells = " ".join(table(PAGE, "Not there yet").column("Here"))
    missing = re.findall(r"(?:operator|server) [a-z-]+(?: [a-z-]+)?", cells)
    assert len(missing) >= 3
    assert [name for name in missing if f"raftsim {name}" in helps()] == []
