"""Kill -9, SIGSTOP and partitions by turns, under 32 clients with sessions; then what the clients saw is judged."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from raftsim.check import OK, Map, Operation, linearizable
from raftsim.check.clients.durable import lost_writes
from raftsim.check.clients.exactly_once import exactly_once
from raftsim.check.clients.freshness import freshness
from raftsim.cluster.local import LocalCluster
from raftsim.sim.workload import Mix, with_values
from tests.acceptance.historians import IMPATIENT, PATIENT, Historian, historian, until_all_succeed
from tests.acceptance.nemesis import KINDS, Nemesis, until_converged

pytestmark = pytest.mark.live

SERVERS, CLIENTS = 5, 32
CAS = Mix("soak/cas/", keys=40)  # a key with too much open at once cannot be judged
LISTED = Mix("soak/list/", keys=4, cas=0, lists=4)
LAST_KEY = "soak/last"
CALM_BOUND_S = 60.0  # generous: this machine may be busy

NewCluster = Callable[..., LocalCluster]


@pytest.mark.timeout(240)
async def test_a_short_storm(new_cluster: NewCluster, tmp_path: Path) -> None:
    await storm(new_cluster(SERVERS, faults=True), tmp_path, for_s=10, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(2_400)
async def test_ten_minutes(new_cluster: NewCluster, tmp_path: Path) -> None:
    await storm(new_cluster(SERVERS, faults=True), tmp_path, for_s=600, seed=2)


async def storm(cluster: LocalCluster, directory: Path, for_s: float, seed: int) -> None:
    """Load and faults for so long; all is mended, all clients succeed, all is read, and everything must be well."""
    addresses = [node.plan.rpc_address for node in cluster.nodes.values()]
    nemesis = Nemesis(cluster, Random(f"{seed}/nemesis"), 0.5, 3.0)
    until = time.monotonic() + for_s
    async with AsyncExitStack() as stack:
        # Every fourth gives up soon. It keeps off the lists, which are too much to judge if an outcome is unknown.
        kinds = [(IMPATIENT, [CAS]), *[(PATIENT, [CAS, CAS, LISTED])] * 3]
        clients = [
            await historian(stack, addresses, f"c{number}", *kinds[number % len(kinds)], seed)
            for number in range(CLIENTS)
        ]
        async with asyncio.TaskGroup() as tasks:
            breaking = tasks.create_task(nemesis.work(until))
            for client in clients:
                tasks.create_task(work_beside(breaking, client))
        await until_all_succeed(clients, LAST_KEY, CALM_BOUND_S)
        await until_converged(cluster, CALM_BOUND_S)
        reader = await historian(stack, addresses, "reader", PATIENT, [CAS], seed)
        for key in (*CAS.names(), *LISTED.names(), LAST_KEY):
            assert await reader.get(key), f"{key} cannot be read"
    history = with_values(operation for client in (*clients, reader) for operation in client.history)
    outcomes = sum((client.outcomes for client in clients), Counter[str]())
    report = {"operations": len(history), "outcomes": outcomes, "faults": nemesis.faults, "terms": nemesis.terms}
    report |= {"functions": Counter(operation.function for operation in history), "dropped": nemesis.dropped}
    problems, verdicts = judge(history, reader)
    print(json.dumps(report | verdicts))  # noqa: T201 - what a soak is run for
    if problems:
        lines = [f"{operation} index {operation.index}\n" for operation in history]
        (directory / "history.txt").write_text("".join(lines))
    assert problems == [], f"see {directory / 'history.txt'}"
    assert_not_vacuous(outcomes, nemesis)


async def work_beside(breaking: asyncio.Task[None], client: Historian) -> None:
    """Operations for as long as things are broken."""
    while not breaking.done():
        await client.step()


def judge(history: Sequence[Operation], reader: Historian) -> tuple[list[str], dict[str, Any]]:
    """All that is wrong, as sentences; and what the judge of linearizability says and takes."""
    began = time.process_time()
    problems: list[str] = []
    told: dict[str, Any] = {}
    # No operation touches keys of both kinds: each is a history of its own.
    for name, listed in (("cas", False), ("list", True)):
        part = [operation for operation in history if operation.key.startswith(LISTED.prefix) is listed]
        judgement = linearizable(part, Map())
        told[name] = str(judgement)
        if judgement.verdict != OK or judgement.order:
            problems.append(f"{judgement} {judgement.order}")
    told["seconds"] = round(time.process_time() - began, 1)
    final = {operation.key: operation.output for operation in reader.history}
    at = max(operation.returned or 0.0 for operation in reader.history)
    found = [*freshness(history, Map()), *exactly_once(history, Map()), *lost_writes(history, final, at, Map())]
    return problems + [str(violation) for violation in found], told


def assert_not_vacuous(outcomes: Counter[str], nemesis: Nemesis) -> None:
    assert outcomes["ok"] > 500, outcomes
    assert {f"{kind} leader" for kind in KINDS} <= nemesis.faults.keys()
    assert nemesis.dropped > 0
    assert nemesis.terms[1] > nemesis.terms[0]
