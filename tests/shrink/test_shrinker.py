"""Planted mistakes, in scenarios full of what has nothing to do with them: what is left is short, and fails so."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.scenario.report import LIVENESS
from raftsim.shrink.document import read, write
from raftsim.shrink.play import Played, is_the_same, play
from raftsim.shrink.result import result_of
from raftsim.shrink.shrinker import Budget, DoesNotFail, Shrinker
from tests.bugs.scenes_of_elections import a_write_never_hangs
from tests.bugs.scenes_of_replication import any_append_truncates
from tests.scenario.test_planted import b04_grants_of_an_older_term_counted, b42_damage_taken_for_a_torn_tail
from tests.sim.planted import Patch, Plant
from tests.sim.test_planted_bugs import (
    b01_promises_leave_before_they_are_durable,
    b24_entries_of_older_terms_committed_by_counting,
    b38_leader_counts_what_is_not_on_its_disk,
)

FOLDER = Path(__file__).parents[2] / "scenarios"
EXACT = ("figure-8", "stale-vote-reply", "bit-rot")
NOISE = """\
  - until: {leader: one}
  - run: 3s
  - put: {count: 12, keys: 4, clients: 3}
  - get: {count: 3, every: 100ms}
    wait: false
  - link: {from: leader, to: {others: leader}, loss: 10%}
  - isolate: follower
    as: noisy
  - run: 1500ms
  - heal: all
  - crash: follower
    as: unlucky
  - run: 1s
  - restart: unlucky
  - pause: follower
    as: frozen
  - run: 200ms
  - resume: frozen
  - until: {converged: true}
"""
TRAPS: list[tuple[str, Plant, str, int, int]] = [  # scenario, mistake, judge, at most so many steps and servers
    ("figure-8", b24_entries_of_older_terms_committed_by_counting, "commit quorum", 3, 3),
    ("stale-vote-reply", b04_grants_of_an_older_term_counted, "voters only", 4, 3),
    ("disk-stall-leader", a_write_never_hangs, LIVENESS, 4, 3),
    ("power-cut", b01_promises_leave_before_they_are_durable, "durable before send", 1, 2),
    ("power-cut", b38_leader_counts_what_is_not_on_its_disk, "committed is durable", 4, 3),
    ("bit-rot", b42_damage_taken_for_a_torn_tail, "restored as written", 5, 3),
    ("delayed-append", any_append_truncates, "no exception", 5, 3),
]


def shrunk(text: str, seed: int, runs: int = 2000) -> Shrinker:
    shrinker = Shrinker(text, seed, play, Budget(runs), lambda _: None)
    shrinker.run()
    return shrinker


def padded(name: str) -> str:
    """The bundled scenario, with other things done first, where it does not depend on indexes of the log and bytes."""
    text = (FOLDER / f"{name}.yaml").read_text()
    head, _, steps = text.partition("steps:\n")
    return text if name in EXACT else f"{head}steps:\n{NOISE}{steps}"


@pytest.mark.parametrize(
    ("name", "plant", "judge", "steps", "servers"), TRAPS, ids=[f"{name}-{judge}" for name, _, judge, *_ in TRAPS]
)
def test_a_planted_mistake_is_told_in_a_few_steps(
    name: str, plant: Plant, judge: str, steps: int, servers: int, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    text = padded(name)
    seed = next(seed for seed in range(20) if (found := play(text, seed)) and found.judge == judge)
    best = shrunk(text, seed).best
    assert len(best.document["steps"]) <= steps, best.text
    assert best.played.condition.servers <= servers, best.text
    again = play(best.text, best.played.seed)
    assert again is not None
    assert again.judge == judge
    monkeypatch.undo()
    healthy = play(best.text, best.played.seed)
    assert healthy is not None
    assert healthy.judge != judge, best.text


DEMANDS = """
name: demands
cluster: {nodes: 3}
settings: {fast_failover: false}
steps:
  - until: {leader: one}
    as: old
  - put: 5
  - crash: old
  - run: 300ms
  - check: {leader: one, not: [old]}
"""


def test_a_demand_is_not_made_to_fail_by_asking_for_more() -> None:
    """It may not be checked sooner, nor with more down, nor of a cluster in which nobody was to be replaced."""
    document = read(DEMANDS)
    first = play(write(document), 0)
    assert first is not None
    assert first.judge == "expectation"

    def same(steps: list[int], nodes: int = 3) -> bool:
        less = {**document, "cluster": {"nodes": nodes}, "steps": [document["steps"][number] for number in steps]}
        other = play(write(less), 0)
        assert other is not None
        return other.judge == first.judge and is_the_same(first, other)

    assert same([0, 1, 2, 3, 4])
    assert same([0, 2, 3, 4])
    assert not same([0, 2, 4])
    assert not same([0, 3, 4])
    assert not same([0, 1, 2, 3, 4], nodes=5)
    assert [next(iter(step)) for step in shrunk(DEMANDS, 0).best.document["steps"]] == [
        "until",
        "crash",
        "run",
        "check",
    ]


def test_no_more_memory_is_lost_than_a_quorum_bears() -> None:
    def played(text: str) -> Played:
        found = play(text, 1)
        assert found is not None
        return found

    lost = "name: x\ncluster: {nodes: %d}\nsteps:\n  - until: {leader: one}\n  - put: 2\n  - wipe: n1\n  - run: 1s\n"
    three, two = played(lost % 3), played(lost % 2)
    assert is_the_same(three, three)
    assert not is_the_same(three, two)


def test_leases_are_not_given_worse_clocks_than_they_know_of() -> None:
    text = """
name: x
settings: {lease_reads: true, fast_failover: false, max_clock_drift: 20%}
steps: [{run: 1s}]
"""
    with_bound, without = play(text, 1), play(text.replace(", max_clock_drift: 20%", ""), 1)
    assert with_bound is not None
    assert without is not None
    assert is_the_same(with_bound, with_bound)
    assert not is_the_same(with_bound, without)


def test_what_does_not_fail_is_not_shrunk() -> None:
    with pytest.raises(DoesNotFail, match="nothing is violated with seed 4"):
        shrunk("name: x\nsteps:\n  - until: {leader: one}\n", 4)
    with pytest.raises(DoesNotFail, match="nothing is violated with seed 4"):
        shrunk("name: x\nsteps:\n  - heal: all\n", 4)


def test_the_same_input_gives_the_same_file(monkeypatch: Patch) -> None:
    b38_leader_counts_what_is_not_on_its_disk(monkeypatch)
    text = (FOLDER / "power-cut.yaml").read_text()
    one, two = (result_of(shrunk(text, 0, 60), "x.yaml", None).text for _ in range(2))
    assert one == two


def test_the_best_so_far_stands_when_the_budget_is_spent(monkeypatch: Patch) -> None:
    b24_entries_of_older_terms_committed_by_counting(monkeypatch)
    text = (FOLDER / "figure-8.yaml").read_text()
    few, some = shrunk(text, 0, 1), shrunk(text, 0, 24)
    assert len(some.best.document["steps"]) < len(few.best.document["steps"]) < len(few.start["steps"])
    assert some.best.played.judge == "commit quorum"
    assert 1 <= some.seeds(2) <= 2
