"""A power cut anywhere: what was acknowledged is there, and nothing that was never written."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from raftsim.core.config import of
from raftsim.core.entry import COMMAND, CONFIG, Entry, HardState, Restored
from raftsim.core.output import Write
from raftsim.storage.wal import WalSettings
from tests.storage.crashdisk import CrashDisk, PowerCut
from tests.storage.helpers import SMALL, flat, model, open_wal, put, vote

Batch = list[Write]

FIXED: list[Batch] = [
    [Write(0, HardState(), 1, [Entry(0, CONFIG, of("a", "b", "c"))])],
    [vote(1, "a"), put(2, "x" * 30)],
    [put(3, "y"), put(4, "z" * 40, "w"), put(6, "v" * 60)],
    [put(4, "other", term=2, hard=HardState(2, None))],
    [vote(3, "b")],
    [put(2, "u" * 300, "t", term=3)],
    [put(4, "s", term=3), vote(4, None)],
]


def write_until_cut(disk: CrashDisk, batches: Sequence[Batch], settings: WalSettings) -> int:
    """Append batch by batch until the power is cut. Returns how many batches were acknowledged."""
    count = 0
    try:
        wal = open_wal(disk, settings)
        for batch in batches:
            wal.append(batch)
            count += 1
    except PowerCut:
        pass
    return count


def matching_prefix(found: Restored, done: Batch, attempted: Batch) -> Batch:
    """The writes, all acknowledged and perhaps some of those attempted, whose sum is what was found."""
    for count in range(len(attempted) + 1):
        if model(done + attempted[:count]) == found:
            return done + attempted[:count]
    raise AssertionError(f"acknowledged: {model(done)}\nfound: {found}")


def power_of_whole_run() -> int:
    disk = CrashDisk()
    disk.power = 1 << 30
    assert write_until_cut(disk, FIXED, SMALL) == len(FIXED)
    return (1 << 30) - disk.power


@pytest.mark.parametrize("seed", [1, 2])
def test_power_cut_at_every_byte(seed: int) -> None:
    for power in range(power_of_whole_run()):
        disk = CrashDisk()
        disk.power = power
        acknowledged = write_until_cut(disk, FIXED, SMALL)
        assert acknowledged < len(FIXED)
        disk.crash(Random(power * 10 + seed))
        in_flight = FIXED[acknowledged : acknowledged + 1]
        matching_prefix(open_wal(disk, SMALL).restored, flat(FIXED[:acknowledged]), flat(in_flight))


@pytest.mark.parametrize("goes_on", [False, True])
def test_killed_at_every_byte_then_power_cut(*, goes_on: bool) -> None:
    """After a kill the page cache lives on, and what a start reads may be nowhere else: it must not stay so."""
    for power in range(power_of_whole_run()):
        disk = CrashDisk()
        disk.power = power
        write_until_cut(disk, FIXED, SMALL)
        disk.power = None
        wal = open_wal(disk, SMALL)
        if goes_on:
            wal.append([vote(9, "z")])
            wal.restored.hard = HardState(9, "z")
        disk.crash(Random(power))
        assert open_wal(disk, SMALL).restored == wal.restored


@st.composite
def histories(draw: st.DrawFn) -> list[Batch]:
    """Batches of writes as a server makes them: terms rise, the log grows and is sometimes cut back."""
    term, last, batches = 0, 0, list[Batch]()
    for _ in range(draw(st.integers(1, 8))):
        batch = Batch()
        for _ in range(draw(st.integers(1, 3))):
            cut = draw(st.sampled_from([0, 0, 0, 1, 2, 5]))
            term += 1 if cut else draw(st.integers(0, 1))
            hard = draw(st.sampled_from([None, HardState(term, "a"), HardState(term, None)]))
            sizes = draw(st.lists(st.integers(0, 150), max_size=4))
            first = max(1, last + 1 - cut) if sizes else 0
            batch.append(Write(0, hard, first, [Entry(term, COMMAND, b"d" * size) for size in sizes]))
            last = first + len(sizes) - 1 if sizes else last
        batches.append(batch)
    return batches


@hypothesis_settings(deadline=None, max_examples=200)
@given(
    histories(),
    st.lists(st.integers(0, 4000), min_size=1, max_size=4),
    st.integers(0, 2**32),
    st.sampled_from([SMALL, WalSettings(segment_bytes=1024, frame_bytes=512)]),
)
def test_power_cuts_in_a_random_run(batches: list[Batch], powers: list[int], seed: int, settings: WalSettings) -> None:
    """Several cuts in one life, also while recovering: each start finds all that was acknowledged, and goes on."""
    disk, rng, done, todo = CrashDisk(), Random(seed), Batch(), batches
    for power in [*powers, None]:
        disk.power = power
        acknowledged = write_until_cut(disk, todo, settings)
        if rng.random() < 0.5:
            disk.crash(rng)
        disk.power = None  # else only the process was killed, and the page cache lives on
        found = open_wal(disk, settings).restored
        in_flight = flat(todo[acknowledged : acknowledged + 1])
        known = done + flat(todo[:acknowledged])
        done = matching_prefix(found, known, in_flight)
        rest = in_flight[len(done) - len(known) :]
        todo = [batch for batch in (rest, *todo[acknowledged + 1 :]) if batch]
        disk.crash(rng)  # what a start has reported must survive the next power cut too
        assert open_wal(disk, settings).restored == found
    assert found == model(flat(batches))
