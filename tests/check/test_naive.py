"""The slow check of logs finds what it should, also where logs begin late."""

from __future__ import annotations

from raftsim.check.naive import Naive
from raftsim.core.entry import Entry, HardState, Restored
from raftsim.core.output import Chunk, Write
from raftsim.trace.events import START, SYNCED, WRITE, Event
from tests.check.story import command, meta


def started(**logs: tuple[int, list[Entry]]) -> Naive:
    """Servers with a base and the entries behind it."""
    naive = Naive()
    for name, (base, entries) in logs.items():
        naive.observe(Event(0, name, START, Restored(HardState(), entries, base)))
    return naive


def test_logs_that_differ_below_an_equal_entry() -> None:
    naive = started(n1=(0, [command(1), command(2)]), n2=(0, [command(1, b"y"), command(2)]))
    assert naive.check() == ["the logs of n1 and n2 differ below index 2"]


def test_logs_that_differ_only_beyond() -> None:
    naive = started(n1=(0, [command(1), command(2)]), n2=(0, [command(1), command(3)]))
    assert naive.check() == []


def test_a_log_that_begins_late_is_compared_where_both_reach() -> None:
    same = started(n1=(0, [command(1, b"y"), command(2), command(2)]), n2=(1, [command(2), command(2)]))
    assert same.check() == []
    other = started(n1=(0, [command(1), command(1), command(2)]), n2=(1, [command(1, b"y"), command(2)]))
    assert other.check() == ["the logs of n1 and n2 differ below index 3"]


def test_what_contradicts_an_installed_snapshot_counts_no_more() -> None:
    naive = started(n1=(0, [command(1), command(2), command(2)]), n2=(0, [command(1), command(1)]))
    naive.observe(Event(1, "n2", WRITE, Write(1, None, chunk=Chunk(meta(2, 2), 0, b"", last=True))))
    naive.observe(Event(2, "n2", SYNCED, 1))
    naive.observe(Event(3, "n2", WRITE, Write(2, None, 3, [command(2)])))
    assert naive.check() == []
    assert naive.logs["n2"] == {3: command(2)}


def test_what_leads_up_to_an_installed_snapshot_is_kept() -> None:
    naive = started(n2=(0, [command(1), command(2), command(3)]))
    naive.observe(Event(1, "n2", WRITE, Write(1, None, chunk=Chunk(meta(2, 2), 0, b"", last=True))))
    naive.observe(Event(2, "n2", SYNCED, 1))
    assert sorted(naive.logs["n2"]) == [1, 2, 3]
