"""Clients in virtual time, in every weather: what they saw is linearizable, applied once, and lasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from raftsim.check import OK, VIOLATED, Map, Operation, linearizable
from raftsim.check.clients.durable import lost_writes
from raftsim.check.clients.exactly_once import exactly_once
from raftsim.check.clients.freshness import freshness
from raftsim.machine.sessions import Sessions
from raftsim.sim.clients import Clients, Load
from raftsim.sim.workload import Mix, Script
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, get, settle
from tests.sim.chaos import Chaos

LOADS = {
    "closed": Load(clients=6),
    "closed, with lists": Load(clients=4, mix=Mix(lists=2, cas=0)),
    "closed, without sessions": Load(clients=6, sessions=False),
    "open": Load(clients=3, open_loop_interval_s=0.2, mix=Mix(keys=6)),
    "impatient": Load(clients=6, answer_timeout_s=0.05, patience_s=0.2),
}


def judged(world: World, clients: Clients, mix: Mix) -> list[Operation]:
    """Read everything at the end; the history, which must be well."""
    final = {}
    for key in mix.names():
        variable = world.ask(elected(world), get(key)).value["variable"]
        final[key] = variable and variable["Items"]["value"]
    history = clients.history()
    judgement = linearizable(history, Map())
    assert judgement.verdict == OK, str(judgement)
    assert freshness(history, Map()) == []
    assert exactly_once(history, Map()) == []
    assert lost_writes(history, final, world.now, Map()) == []
    return history


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("seed", range(3))
def test_what_clients_saw_of_a_storm(seed: int, load: Load) -> None:
    chaos = Chaos(seed)
    clients = Clients(chaos.world, load, seed)
    chaos.storm(6)
    clients.stop()
    settle(chaos.world, retire=not chaos.weather.protected)
    assert chaos.world.run_until(lambda: clients.idle, load.patience_s + 5)
    judged(chaos.world, clients, load.mix)


def test_the_storms_are_not_vacuous() -> None:
    outcomes: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for seed in range(8):
        chaos = Chaos(seed)
        clients = Clients(chaos.world, LOADS["impatient"], seed)
        chaos.storm(6)
        outcomes += clients.outcomes
        functions += Counter(operation.function for operation in clients.history())
    assert all(outcomes[kind] > 20 for kind in ("ok", "refused", "unknown")), outcomes
    assert all(functions[function] > 20 for function in ("get", "put", "cas", "delete")), functions


def calm(seed: int, load: Load, for_s: float = 3) -> tuple[World, Clients]:
    world = World(3, seed=seed)
    elected(world)
    clients = Clients(world, load, seed)
    world.run(for_s)
    clients.stop()
    assert world.run_until(lambda: clients.idle, 10)
    return world, clients


def test_the_same_seed_is_the_same_history() -> None:
    first, second, other = (calm(seed, LOADS["open"])[1].history() for seed in (1, 1, 2))
    assert first == second != other


def test_a_closed_loop_has_one_call_at_a_time_and_an_open_one_does_not() -> None:
    assert not any(overlaps(calm(1, LOADS["closed"])[1].history()))
    _, clients = calm(1, Load(clients=1, open_loop_interval_s=0.005))
    history = clients.history()
    assert len({operation.process for operation in history}) == len(history) > 300
    assert any(second.called < (first.returned or 0) for first, second in pairwise(history))


def overlaps(history: list[Operation]) -> Iterator[bool]:
    """Of each two operations of a process that follow each other, whether the second came too early."""
    last: dict[str, Operation] = {}
    for operation in history:
        before = last.get(operation.process)
        yield before is not None and before.returned is not None and operation.called < before.returned
        last[operation.process] = operation


def test_a_machine_that_applies_copies_twice_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(machine: Sessions, index: int, id: int, sequence: int, command: bytes) -> dict[str, Any]:
        del id, sequence
        return {"outcome": "ok", "value": machine._machine.apply(index, command)}

    monkeypatch.setattr(Sessions, "_apply_once", forgetful)
    assert first_convicted(lambda history: bool(exactly_once(history, Map())))


def test_a_server_that_answers_queries_at_once_is_convicted(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Script.next

    def stale(script: Script, now: float) -> Any:
        operation, request = answered(script, now)
        if hasattr(request, "stale"):
            request.stale = True
        return operation, request

    monkeypatch.setattr(Script, "next", stale)
    assert first_convicted(lambda history: linearizable(history, Map()).verdict == VIOLATED)
    assert first_convicted(lambda history: bool(freshness(history, Map())))


def first_convicted(guilty: Callable[[list[Operation]], bool]) -> bool:
    """Whether one of a few storms shows it."""
    for seed in range(10):
        chaos = Chaos(seed)
        clients = Clients(chaos.world, LOADS["impatient"], seed)
        chaos.storm(6)
        if guilty(clients.history()):
            return True
    return False
