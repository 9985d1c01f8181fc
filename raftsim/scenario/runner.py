"""Run a scenario against a target: take its steps, look at the end, and say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from raftsim.scenario.actions import ACTIONS, expect, witness_cuts
from raftsim.scenario.fault_actions import FAULT_ACTIONS
from raftsim.scenario.model import Scenario
from raftsim.scenario.report import INVALID, UNREACHABLE, VACUOUS, VIOLATED, Report
from raftsim.scenario.stage import Ended, Line, Stage
from raftsim.scenario.target import InvariantBroken, Target, TargetError


def run(scenario: Scenario, target: Target, seed: int, tell: Callable[[Line], None]) -> Report:
    """Run to the end or to the first thing that is wrong. `tell` is given the account line by line."""
    report = Report(scenario.name, scenario.file, seed)
    stage = Stage(target, report, tell)
    actions = ACTIONS | FAULT_ACTIONS
    started = perf_counter()
    try:
        stage.say(f"{len(target.names)} servers started")
        for step in scenario.steps:
            report.line = step.line
            try:
                actions[type(step.action)](stage, step.action)
            except Ended as end:
                # Who does not make the mistake leaves the way to it, and then not every step can be taken.
                if not scenario.violates or end.verdict != INVALID:
                    raise
                stage.say(f"left out: {end}")
        expect(stage, scenario.expect, "expect")
        report.line = 0
        witness_cuts(stage)
        stage.settle()
        if stage.vacuous and not scenario.violates:
            raise Ended(VACUOUS, "; ".join(stage.vacuous))
    except Ended as end:
        report.verdict, report.reason, report.judge = end.verdict, end.reason, end.judge
    except InvariantBroken as broken:
        report.verdict, report.reason, report.judge = VIOLATED, f"invariant {broken}", broken.invariant
    except TargetError as error:
        report.verdict, report.reason = UNREACHABLE, str(error)
    for batch in stage.batches:
        batch.give_up()
        report.writes += batch.counts()
    report.digest = target.digest()
    report.events = target.events()
    report.wall_s = perf_counter() - started
    return report
