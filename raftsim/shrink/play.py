"""One run of a scenario, told in plain data, so that it may have been played by another copy of this package."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from raftsim.scenario.conditions import NUMBERS
from raftsim.scenario.load import parse
from raftsim.scenario.model import Scenario
from raftsim.scenario.play import play_simulated
from raftsim.scenario.problems import BadScenario
from raftsim.scenario.report import EXPECTATION, LIVENESS, VIOLATED
from raftsim.shrink.wear import Condition, Wear

DEMANDS: Final = (LIVENESS, EXPECTATION)  # judges of what the file itself asks for
_COUNTS: Final = re.compile(rf"\b(?:{'|'.join(NUMBERS)}|acked):")


@dataclass(frozen=True, slots=True)
class Played:
    """`judge` and `reason` say what was violated, and are empty if nothing was. `step`: the number of the step it ended
    in, None for the end; `demand`: what stands there. `account`: what happened, line by line. `lease`: how far the
    clocks may drift with leases."""

    seed: int
    judge: str
    reason: str
    step: int | None
    demand: str
    account: tuple[str, ...]
    condition: Condition
    lease: float | None


Play = Callable[[str, int], Played | None]  # the text of a scenario, a seed -> None: it is no scenario


def play(text: str, seed: int) -> Played | None:
    """Play the scenario in `text` in virtual time."""
    try:
        scenario = parse(text, "")
    except BadScenario:
        return None
    wear, account = Wear(), []
    report = play_simulated(
        scenario, seed, lambda line: account.append(f"{line.time_s:8.3f}s  {line.text}"), [wear.observe]
    )
    settings = scenario.cluster.settings
    return Played(
        seed,
        report.judge if report.verdict == VIOLATED else "",
        report.reason if report.verdict == VIOLATED else "",
        *_ended_in(scenario, text, report.line),
        tuple(account),
        wear.condition(report.virtual_s or 0.0, settings.election_timeout_max_s, scenario.cluster.nodes),
        settings.max_clock_drift if settings.lease_reads else None,
    )


def is_the_same(first: Played, other: Played) -> bool:
    """Whether `other` is the failure that `first` was: found by the same judge, and no easier to bring about."""
    if other.judge != first.judge or other.lease not in (None, first.lease):
        return False
    if first.judge in DEMANDS:
        if other.demand != first.demand or not other.condition.is_as_able_as(first.condition):
            return False
        if _COUNTS.search(first.demand) and other.condition.asked < first.condition.asked:
            return False  # so much may have come about by what was asked for
    return other.condition.remembers_as_much_as(first.condition)


def _ended_in(scenario: Scenario, text: str, line: int) -> tuple[int | None, str]:
    """The number of the step at that line, if it is one, and what is demanded there."""
    for condition in scenario.expect:
        if condition.line == line:
            return None, condition.text
    for number, step in enumerate(scenario.steps):
        if step.line == line:
            return number, text.splitlines()[line - 1]
    return None, ""
