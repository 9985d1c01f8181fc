"""The snapshots of the simulated disk, and what a crash leaves of log and snapshot together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from raftsim.core.entry import NOOP, Entry, HardState, Restored
from raftsim.core.output import Chunk, ChunkWanted, Write
from tests.sim.parts import SLOW_SYNCS, Server, chunks, log_of, meta, terms


def test_a_saved_snapshot_shows_the_state_and_is_told_when_it_is_durable() -> None:
    server = Server()
    log_of(server, 1, 1, 1)
    began, drawn = server.timeline.now, []

    def state() -> Iterator[bytes]:
        drawn.append(server.timeline.now)
        yield b"ab" * 100
        yield b"c"

    server.disk.save_snapshot(meta(2, 1), state())
    assert server.disk.restored().snapshot is None
    server.play()
    assert drawn == [pytest.approx(began + 0.1)]
    assert server.saved == [meta(2, 1)]
    assert [kept for kept, _ in server.kept] == [meta(2, 1)]
    assert server.disk.restored().snapshot == meta(2, 1)
    assert server.loaded(meta(2, 1)) == b"ab" * 100 + b"c"


def test_a_crash_loses_a_snapshot_that_is_being_saved() -> None:
    server = Server()
    log_of(server, 1, 1, 1)
    server.disk.save_snapshot(meta(2, 1), iter([b"state"]))
    server.disk.crash()
    server.play()
    assert server.saved == []
    assert server.disk.restored().snapshot is None


def test_the_two_newest_are_kept_and_can_be_read_in_parts() -> None:
    server = Server()
    log_of(server, 1, 1, 1, 1)
    for index in (1, 2, 4):
        server.save(meta(index, 1), f"state {index}".encode())
    for index in (1, 2, 4, 3):
        for offset in (0, 4):
            server.disk.read_chunk(ChunkWanted("n2", index, offset), 4)
    server.play()
    gone, two, four = [(None, False)] * 2, [(b"stat", False), (b"e 2", True)], [(b"stat", False), (b"e 4", True)]
    assert server.chunks == gone + two + four + gone


def test_what_is_compacted_is_not_restored() -> None:
    server = Server()
    log_of(server, 1, 1, 2, 2)
    server.save(meta(3, 2), b"state")
    server.disk.compact(2)
    restored = server.disk.restored()
    assert (restored.base_index, restored.base_term, terms(restored)) == (2, 1, [2, 2])
    with pytest.raises(AssertionError, match="is needed behind the snapshot at 3"):
        server.disk.compact(4)


def test_compaction_waits_for_the_writes_before_it() -> None:
    server = Server(model=SLOW_SYNCS)
    log_of(server, 1, 1, 1)
    server.submit(Write(2, None, 2, [Entry(2, NOOP), Entry(2, NOOP)]))
    server.disk.save_snapshot(meta(3, 2), iter([b"state"]))
    server.run(0.05)
    assert server.saved == [meta(3, 2)]
    server.disk.compact(3)
    assert server.disk.restored().base_index == 0
    server.play()
    assert server.disk.restored() == Restored(HardState(1, None), [], 3, 2, meta(3, 2))


def test_a_received_snapshot_counts_once_its_last_chunk_is_durable() -> None:
    server = Server()
    log_of(server, 1, 1)
    server.submit(*chunks(2, meta(5, 3), b"one", b"two"))
    server.run(0.015)
    assert server.disk.restored().snapshot is None
    server.play()
    assert server.seqs == [1, 2, 3]
    assert server.loaded(meta(5, 3)) == b"onetwo"


def test_received_and_saved_alike_have_one_digest() -> None:
    one, other = Server(), Server()
    for server in (one, other):
        log_of(server, 1, 1, 1)
    one.save(meta(2, 1), b"sta", b"te")
    other.submit(*chunks(2, meta(2, 1), b"s", b"tate"))
    other.play()
    assert one.kept == other.kept


def test_a_chunk_must_follow_but_a_first_one_begins_anew() -> None:
    server = Server()
    log_of(server, 1)
    first, second, _ = chunks(2, meta(5, 3), b"one", b"two", b"three")
    server.submit(first, second, *chunks(4, meta(6, 3), b"other"))
    server.play()
    assert server.disk.restored().snapshot == meta(6, 3)
    assert server.loaded(meta(6, 3)) == b"other"
    server.submit(Write(5, None, chunk=Chunk(meta(5, 3), 6, b"three", last=True)))
    with pytest.raises(AssertionError, match="a chunk that does not follow"):
        server.play()


def test_a_crash_loses_what_was_received_in_part() -> None:
    server = Server()
    log_of(server, 1)
    first, second = chunks(2, meta(5, 3), b"one", b"two")
    server.submit(first)
    server.play()
    server.disk.crash()
    server.submit(Write(1, None, chunk=second.chunk))
    with pytest.raises(AssertionError, match="a chunk that does not follow"):
        server.play()


@pytest.mark.parametrize(
    ("log", "base", "suffix"),
    [((1, 1, 2, 2), 0, [1, 1, 2, 2]), ((1, 1, 1, 1), 3, []), ((1, 1), 3, [])],
    ids=["it holds the last entry", "it holds another", "it ends before"],
)
def test_a_restart_keeps_the_log_only_if_it_leads_up_to_the_snapshot(
    log: tuple[int, ...], base: int, suffix: list[int]
) -> None:
    server = Server()
    log_of(server, *log)
    server.submit(*chunks(2, meta(3, 2), b"state"))
    server.play()
    server.disk.crash()
    restored = server.disk.restored()
    assert (restored.base_index, terms(restored)) == (base, suffix)
    assert restored.snapshot == meta(3, 2)
    assert restored.hard == HardState(2, None)


def test_a_write_behind_a_received_snapshot_continues_it() -> None:
    server = Server()
    log_of(server, 1, 1, 1, 1)
    server.submit(*chunks(2, meta(3, 2), b"state"), Write(3, None, 4, [Entry(2, NOOP)]))
    server.play()
    restored = server.disk.restored()
    assert (restored.base_index, restored.base_term, terms(restored)) == (3, 2, [2])


def test_a_saved_snapshot_does_not_come_between_a_received_one_and_the_log_behind_it() -> None:
    server = Server(model=SLOW_SYNCS)
    log_of(server, 1)
    server.submit(*chunks(2, meta(3, 2), b"state"))
    server.play()
    server.submit(Write(3, None, 4, [Entry(2, NOOP), Entry(2, NOOP)]))
    server.save(meta(5, 2), b"later state")
    restored = server.disk.restored()
    assert (restored.base_index, terms(restored), restored.snapshot) == (3, [2, 2], meta(5, 2))


def test_the_log_may_still_go_on_behind_a_snapshot_when_the_next_one_has_come() -> None:
    server = Server()
    log_of(server, 1)
    server.submit(*chunks(2, meta(3, 2), b"state"))
    server.submit(*chunks(3, meta(5, 2), b"later state"), Write(4, None, 4, [Entry(2, NOOP)]))
    server.play()
    assert terms(server.disk.restored()) == [2]
    server.disk.crash()
    assert server.disk.restored() == Restored(HardState(2, None), [], 5, 2, meta(5, 2))


def test_a_saved_snapshot_may_overtake_the_writes_it_stands_for() -> None:
    survived = set()
    for seed in range(10):
        server = Server(seed, SLOW_SYNCS)
        log_of(server, 1)
        server.submit(Write(2, HardState(2, None), 2, [Entry(2, NOOP)]))
        server.disk.save_snapshot(meta(2, 2), iter([b"state"]))
        server.run(0.05)
        survived.add(last := server.disk.crash())
        log = Restored(HardState(2, None), [Entry(1, NOOP), Entry(2, NOOP)], snapshot=meta(2, 2))
        assert server.disk.restored() == (log if last == 2 else Restored(HardState(2, None), [], 2, 2, meta(2, 2)))
    assert survived == {1, 2}
