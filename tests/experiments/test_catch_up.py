"""Catching up is as geometric as the dissertation says, and servers that do it otherwise are found out."""

from __future__ import annotations

from math import inf

import pytest

from raftsim.core import membership
from raftsim.core.log import Log
from raftsim.experiments.catch_up import ROUNDS, SERIES, rounds_needed
from raftsim.experiments.parts import judge
from raftsim.experiments.report import Report


def outside(series: str) -> set[str]:
    """The names of the figures that do not hold after one trial."""
    report = Report("catch-up", 1)
    judge(report, series, SERIES[series], [SERIES[series].trial(0)])
    return {figure.name for figure in report.figures if not figure.holds}


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
def test_the_round_that_is_short_enough(ratio: float) -> None:
    number, duration = 1, 1.0
    while duration >= 0.3:
        number, duration = number + 1, duration * ratio
    assert rounds_needed(ratio, 1.0, 0.3) == number


def test_with_arrivals_as_fast_as_replication_there_is_no_such_round() -> None:
    assert rounds_needed(1.0) == rounds_needed(1.1) == inf
    assert rounds_needed(1.1, 0.2, 0.3) == 1


def test_every_outcome_is_among_the_series() -> None:
    needed = [rounds_needed(float(name.split()[1])) for name in SERIES if name.startswith("arrivals")]
    assert min(needed) < ROUNDS
    assert any(ROUNDS < number < inf for number in needed), "given up, and added when tried again"
    assert inf in needed


@pytest.mark.parametrize("series", ["arrivals 0.9", "S4 listens, S3 fails"])
def test_a_leader_that_gives_votes_unseen_is_found_out(monkeypatch: pytest.MonkeyPatch, series: str) -> None:
    monkeypatch.setattr(membership, "_check_caught_up", lambda *_: None)
    assert outside(series) & {"gets its vote", "vote is refused"}


@pytest.mark.parametrize("series", ["log is empty", "log is half", "log has gone astray"])
def test_a_leader_that_goes_back_one_by_one_is_found_out(monkeypatch: pytest.MonkeyPatch, series: str) -> None:
    monkeypatch.setattr(Log, "agreement_hint", lambda _, index, term: (max(index - 1, 0), term))
    assert outside(series) == {"refused Appends"}
