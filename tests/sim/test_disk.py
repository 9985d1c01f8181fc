"""The writes of the simulated disk: what a sync and a crash leave."""

from __future__ import annotations

import pytest

from raftsim.core.entry import NOOP, Entry, HardState, Restored
from raftsim.core.output import Write
from raftsim.sim.disk import DiskModel
from tests.sim.parts import Server, terms


def entry_write(seq: int) -> Write:
    """The write `seq` puts an entry at index `seq`."""
    return Write(seq, HardState(seq, None), seq, [Entry(seq, NOOP)])


def test_writes_that_arrive_during_a_sync_share_the_next_one() -> None:
    server = Server()
    server.submit(*(entry_write(seq) for seq in (1, 2, 3)))
    server.play()
    assert server.seqs == [1, 3]
    assert server.timeline.now == pytest.approx(0.02)
    assert server.disk.restored() == Restored(HardState(3, None), [Entry(seq, NOOP) for seq in (1, 2, 3)])


def test_a_write_cuts_the_log_before_it_appends() -> None:
    server = Server()
    server.submit(*(entry_write(seq) for seq in (1, 2, 3)), Write(4, None, 2, [Entry(9, NOOP)]))
    server.play()
    assert terms(server.disk.restored()) == [1, 9]
    assert server.disk.restored().hard == HardState(3, None)


def test_a_crash_keeps_what_was_synced_and_some_beginning_of_the_rest() -> None:
    kept = set()
    for seed in range(40):
        server = Server(seed)
        server.submit(entry_write(1))
        server.play()
        server.submit(*(entry_write(seq) for seq in (2, 3, 4)))
        last = server.disk.crash()
        server.play()
        assert server.seqs == [1]  # the end of the sync that was running is not told to the next life
        assert len(server.disk.restored().entries) == last
        kept.add(last)
        server.submit(Write(1, None, last + 1, [Entry(9, NOOP)]))
        server.play()
        assert server.seqs == [1, 1]
        assert server.disk.restored().entries[-1] == Entry(9, NOOP)
    assert kept == {1, 2, 3, 4}


def test_a_flush_keeps_everything() -> None:
    server = Server()
    server.submit(*(entry_write(seq) for seq in (1, 2, 3)))
    assert server.disk.flush() == 3
    assert len(server.disk.restored().entries) == 3


def test_times_are_not_negative_nor_reversed() -> None:
    for wrong in ((0.2, 0.1), (-0.1, 0.1)):
        with pytest.raises(ValueError, match=r"must be 0 <= min <= max, got"):
            DiskModel(*wrong)
        with pytest.raises(ValueError, match=r"must be 0 <= min <= max, got"):
            DiskModel(0, 0, *wrong)
