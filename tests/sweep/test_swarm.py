"""One seed of the swarm is one run, the same everywhere, and a right Raft passes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields

import pytest

from raftsim.check.violation import InvariantViolated
from raftsim.machine.sessions import Sessions
from raftsim.sim.workload import Script
from raftsim.sim.world import World
from raftsim.swarm import run as swarm
from raftsim.swarm import settle
from raftsim.swarm.run import Ending, play
from raftsim.swarm.sightings import FACTS
from tests import hashseeds

SEEDS = range(30)
SHORT_S = 10.0


@pytest.fixture(scope="module")
def endings() -> list[Ending]:
    return [play(seed, SHORT_S) for seed in SEEDS]


def test_no_false_alarm(endings: list[Ending]) -> None:
    assert [
        (seed, ending.judge, ending.text) for seed, ending in zip(SEEDS, endings, strict=True) if ending.judge
    ] == []


@pytest.mark.parametrize("seed", [1016, 2136])
def test_what_was_a_false_alarm_once_is_none(seed: int) -> None:
    """A snapshot in tiny chunks that took long; a removed server that disturbed the others through a wiped one."""
    ending = play(seed)
    assert ending.verdict == "pass", ending.text


def test_removed_servers_that_were_not_told_are_shut_down_where_nothing_protects_from_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They keep the others from a leader for as long as they run."""
    assert play(2168, 15.0).verdict == "pass"
    monkeypatch.setattr(settle, "LOOKS", 1)
    assert play(2168, 15.0).text.endswith("there are no agreed members")


@pytest.mark.soak
@pytest.mark.timeout(40_000)
def test_no_false_alarm_in_many_seeds() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100_000, 110_000):
        ending = play(seed)
        assert ending.verdict == "pass", (seed, ending.judge, ending.text)
        seen.update(ending.facts.keys())
    assert set(FACTS) <= set(seen)


def test_the_swarm_is_not_vacuous(endings: list[Ending]) -> None:
    """A fact in few seeds is enough; a few facts may need more seeds than these."""
    seen = {fact for ending in endings for fact in ending.facts}
    assert seen <= set(FACTS)
    assert len(set(FACTS) - seen) < 4, set(FACTS) - seen
    assert {ending.drawn["servers"] for ending in endings} >= {1, 3, 5}
    assert {ending.drawn["disk_form"] for ending in endings} == {"records", "bytes"}
    assert any(ending.drawn["stay_broken"] for ending in endings)
    assert sum(ending.operations for ending in endings) > 1_000
    steadiness = [ending.drawn["steadiness"] for ending in endings]
    assert all(len({steady[key] for steady in steadiness}) > 1 for key in ("up_s", "down_s", "windows"))


def outcome(seed: int) -> str:
    """All there is to know of a run, in one line."""
    ending = play(seed, SHORT_S)
    return repr([getattr(ending, field.name) for field in fields(ending)])


def test_a_seed_repeats_in_two_processes_with_different_hash_seeds() -> None:
    program = "from tests.sweep.test_swarm import outcome; print(outcome(3)); print(outcome(8))"
    found = hashseeds.outputs(program)
    assert found[0] == found[1] == [outcome(3), outcome(8)]
    assert found[0][0] != found[0][1]


def first_violated(seeds: Iterable[int] = range(40)) -> Ending:
    return next(ending for ending in (play(seed, SHORT_S) for seed in seeds) if ending.verdict == "violated")


def test_a_machine_that_applies_copies_twice_is_convicted_by_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(machine: Sessions, index: int, id: int, sequence: int, command: bytes) -> dict[str, object]:
        del id, sequence
        return {"outcome": "ok", "value": machine._machine.apply(index, command)}

    monkeypatch.setattr(Sessions, "_apply_once", forgetful)
    assert first_violated().judge in {
        "exactly once",
        "linearizability",
        "durability",
        "read your writes",
        "fresh reads",
    }


def test_stale_reads_are_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Script.next

    def stale(script: Script, now: float) -> object:
        operation, request = right(script, now)
        if hasattr(request, "stale"):
            request.stale = True
        return operation, request

    monkeypatch.setattr(Script, "next", stale)
    assert first_violated().judge in {"fresh reads", "monotonic reads", "read your writes", "linearizability"}


def test_a_cluster_that_does_not_recover_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is never healed: nobody may call that a pass."""
    monkeypatch.setattr(World, "heal", lambda _: None)
    monkeypatch.setattr(settle, "CONVERGE_S", 5.0)
    assert first_violated().judge in {settle.CONVERGENCE, settle.SERVICE}


def test_a_history_that_cannot_be_judged_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from raftsim.check import UNKNOWN, Judgement

    monkeypatch.setattr(swarm, "linearizable", lambda *_: Judgement(UNKNOWN, 7, undecided=(("a",),)))
    ending = play(0, 1.0)
    assert (ending.verdict, ending.judge) == ("undecided", swarm.LINEARIZABILITY)


def test_an_unmet_demand_names_its_judge() -> None:
    with pytest.raises(InvariantViolated, match="it is not so"):
        settle.demand(World(1), False, settle.SERVICE, "it is not so")  # noqa: FBT003
