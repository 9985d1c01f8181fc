"""What is advised is the shortest that will do, and the closed form says what simulated elections say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from math import sqrt

import pytest

from raftsim.advice.inputs import NoAdvice, Wanted, parse_latency
from raftsim.advice.table import SIGMAS, SPLIT, STEPS_S, TIMES_LATENCY, advise, objection, pause_s, row, timing
from raftsim.core.settings import Settings
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def wanted(latency: str, servers: int = 5, failed: int = 1, *, write_ms: float = 0, pause_ms: float = 0) -> Wanted:
    return Wanted(servers, failed, parse_latency(latency), (write_ms / 1000, write_ms / 1000), pause_ms / 1000)


def quiet(timeout_s: float) -> None:
    assert timeout_s in STEPS_S


@pytest.mark.parametrize(("servers", "failed"), [(3, 1), (5, 2)])
def test_with_one_latency_the_closed_form_is_what_is_simulated(servers: int, failed: int, executor: Executor) -> None:
    """Split votes as chance allows; the failover within a tenth besides."""
    found = row(wanted("10ms", servers, failed), 0.1, 300, 0, executor)
    assert abs(found.simulated_split - found.split) <= SIGMAS * sqrt(found.split * (1 - found.split) / 300)
    assert found.agrees


@pytest.mark.parametrize(
    "of",
    [
        wanted("5ms..15ms", 5, 1, write_ms=2),
        wanted("p50=5ms,p99=20ms", 5, 2),
        wanted("p50=5ms,p99=20ms", 9, 4, write_ms=2),
    ],
    ids=["uniform", "long tail", "many servers"],
)
def test_with_many_latencies_the_failover_is_near_enough(of: Wanted, executor: Executor) -> None:
    assert row(of, 0.15, 200, 0, executor).agrees


def test_a_closed_form_that_is_far_off_is_told(executor: Executor) -> None:
    found = row(wanted("10ms", 3, 1), 0.1, 100, 0, executor)
    assert found.agrees
    assert not replace(found, failover_s=2 * found.failover_s).agrees


def test_the_recommended_row_is_the_shortest_without_objection(executor: Executor) -> None:
    of = wanted("10ms", 3, 1)
    advice = advise(of, 100, 0, executor, quiet)
    assert [found.timeout_s for found in advice.rows] == sorted(found.timeout_s for found in advice.rows)
    for found in advice.rows:
        split = max(found.split, found.simulated_split)
        assert bool(objection(of, found.timeout_s, split)) == (found.timeout_s < advice.best.timeout_s)
    assert len(advice.rows) - advice.rows.index(advice.best) == 3
    assert advice.best.timeout_s >= TIMES_LATENCY * 0.01
    assert max(advice.best.split, advice.best.simulated_split) <= SPLIT


def test_a_pause_makes_timeouts_longer_and_is_the_reason(executor: Executor) -> None:
    short, long = (advise(wanted("1ms", 3, pause_ms=pause), 50, 0, executor, quiet) for pause in (0, 100))
    assert short.best.timeout_s < 0.1 < long.best.timeout_s
    assert long.best.pause_s >= 0.1
    assert "fall silent for 100 ms; with the next shorter ones a leader may fall silent for 80 ms only" in long.reason
    assert "fall silent" not in short.reason.partition(";")[0]


def test_a_pause_begins_after_a_heartbeat_and_ends_with_a_slow_one() -> None:
    assert pause_s(wanted("10ms..30ms"), 0.5) == pytest.approx(0.5 - 0.1 - 0.02)
    assert pause_s(wanted("10ms..900ms"), 0.5) == 0


@pytest.mark.parametrize(("share", "stays"), [(0.98, True), (2.5, False)])
@pytest.mark.parametrize("seed", range(3))
def test_a_leader_survives_a_pause_that_is_tolerated_and_no_longer_one(seed: int, share: float, stays: bool) -> None:
    """At the worst moment: its next heartbeat was due."""
    of = wanted("10ms", 3)
    settings = Settings(election_timeout_min_s=0.3, election_timeout_max_s=0.6, heartbeat_interval_s=0.06)
    world = World(3, seed=seed, settings=settings, network=NetworkModel(of.latency.delay))
    world.run(5)
    leader = world.leader()
    assert leader is not None
    node = world.hosts[leader].node
    assert node is not None
    term = node.raft.term
    world.run(node.raft.heartbeat_deadline - world.now - 1e-6)
    world.pause(leader)
    world.run(share * pause_s(of, 0.3))
    world.resume(leader)
    world.run(1)
    assert (node.raft.term == term and world.leader() == leader) == stays


def test_longer_timeouts_split_less_and_take_longer(executor: Executor) -> None:
    advice = advise(wanted("10ms"), 50, 0, executor, quiet)
    assert [found.split for found in advice.rows] == sorted((found.split for found in advice.rows), reverse=True)
    assert advice.rows[0].failover_s < advice.rows[-1].failover_s
    assert all(found.p99_s > found.simulated_s for found in advice.rows)
    assert all(found.heartbeat_s == found.timeout_s / 5 for found in advice.rows)


def test_the_same_seed_gives_the_same_advice(executor: Executor) -> None:
    of = wanted("5ms..15ms", 3)
    first, again = (row(of, 0.1, 60, 3, executor) for _ in range(2))
    assert first == again
    assert row(of, 0.1, 60, 4, executor) != first


def test_there_are_always_timeouts_that_are_long_enough() -> None:
    """The worst that can be asked for: half of many servers failed, and a latency as long as it may be."""
    worst = wanted("1s", 25, 12, write_ms=1000, pause_ms=60_000)
    assert any(not objection(worst, step_s, timing(worst, step_s).split) for step_s in STEPS_S)
    with pytest.raises(NoAdvice):
        wanted("1s", 25, 13)
