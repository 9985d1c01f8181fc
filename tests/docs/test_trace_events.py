"""The page of trace events has every kind and every judge."""

from __future__ import annotations

from raftsim.check.judges import INVARIANTS
from raftsim.sim import network
from raftsim.trace.events import TOLD_BY_NODE, TOLD_BY_WORLD
from raftsim.trace.file import _ENDING, _HEADER, _RECORD, SCHEMA
from tests.docs.tables import REFERENCE, marked, table, tables

PAGE = REFERENCE / "trace-events.md"


def test_the_kinds() -> None:
    assert tuple(table(PAGE, "Told by a server").column("Subject")) == TOLD_BY_NODE
    assert tuple(table(PAGE, "Told by the world").column("Subject")) == TOLD_BY_WORLD


def test_the_file() -> None:
    first, event, last = tables(PAGE, "The file")
    assert list(first.column("Value")) == list(_HEADER)
    assert first.column("Value")["schema"] == f"`{SCHEMA}`"
    assert set(event.column("Value")) == _RECORD
    assert list(last.column("Value")) == list(_ENDING)


def test_why_messages_are_lost() -> None:
    cell = table(PAGE, "Told by the world").column("Happens when")["drop"]
    assert set(marked(cell)) == {network.CUT, network.LOSS, network.DOWN, network.QUEUE, network.DROPPED}


def test_the_judges() -> None:
    assert list(table(PAGE, "The judges").column("Says")) == [invariant.name for invariant in INVARIANTS]
