"""Planted mistakes, in scenarios full of what has nothing to do with them: what is left is short, and fails so."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.scenario.report import LIVENESS
from raftsim.shrink.bench import Bench
from raftsim.shrink.document import read, verb_of, with_steps, write
from raftsim.shrink.play import Played, is_the_same, play
from raftsim.shrink.result import result_of
from raftsim.shrink.shrinker import Budget, DoesNotFail, Shrinker

FOLDER = Path(__file__).parents[2] / "scenarios"
EXACT = ("figure-8", "stale-vote-reply", "delayed-append")
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
TRAPS: list[tuple[str, str, str, int, int]] = [  # scenario, mutant, judge, at most so many steps and servers
    ("figure-8", "commit-prior-term", "commit quorum", 7, 5),
    ("stale-vote-reply", "late-grants-counted", "voters only", 4, 5),
    ("disk-stall-leader", "leader-with-stuck-disk-stays", LIVENESS, 4, 3),
    ("power-cut", "promise-before-sync", "durable before send", 1, 2),
    ("power-cut", "count-own-unsynced", "committed is durable", 4, 3),
    ("delayed-append", "any-append-cuts", "committed is immutable", 9, 3),
]


def shrunk(text: str, seed: int, bench: Bench | None = None, runs: int = 2000) -> Shrinker:
    shrinker = Shrinker(text, seed, bench or Bench(), Budget(runs), lambda _: None)
    shrinker.run()
    return shrinker


def padded(name: str) -> str:
    """The bundled scenario, with other things done first, where it does not depend on indexes of the log and bytes."""
    text = (FOLDER / f"{name}.yaml").read_text()
    head, _, steps = text.partition("steps:\n")
    return text if name in EXACT else f"{head}steps:\n{NOISE}{steps}"


@pytest.mark.parametrize(
    ("name", "mutant", "judge", "steps", "servers"), TRAPS, ids=[f"{name}-{mutant}" for name, mutant, *_ in TRAPS]
)
def test_a_planted_mistake_is_told_in_a_few_steps(name: str, mutant: str, judge: str, steps: int, servers: int) -> None:
    text, bench = padded(name), Bench(mutant)
    seed = next(seed for seed in range(20) if (found := bench.play(text, seed)) and found.judge == judge)
    best = shrunk(text, seed, bench, 60).best
    assert len(best.document["steps"]) <= steps, best.text
    assert best.played.condition.servers <= servers, best.text
    again = bench.play(best.text, best.played.seed)
    assert again is not None
    assert again.judge == judge
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


STUCK = """
name: stuck
steps:
  - until: {leader: one}
    as: old
  - disk: {node: old, stall: forever}
  - put: 1
    via: old
    wait: false
  - until: {leader: one, not: [old]}
    within: 20s
"""


def test_what_fails_without_the_bug_too_is_no_reduction() -> None:
    """A leader that is asked for nothing has no reason to notice that its disk hangs."""
    bench, document = Bench("leader-with-stuck-disk-stays"), read(STUCK)
    idle = write(with_steps(document, [step for step in document["steps"] if "put" not in step]))
    assert [verb_of(step) for step in shrunk(STUCK, 0, bench, 40).best.document["steps"]] == [
        "until",
        "disk",
        "put",
        "until",
    ]
    first, without_the_put = bench.play(write(document), 0), bench.play(idle, 0)
    assert first is not None
    assert without_the_put is not None
    assert is_the_same(first, without_the_put)
    with pytest.raises(DoesNotFail, match="seed 0 without leader-with-stuck-disk-stays too"):
        shrunk(idle, 0, bench)


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


def test_the_same_input_gives_the_same_file() -> None:
    text = (FOLDER / "stale-vote-reply.yaml").read_text()
    one, two = (result_of(shrunk(text, 0, Bench("late-grants-counted"), 30), "x.yaml", None).text for _ in range(2))
    assert one == two


def test_the_best_so_far_stands_when_the_budget_is_spent() -> None:
    bench = Bench("commit-prior-term")
    text = (FOLDER / "figure-8.yaml").read_text()
    few, some = shrunk(text, 0, bench, 1), shrunk(text, 0, bench, 24)
    assert len(some.best.document["steps"]) < len(few.best.document["steps"]) < len(few.start["steps"])
    assert some.best.played.judge == "commit quorum"
    assert 1 <= some.seeds(2) <= 2
