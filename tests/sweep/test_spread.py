"""Seeds spread over any executor, and counted: the same as one after the other."""

from __future__ import annotations

import random
from concurrent.futures import Executor
from pathlib import Path

import pytest

from raftsim.sweep.executors import BadExecutor, executor_of
from raftsim.sweep.result import FAILED, PASS, Result, signature
from raftsim.sweep.spread import Inline, processes, spread
from raftsim.sweep.state import BadState, Folder
from raftsim.sweep.subjects import Story, Subject, Swarm
from raftsim.sweep.tally import MAX_GROUPS, OTHERS, Tally, ranges
from tests.sweep import planted

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CRASH = Story("leader-crash.yaml", (SCENARIOS / "leader-crash.yaml").read_text())
SHORT = Swarm(4.0)


def tally_of(subject: Subject, seeds: range, executor: Executor, workers: int = 2) -> Tally:
    tally = Tally()
    with executor:
        spread(subject, seeds, executor, workers, tally.add)
    tally.work_s = 0.0  # no two are alike in that
    return tally


@pytest.mark.parametrize("subject", [SHORT, CRASH], ids=["swarm", "scenario"])
def test_processes_find_what_one_process_finds(subject: Subject) -> None:
    seeds = range(5, 14)
    alone, together = tally_of(subject, seeds, Inline()), tally_of(subject, seeds, processes(2))
    assert together.done == alone.done == set(seeds)
    assert _plain(together) == _plain(alone)
    assert alone.passed == len(seeds)


def test_a_dask_cluster_finds_the_same() -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed: raftsim[dask]")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp"
        ) as cluster,
        executor_of(cluster.scheduler_address.replace("tcp://", "dask://")) as executor,
    ):
        assert _plain(tally_of(CRASH, range(6), executor)) == _plain(tally_of(CRASH, range(6), Inline()))


def test_a_planted_bug_is_found_and_told_once() -> None:
    tally = tally_of(Swarm(10.0), range(12), planted.hasty())
    assert tally.count(FAILED) > 4
    judges = {group.judge for _, group in tally.ordered()}
    assert "durable before send" in {judge.replace("-", " ") for judge in judges}
    name, group = tally.ordered()[0]
    assert len(group.seeds) > 1
    assert name.startswith(f"{group.judge}: ")
    assert not any(char.isdigit() for char in name)


def test_a_run_that_raises_is_a_finding() -> None:
    tally = tally_of(CRASH, range(5), planted.clumsy())
    ((name, group),) = tally.ordered()
    assert name == "exception: RuntimeError: run # of # fell over (_raise, line #)"
    assert sorted(group.seeds) == list(range(5))


def test_what_has_not_begun_does_not_begin_after_an_interruption() -> None:
    tally = Tally()
    with pytest.raises(KeyboardInterrupt):
        spread(CRASH, range(1_000_000), planted.interrupted(), 2, tally.add)
    assert tally.done == set(range(8))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("at 1.000000 s: n1 and n3 applied different", "at 7.402 s: n2 and n1 applied different"),
        ("n1 lost b'abc' at index 12", "n3 lost b'it\\'s' at index 9"),
        ("127.0.0.1:4647, 127.0.0.1:4657", "6fa459ea-ee8a-4ca4-894e-db77e160355e"),
        ("the members n1, n2 and n3", "the members n2"),
        ("it waits; there is: n1 LEADER", "it waits; there is: nobody"),
    ],
)
def test_what_differs_by_chance_makes_no_difference(first: str, second: str) -> None:
    assert signature("a judge", first) == signature("a judge", second)
    assert signature("a judge", first) != signature("another", second)


def test_a_tally_does_not_depend_on_the_order() -> None:
    results = [
        Result(seed, FAILED, "judge", f"at {seed}: {'ab'[seed % 2]}", {"fact": seed % 3}, {}, seed, 1.0)
        for seed in range(50)
    ]
    shuffled = random.Random(1).sample(results, len(results))
    first, second = Tally(), Tally()
    for one, other in zip(results, [*shuffled], strict=True):
        first.add(one)
        second.add(other)
        second.add(other)  # twice is once
    assert _plain(first) == _plain(second)
    assert [group.text for _, group in first.ordered()] == ["at 0: a", "at 1: b"]
    assert _plain(Tally.from_plain(first.plain())) == _plain(first)


def test_different_failures_are_told_apart_up_to_a_limit() -> None:
    tally = Tally()
    for seed in range(MAX_GROUPS + 5):
        tally.add(Result(seed, FAILED, "judge", "x" * (seed % 100) + "y" * (seed // 100)))
    assert len(tally.groups) == MAX_GROUPS + 1
    assert len(tally.groups[OTHERS].seeds) == 5


def test_ranges() -> None:
    assert ranges([5, 1, 2, 9, 3]) == [(1, 3), (5, 5), (9, 9)]
    assert ranges([]) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", "neither dask://HOST:PORT nor module:factory"),
        (":factory", "neither"),
        ("no.such.module:x", "cannot import no.such.module: ModuleNotFoundError"),
        ("tests.sweep.planted:absent", "has no factory called absent"),
        ("tests.sweep.planted:failing", "it failed: OSError: no workers today"),
        ("tests.sweep.planted:nothing", "it made a object, which is no concurrent.futures.Executor"),
    ],
)
def test_an_executor_that_is_none(name: str, why: str) -> None:
    with pytest.raises(BadExecutor, match=why), executor_of(name):
        pass


def test_dask_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(BadExecutor, match="pip install"), executor_of("dask://127.0.0.1:1"):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1, "sweep": {}, "tally": {"done": 3}}', "\x00"])
def test_a_damaged_state_is_refused(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path, SHORT, range(3))
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(BadState, match="not the state of a sweep"):
        folder.load()


def test_the_state_of_another_sweep_is_refused(tmp_path: Path) -> None:
    tally = Tally()
    tally.add(Result(0, PASS))
    Folder(tmp_path, SHORT, range(3)).save(tally)
    assert Folder(tmp_path, SHORT, range(3)).load().done == {0}
    for subject, seeds, what in (
        (SHORT, range(4), "seeds"),
        (Swarm(5.0), range(3), "storm_s"),
        (CRASH, range(3), "text"),
    ):
        with pytest.raises(BadState, match=f"differs in: .*{what}"):
            Folder(tmp_path, subject, seeds).load()


def _plain(tally: Tally) -> object:
    """What it has found, without the order in which it did."""
    plain = tally.plain()
    plain["groups"] = {name: [*rest, sorted(seeds)] for name, (*rest, seeds) in sorted(plain["groups"].items())}
    plain["seen"] = dict(sorted((fact, tuple(seen)) for fact, seen in plain["seen"].items()))
    plain["virtual_s"] = round(plain["virtual_s"], 3)
    return plain
