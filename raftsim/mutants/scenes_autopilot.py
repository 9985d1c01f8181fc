"""Traps in which servers die and the autopilot looks on; the scenario language has no word for its configuration."""

from __future__ import annotations

from typing import Final

from raftsim.core.settings import Settings
from raftsim.machine.autopilot import AutopilotConfig, set_command
from raftsim.node.autopilot import EVERY_S
from raftsim.node.requests import OK, Command
from raftsim.node.settings import NodeSettings
from raftsim.scenario.report import LIVENESS
from raftsim.sim.world import World
from raftsim.swarm.settle import demand, elected, leading, put

QUORUM_MARGIN: Final = "quorum margin"  # of the voters that an operator wanted to keep, none was removed

_ACTS: Final = NodeSettings(autopilot=True, dead_after_s=5.0)
_SEEN_S: Final = _ACTS.dead_after_s + 3 * EVERY_S  # after that a dead server would be gone


def one_of_two_dead_comes_back(seed: int) -> None:
    """Two of three die, and stay away for long; the leader goes on leading. Then the first of them comes back."""
    world = World(3, seed=seed, settings=Settings(check_quorum=False), node_settings=_ACTS)
    leader = elected(world)
    world.run(1)
    dead = [name for name in world.names if name != leader]
    for name in dead:
        world.crash(name)
    world.run(_SEEN_S)
    world.restart(dead[0])
    world.run(5)
    written = world.ask(elected(world), put("key", "later"))
    demand(world, written.kind == OK, LIVENESS, f"two of three take no write: {written.kind}, {written.reason}")


def servers_die_one_by_one(seed: int) -> None:
    """Of five servers two die, one after the other. The operator wants to keep four voters."""
    world = World(5, seed=seed, node_settings=_ACTS)
    least = AutopilotConfig(min_quorum=4)
    assert world.ask(elected(world), Command(set_command(least, None))).value["applied"]
    for _ in range(2):
        leader = elected(world)
        world.crash(next(name for name in world.alive if name != leader))
        world.run(_SEEN_S)
    kept = len(leading(world).config.voters)
    demand(world, kept >= least.min_quorum, QUORUM_MARGIN, f"{kept} voters are left of {least.min_quorum} to be kept")
