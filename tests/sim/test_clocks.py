"""Clocks that run fast or slow, jump, or stand still, and the leases that depend on them (scenes in leases.py)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from raftsim.core.output import LEADER
from raftsim.sim.clock import EPOCH_NS, SimClock
from raftsim.sim.timeline import Timeline
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, settle
from tests.sim.leases import DRIFT, LEASES, cut_off, reads_until
from tests.sim.parts import play


class Watch:
    """A clock that notes the true time of every turn, and what it shows then."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self.clock = SimClock(self.timeline, self.turn)
        self.rung: list[tuple[float, float]] = []

    def turn(self) -> None:
        self.rung.append((self.timeline.now, self.clock.now()))

    def run(self, for_s: float) -> None:
        self.timeline.advance(self.timeline.now + for_s, None, ())


def test_a_good_clock_shows_true_time() -> None:
    watch = Watch()
    watch.run(0.3)
    assert (watch.clock.now(), watch.clock.wall_ns()) == (0.3, EPOCH_NS + 300_000_000)


@pytest.mark.parametrize("rate", [0.1, 1 / 3, 0.99, 1.0, 1.01, 3.0, 10.0])
@pytest.mark.parametrize("jump_s", [0.0, 0.1, 1e9])
def test_a_clock_of_another_rate_rings_when_it_shows_the_time(rate: float, jump_s: float) -> None:
    """Never before, or the server would go to sleep again until the same moment, for ever."""
    watch = Watch()
    watch.run(0.7)
    watch.clock.set(rate, jump_s)
    for number in range(1, 200):
        deadline = 0.7 + jump_s + number * 0.1
        watch.clock.wake_at(deadline)
        play(watch.timeline)
        true, shown = watch.rung[-1]
        assert len(watch.rung) == number
        assert shown >= deadline
        assert true == pytest.approx(0.7 + number * 0.1 / rate, abs=1e-5)


def test_what_was_armed_rings_by_the_new_clock() -> None:
    watch = Watch()
    watch.clock.wake_at(1.0)
    watch.run(0.5)
    watch.clock.set(0.5, 0.0)
    watch.run(0.9)
    assert watch.rung == []
    watch.run(0.2)
    assert watch.rung == [(1.5, 1.0)]
    watch.clock.wake_at(2.0)
    watch.clock.set(1.0, 5.0)
    watch.run(0)
    assert watch.rung[1] == pytest.approx((1.6, 6.05))


@pytest.mark.parametrize(("rate", "jump_s"), [(0, 0), (-1, 0), (float("inf"), 0), (float("nan"), 0), (1, -0.1)])
def test_a_clock_never_stands_still_nor_goes_back(rate: float, jump_s: float) -> None:
    with pytest.raises(ValueError, match="a clock runs forward"):
        World(1).set_clock("n1", rate=rate, jump_s=jump_s)


def test_a_bad_clock_survives_a_restart_of_its_server() -> None:
    world = World(1)
    world.set_clock("n1", rate=2.0)
    world.crash("n1")
    world.run(1)
    world.restart("n1")
    assert world.hosts["n1"].clock.now() == 2.0


def test_a_cluster_lives_with_clocks_far_apart() -> None:
    world = World(3)
    for number, name in enumerate(world.names):
        world.set_clock(name, rate=0.5 + number, jump_s=100.0 * number)
    world.run(5)
    settle(world)


# leases


@pytest.mark.parametrize("apart", [1 / (1 + DRIFT), 1.0, 1 + DRIFT])
def test_within_the_bound_no_read_of_a_leader_that_was_cut_off_is_stale(apart: float) -> None:
    world, answered = cut_off(apart)
    assert world.violations == []
    assert answered > 200  # it is of use, though: of 500 ms, the lease is 417


@pytest.mark.parametrize("apart", [1.5, 3.0])
def test_beyond_the_bound_the_judge_finds_stale_reads(apart: float) -> None:
    world, _ = cut_off(apart)
    assert {found.invariant for found in world.violations} == {"read index"}
    assert "confirmed a read at index" in str(world.violations[0])


def test_without_leases_no_clock_makes_a_read_stale() -> None:
    world, answered = cut_off(3.0, replace(LEASES, lease_reads=False))
    assert (world.violations, answered) == ([], 0)


def test_a_leader_that_was_stopped_answers_nothing_by_the_lease_it_had() -> None:
    """Its clock runs on while it sleeps; its clients' questions wait for it, with the new leader's word behind them."""
    world = World(3, settings=LEASES)
    old = elected(world)
    world.run(1)
    world.pause(old)
    assert world.run_until(lambda: world.leader() != old, 2)
    world.resume(old)
    node = world.hosts[old].node
    assert node is not None
    assert reads_until(world, old, lambda: node.raft.role != LEADER) == 0


def test_the_clock_of_a_machine_that_sleeps_is_beyond_any_bound() -> None:
    """Asleep with its clock (a virtual machine that is put aside), it wakes in the middle of a lease long gone."""
    world = World(3, settings=LEASES, strict=False)
    old = elected(world)
    world.run(1)
    world.isolate(old)
    world.pause(old)
    world.set_clock(old, rate=1e-9)
    assert world.run_until(lambda: world.leader() != old, 2)
    world.run(0.5)
    world.set_clock(old)
    world.resume(old)
    assert reads_until(world, old, lambda: False) > 0
    assert {found.invariant for found in world.violations} == {"read index"}
