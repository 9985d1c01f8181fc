"""A server that only lost its own links disturbs nobody: the term and the leader of the others never change for it.

Pre-vote keeps its term down, stickiness keeps the others loyal; that it takes its leader for dead is its own affair.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from raftsim.node.settings import NodeSettings
from raftsim.sim.delays import Exponential, Normal, Uniform
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, leading, put, settle
from raftsim.trace.events import ROLE, Event

NETWORKS = [
    NetworkModel(),
    NetworkModel(Normal(0.01, 0.005), loss=0.02),
    NetworkModel(Exponential(0.005), duplicate=0.1),
    NetworkModel(Uniform(0.01, 0.03), fifo=True),
]
away_s = st.one_of(st.floats(0, 0.1), st.floats(0.1, 5))
spells = st.lists(st.tuples(away_s, st.booleans(), away_s), min_size=1, max_size=6)  # (away, told so, back)


class Roles:
    """Notes who took which role in which term."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def __call__(self, event: Event) -> None:
        if event.kind == ROLE:
            self.told.append((event.node, event.subject.role, event.subject.term))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**16), size=st.sampled_from([3, 4, 5]), network=st.sampled_from(NETWORKS), spells=spells)
def test_a_server_that_lost_its_links_disturbs_nobody(
    seed: int, size: int, network: NetworkModel, spells: list[tuple[float, bool, float]]
) -> None:
    roles, rng = Roles(), Random(seed)
    limits = NodeSettings(snapshot_threshold_entries=rng.choice([3, 1000]), trailing_entries=1)
    world = World(size, seed=seed, network=network, node_settings=limits, observers=[roles])
    leader = elected(world)
    world.run(1)
    term = leading(world).term
    lonely = rng.choice([name for name in world.names if name != leader])
    roles.told.clear()
    for number, (away, refused, back) in enumerate(spells):
        world.isolate(lonely, refused=refused)
        world.submit(rng.choice(world.names), put("key", str(number)))
        world.run(away)
        world.heal()
        world.run(back)
    settle(world)
    assert [told for told in roles.told if told[0] != lonely] == []
    assert {told[1:] for told in roles.told} <= {("follower", term), ("pre-candidate", term)}
    assert (world.leader(), leading(world).term) == (leader, term)
