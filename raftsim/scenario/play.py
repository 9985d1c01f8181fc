"""Play a scenario in one of the two worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from raftsim.scenario import runner
from raftsim.scenario.fault_model import VERBS, Fault, Release
from raftsim.scenario.model import Cluster, Restart, Scenario
from raftsim.scenario.report import UNREACHABLE, Report
from raftsim.scenario.stage import Line
from raftsim.scenario.target import TargetError

if TYPE_CHECKING:
    from raftsim.sim.build import Observer

Tell = Callable[[Line], None]


class Play(Protocol):
    """`play_simulated`, here or where a bug is planted."""

    def __call__(self, scenario: Scenario, seed: int, tell: Tell, observers: Iterable[Observer] = ()) -> Report: ...


def play_simulated(scenario: Scenario, seed: int, tell: Tell, observers: Iterable[Observer] = ()) -> Report:
    """In virtual time, from `seed`. The `observers` are told every event."""
    from raftsim.scenario.sim_target import SimTarget

    target = SimTarget(scenario, seed, observers)
    report = runner.run(scenario, target, seed, tell)
    report.virtual_s = target.now()
    return report


def play_live(scenario: Scenario, seed: int, slack: float, tell: Tell) -> Report:
    """Against real server processes, which are gone when this returns or raises. The seed draws servers only."""
    from raftsim.scenario.live_target import live_target

    try:
        with live_target(scenario, slack) as target:
            return runner.run(scenario, target, seed, tell)
    except TargetError as error:
        return Report(scenario.name, scenario.file, seed, UNREACHABLE, str(error))


def only_simulated(scenario: Scenario) -> list[str]:
    """What the scenario asks for that no live cluster can do, as keys of its file."""
    found = [f"network.{key}" for key in scenario.network.given]
    found += [f"settings.{key}" for key in scenario.cluster.settings_given]
    found += [f"disks.{key}" for key in scenario.disks.given]
    if scenario.cluster.names != Cluster.numbered(scenario.cluster.nodes) or scenario.cluster.zone_of:
        found.append("cluster.nodes: a list")
    if not scenario.cluster.settings.pre_vote:
        found.append("cluster.prevote: false")
    if not scenario.cluster.settings.check_quorum:
        found.append("cluster.check_quorum: false")
    if any(isinstance(step.action, Restart) and not step.action.starts for step in scenario.steps):
        found.append("restart: starts: false")
    faults = [step.action for step in scenario.steps if isinstance(step.action, Fault)]
    verbs = {fault.verb if isinstance(fault, Release) else VERBS[type(fault)] for fault in faults}
    return found + [f"steps: {verb}" for verb in sorted(verbs)]
