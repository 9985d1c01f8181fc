"""Under any interleaving: every request is answered exactly once, and its answer is true.

The judge reads the log that the servers agree on in the end: what was `ok` is in it once, what was `refused` is not in
it, and a read shows at least what had been confirmed to anyone before it was asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest

from raftsim.core.settings import Settings
from raftsim.node.requests import OK, REFUSED, UNKNOWN, Command, Outcome, RemovePeer, Request, TransferLeadership
from raftsim.node.settings import NodeSettings
from tests.node.harness import ALL
from tests.node.world import World

IDS = ("a", "b", "c")


@dataclass
class Asked:
    request: Request
    at: str
    known: frozenset[bytes]  # what had been answered `ok` when this was asked
    outcomes: list[Outcome] = field(default_factory=list)


class Clients:
    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[Asked] = []

    def ask(self, at: str, request: Request) -> None:
        done = frozenset(
            asked.request.data
            for asked in self.asked
            if isinstance(asked.request, Command) and asked.outcomes and asked.outcomes[0].kind == OK
        )
        asked = Asked(request, at, done)
        self.asked.append(asked)
        self.world[at].node.request(request, asked.outcomes.append)

    def judge(self, log: list[bytes]) -> Counter[str]:
        times = Counter(log)
        for asked in self.asked:
            (outcome,) = asked.outcomes
            if isinstance(asked.request, Command):
                allowed = {OK: {1}, REFUSED: {0}, UNKNOWN: {0, 1}}[outcome.kind]
                assert times[asked.request.data] in allowed, (asked, times[asked.request.data])
            elif asked.request == ALL and outcome.kind == OK:
                assert outcome.value == tuple(log[: len(outcome.value)]), asked
                assert asked.known <= set(outcome.value), asked
        return Counter(asked.outcomes[0].kind for asked in self.asked)


def disturb(world: World, clients: Clients, rng: Random, *, removals: bool) -> None:
    """One step: mostly progress, sometimes a break."""
    station = world[rng.choice(IDS)]
    step = rng.random()
    if step < 0.08:
        number = len(clients.asked)
        clients.ask(station.id, Command(b"%d" % number) if rng.random() < 0.6 else ALL)
    elif step < 0.60:
        busy = [line for line, messages in sorted(world.lines.items()) if messages]
        world.deliver(rng.choice(busy) if busy else ("a", "b"))
    elif step < 0.73:
        station.sync(writes=rng.randint(1, 2))
    elif step < 0.75:
        station.work()
    elif step < 0.80:
        station.turn()
    elif step < 0.96:
        world.tick(rng.choice([0.005, 0.02, 0.05]))
    elif step < 0.975:
        world.cut(*rng.sample(IDS, 2))
    elif step < 0.99:
        world.join(*rng.sample(IDS, 2))
    elif step < 0.995:
        world.crash(station.id)
    elif step < 0.997:
        clients.ask(station.id, TransferLeadership())
    elif removals:
        clients.ask(station.id, RemovePeer(id=rng.choice(IDS)))


def heal(world: World) -> None:
    for one, other in (("a", "b"), ("b", "c"), ("a", "c")):
        world.join(one, other)
    world.run(16.0)


SNAPSHOTS = NodeSettings(snapshot_threshold_entries=4, trailing_entries=1, snapshot_chunk_bytes=7)


@pytest.mark.parametrize("node_settings", [NodeSettings(), SNAPSHOTS], ids=["whole logs", "snapshots"])
@pytest.mark.parametrize("removals", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_every_request_is_answered_once_and_truly(seed: int, removals: bool, node_settings: NodeSettings) -> None:
    rng = Random(seed)
    settings = Settings(pre_vote=seed % 3 != 0, stickiness=seed % 2 == 0)
    world = World(*IDS, seed=seed, settings=settings, node_settings=node_settings)
    clients = Clients(world)
    for _ in range(1500):
        disturb(world, clients, rng, removals=removals)
    heal(world)
    kinds = clients.judge(world.leader().machine.commands)
    assert kinds[OK] > 0
