"""A power cut anywhere in a life with snapshots: what was acknowledged is there, and nothing that was never written."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from raftsim.storage.wal import Wal
from tests.storage.crashdisk import CrashDisk, PowerCut
from tests.storage.helpers import SMALL, open_wal
from tests.storage.lives import Model, Op, after_crash, next_ops, perform, state_of, steps

OPERATIONS = 200
PLENTY = 1 << 30


def run_until_cut(disk: CrashDisk, model: Model, ops: list[Op], power: int | None) -> list[Op]:
    """Perform `ops`; `model` takes those that were acknowledged. Returns the others: the first was being done."""
    wal, number = open_wal(disk, SMALL), 0
    disk.power = power
    try:
        while number < len(ops):
            perform(wal, ops[number])
            for step in steps(ops[number]):
                model.take(step)
            number += 1
    except PowerCut:
        pass
    return ops[number:]


def check_start(disk: CrashDisk, model: Model, in_flight: list[Op]) -> Model:
    """Start, compare with the model, and see that every snapshot is whole. Returns the model of what was found."""
    wal = open_wal(disk, SMALL)
    found = after_crash(model, in_flight[:1], wal.restored)
    check_snapshots(wal)
    wal.close()
    return found


def check_snapshots(wal: Wal) -> None:
    kept = [meta for meta, _ in wal.snapshots.facts()]
    assert (kept[-1] if kept else None) == wal.restored.snapshot
    for meta in kept:
        assert b"".join(wal.snapshots.load(meta)) == state_of(meta)


def sweep(seed: int, points: int | None) -> int:
    """Cut the power within each operation of one life: at `points` places drawn, or at every byte.

    Returns how often.
    """
    rng, disk, model, count, cuts = Random(seed), CrashDisk(), Model(), 0, 0
    open_wal(disk, SMALL).close()
    while count < OPERATIONS:
        ops = next_ops(rng, model)
        count += len(ops)
        before, model_before = disk, model
        disk, model = before.settled(), deepcopy(model)
        assert not run_until_cut(disk, model, ops, PLENTY)
        used = PLENTY - (disk.power or 0)
        for power in range(used) if points is None else sorted(rng.sample(range(used), min(points, used))):
            cut, acknowledged = before.settled(), deepcopy(model_before)
            in_flight = run_until_cut(cut, acknowledged, ops, power)
            assert in_flight
            cut.crash(rng)
            check_start(cut, acknowledged, in_flight)
            cuts += 1
        model = check_start(disk, model, [])
    return cuts


def test_power_cuts_in_every_operation_of_a_life() -> None:
    assert sweep(seed=1, points=15) > 10 * OPERATIONS / 2


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.timeout(3600)
def test_power_cut_at_every_byte_of_a_life(seed: int) -> None:
    assert sweep(seed, points=None) > 100 * OPERATIONS


@hypothesis_settings(deadline=None, max_examples=200)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 4000), min_size=1, max_size=5))
@example(3038, [2625])
def test_power_cuts_in_a_random_life(seed: int, powers: list[int]) -> None:
    """Several cuts in one life, also while starting: each start finds all that was acknowledged, and goes on."""
    rng, disk, model = Random(seed), CrashDisk(), Model()
    for power in powers:
        in_flight: list[Op] = []
        disk.power = power
        try:
            wal = open_wal(disk, SMALL)
            while True:
                for op in next_ops(rng, model):
                    in_flight = [op]
                    perform(wal, op)
                    for step in steps(op):
                        model.take(step)
        except PowerCut:
            pass
        if rng.random() < 0.5:
            disk.crash(rng)
        disk.power = None  # else only the process was killed, and the page cache lives on
        model = check_start(disk, model, in_flight)
        disk.crash(rng)  # what a start has reported must survive the next power cut too
        model = check_start(disk, model, [])
