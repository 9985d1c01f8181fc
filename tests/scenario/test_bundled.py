"""The scenarios of the project hold in both worlds, or in virtual time alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from raftsim.scenario.load import load
from raftsim.scenario.model import Scenario
from raftsim.scenario.play import only_simulated, play_live, play_simulated
from raftsim.scenario.report import PASS
from raftsim.scenario.stage import Line

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = [load(str(path)) for path in sorted(FOLDER.glob("*.yaml"))]
FEW, MANY = 30, 200

LIVE = [scenario for scenario in SCENARIOS if not only_simulated(scenario)]

everyone = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


@everyone
def test_the_file_tells_its_story(scenario: Scenario) -> None:
    assert scenario.name == Path(scenario.file).stem
    assert scenario.about
    assert scenario.paper
    assert scenario.expect


@everyone
@pytest.mark.parametrize("seeds", [range(FEW), pytest.param(range(FEW, MANY), marks=pytest.mark.soak)], ids=str)
def test_it_passes_in_virtual_time_whatever_the_seed(scenario: Scenario, seeds: range) -> None:
    for seed in seeds:
        report = play_simulated(scenario, seed, lambda _: None)
        assert report.verdict == PASS, f"seed {seed}: {report.reason}"


@pytest.mark.parametrize("scenario", LIVE, ids=lambda scenario: scenario.name)
@pytest.mark.live
def test_it_passes_against_real_processes(scenario: Scenario) -> None:
    lines: list[Line] = []
    report = play_live(scenario, seed=1, slack=4.0, tell=lines.append)
    assert report.verdict == PASS, "\n".join([report.reason, *(f"{line.time_s:.3f} {line.text}" for line in lines)])
