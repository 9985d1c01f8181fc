"""Play a scenario in one of the two worlds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from raftsim.scenario import runner
from raftsim.scenario.model import Scenario
from raftsim.scenario.report import UNREACHABLE, Report
from raftsim.scenario.stage import Line
from raftsim.scenario.target import TargetError

if TYPE_CHECKING:
    from raftsim.sim.build import Observer

Tell = Callable[[Line], None]


def play_simulated(scenario: Scenario, seed: int, tell: Tell, observers: Iterable[Observer] = ()) -> Report:
    """In virtual time, from `seed`. `observers` are told every event."""
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
    if not scenario.cluster.settings.pre_vote:
        found.append("cluster.prevote: false")
    if not scenario.cluster.settings.check_quorum:
        found.append("cluster.check_quorum: false")
    return found
