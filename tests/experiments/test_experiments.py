"""The simulated servers give what was published, and a simulator that is wrong does not."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from statistics import NormalDist

import pytest

from raftsim.cli.main import main
from raftsim.core import election
from raftsim.core.raft import Raft
from raftsim.experiments import availsim, catch_up, figure16, split_votes
from raftsim.experiments.curves import curve, published
from raftsim.experiments.draw import svg, text
from raftsim.experiments.elections import Election, elect
from raftsim.experiments.parts import SIGMAS, Expected, judge
from raftsim.experiments.report import Report
from raftsim.experiments.run import EXPERIMENTS, run
from raftsim.sim.delays import Uniform

FEW = {"figure16": 150, "availsim": 150, "split-votes": 60, "catch-up": 1, "throughput": 1}  # trials


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def _nobody(done: int, total: int) -> None:
    assert 0 < done <= total


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_figure_that_is_judged_is_within_its_bounds(name: str, executor: Executor) -> None:
    """With fewer trials than published, but for the soak, chance gets its share: three of its standard deviations."""
    report = run(name, FEW[name], 0, executor, _nobody)
    assert len({figure.series for figure in report.figures}) == len(EXPERIMENTS[name].series)
    for figure in report.figures:
        if figure.within is not None and figure.name != "p10":
            room = 0.3 * figure.expected if name in ("figure16", "availsim") else figure.within
            assert abs(figure.simulated - figure.expected) <= room, figure


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_as_many_trials_as_published(name: str, executor: Executor) -> None:
    report = run(name, None, 0, executor, _nobody)
    assert report.holds, [figure for figure in report.figures if not figure.holds]


def test_four_series_of_figure_16_are_within_a_tenth() -> None:
    """Those that chance moves least, with a number of trials that a test can afford."""
    for series in ("150-200", "150-300", "50-100", "100-200"):
        ours = curve([figure16.trial_ms(series, seed) for seed in range(300)])
        theirs = published("figure16")[series]
        for one, other in (
            (ours.at(0.1), theirs.at(0.1)),
            (ours.at(0.5), theirs.at(0.5)),
            (ours.mean_ms, theirs.mean_ms),
        ):
            assert abs(one / other - 1) <= figure16.WITHIN, series


def test_a_timeout_that_is_drawn_once_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """B08: with 5 ms to choose from, servers that tied once tie again."""

    def rest(raft: Raft, now: float) -> None:
        settings = raft.settings
        drawn = Random(raft.id).uniform(settings.election_timeout_min_s, settings.election_timeout_max_s)
        raft.election_deadline = now + drawn

    monkeypatch.setattr(election, "rest", rest)
    election_of_two = Election(
        servers=3, failed=1, unequal=False, timeout_min_s=0.15, timeout_max_s=0.15, delay=Uniform(0.002, 0.002)
    )
    monkeypatch.setattr("raftsim.experiments.elections.PATIENCE_S", 10.0)
    with pytest.raises(ValueError, match="nobody was elected"):
        elect(election_of_two, 1)


def test_the_same_seed_is_the_same_trial() -> None:
    for setup in (figure16.setup("150-155"), availsim.setup("logs differ, 2 failed")):
        assert elect(setup, 7) == elect(setup, 7)
        assert elect(setup, 7) != elect(setup, 8)


def test_a_share_between_two_points_lies_on_their_line() -> None:
    line = curve([10.0, 20.0, 40.0])
    assert [line.at(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == [10.0, 15.0, 20.0, 30.0, 40.0]
    assert curve([3.0]).at(0.5) == 3.0


def test_chance_outside_the_tolerance_is_rare() -> None:
    """One run in a hundred and more may be outside by chance alone."""
    outside = 2 * (1 - NormalDist().cdf(split_votes.SIGMAS)) * len(split_votes.SERIES)
    assert outside < 0.01


def _drawn(executor: Executor) -> Report:
    return run("figure16", 3, 0, executor, _nobody)


def test_the_picture_is_well_formed_and_names_every_series(executor: Executor) -> None:
    report = _drawn(executor)
    root = ET.fromstring(svg(report))
    words = "".join(root.itertext())
    assert all(series in words for series in report.simulated)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2 * len(report.simulated)


def test_the_drawing_rises_from_left_to_right(executor: Executor) -> None:
    rows = [line.split("|")[1] for line in text(_drawn(executor), "150-300") if "|" in line]
    places = [max(row.find("*"), row.find("@")) for row in rows]
    assert places == sorted(places, reverse=True)
    assert places[0] > places[-1]


def test_lines_that_are_no_distributions_are_drawn_by_their_own_axes() -> None:
    report = Report("catch-up", 1, chart=catch_up.CHART)
    part = catch_up.SERIES["arrivals 0.5"]
    judge(report, "arrivals 0.5", part, [part.trial(0)])
    rows = text(report, "arrivals 0.5")
    assert "o geometric" in rows[0]
    assert rows[-1].split() == ["1", "round", "3", "rounds"]
    assert sum(row.count("*") + row.count("@") for row in rows[1:]) == 3
    words = list(ET.fromstring(svg(report)).itertext())
    assert {"1 round", "2 rounds", "3 rounds", "500 ms"} <= set(words)


def test_chance_widens_a_bound_and_less_so_with_more_trials() -> None:
    by_chance = Expected("x", 10, within=1, deviation=2)
    assert by_chance.bound(4) == 1 + SIGMAS
    assert by_chance.bound(400) == 1 + SIGMAS / 10
    assert Expected("x", 10, within=None, deviation=2).bound(4) is None


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "curves.svg"
    command = partial(main, ["experiment", "figure16", "-trials=4", "-j=2", "-json", f"-svg={picture}"])
    code = command()
    first = capsys.readouterr().out
    assert code in (0, 1)
    assert len(json.loads(first)["Figures"]) == 4 * len(figure16.SERIES)
    assert picture.read_text().startswith("<svg")
    command()
    assert capsys.readouterr().out == first


def test_figures_outside_their_bounds_end_the_command_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """Of one trial nothing can be told."""
    assert main(["experiment", "figure16", "-trials=1", "-j=1"]) == 1
    assert "OUTSIDE" in capsys.readouterr().out


def test_no_curves_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "split-votes", "-trials=1", "-j=1", f"-svg={tmp_path / 'x.svg'}"]) == 2
    assert "no curves" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["figure17"], ["figure16", "-trials=0"], ["figure16", "-j=0"], []])
def test_bad_options_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", *words]) == 2
    assert capsys.readouterr().err
