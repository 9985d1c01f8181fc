"""A network that reorders and a leader that pipelines: what was overtaken is sent again, but not again and again."""

from __future__ import annotations

from collections import Counter

import pytest

from raftsim.core.messages import Append
from raftsim.core.settings import Settings
from raftsim.node.requests import OK, Outcome
from raftsim.sim.delays import Delay, Exponential, Uniform
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, put
from raftsim.trace.events import SEND, Event

WAITING = 100
APPENDS = 10_000  # three times as many were sent, within a quarter of a second


@pytest.mark.parametrize("delay", [Exponential(0.05), Exponential(0.005), Uniform(0.0005, 0.002)], ids=str)
def test_entries_that_wait_do_not_make_a_storm(delay: Delay) -> None:
    sent = 0

    def count(event: Event) -> None:
        nonlocal sent
        sent += event.kind == SEND and isinstance(event.subject, Append)

    settings = Settings(max_append_entries=1, max_inflight_appends=64).scaled(0.2)
    network = NetworkModel(delay, loss=0.02, duplicate=0.1)
    world = World(3, seed=1, network=network, settings=settings, observers=[count])
    world.run(0.5)
    leader, kinds = elected(world), Counter[str]()

    def done(outcome: Outcome) -> None:
        kinds[outcome.kind] += 1

    sent = 0
    for number in range(WAITING):
        world.submit(leader, put(f"key{number}", "value"), done)
    assert world.run_until(lambda: kinds.total() == WAITING, 20)
    assert kinds == {OK: WAITING}
    assert sent < APPENDS
