"""An experiment from its trials to its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from raftsim.experiments import availsim, catch_up, figure16, parts, split_votes, throughput
from raftsim.experiments.curves import Curve, curve, published
from raftsim.experiments.parts import Measured, Part
from raftsim.experiments.report import DISTRIBUTION, Chart, Figure, Report

BATCH: Final = 100  # trials a worker does at a time
SEEDS: Final = 1_000_000  # apart are the seeds of two series, so that they have nothing in common

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Experiment:
    """`trials`: of each series, by default. `trial(series, seed)` is one of them."""

    summary: str
    series: tuple[str, ...]
    trials: int
    trial: Callable[[str, int], Any]
    judge: Callable[[Report, str, list[Any]], None]
    chart: Chart = DISTRIBUTION


def run(name: str, trials: int | None, seed: int, executor: Executor, progress: Progress) -> Report:
    """All trials of the experiment `name`; `progress` is told how many are done, and of how many."""
    experiment = EXPERIMENTS[name]
    count = trials or experiment.trials
    report = Report(name, count, chart=experiment.chart)
    done, total = 0, count * len(experiment.series)
    batches = [
        (series, executor.map(partial(_batch, name, series), _seeds(seed + place * SEEDS, count)))
        for place, series in enumerate(experiment.series)
    ]
    for series, results in batches:
        outcomes: list[Any] = []
        for result in results:
            outcomes += result
            done += len(result)
            progress(done, total)
        experiment.judge(report, series, outcomes)
    return report


def _seeds(first: int, count: int) -> Iterator[range]:
    return (range(first + place, first + min(place + BATCH, count)) for place in range(0, count, BATCH))


def _batch(name: str, series: str, seeds: Iterable[int]) -> list[Any]:
    """By names, so that it can be sent to another process."""
    trial = EXPERIMENTS[name].trial
    return [trial(series, seed) for seed in seeds]


def _judge_figure16(report: Report, series: str, outcomes: list[float]) -> None:
    ours, theirs = _curves(report, series, outcomes)
    pairs = {"p10": (ours.at(0.1), theirs.at(0.1)), "median": (ours.at(0.5), theirs.at(0.5))}
    pairs["mean"] = ours.mean_ms, theirs.mean_ms
    report.figures += [Figure(series, name, *pair, figure16.WITHIN * pair[1]) for name, pair in pairs.items()]
    report.figures.append(Figure(series, "p90", ours.at(0.9), theirs.at(0.9), None))


def _judge_availsim(report: Report, series: str, outcomes: list[float]) -> None:
    ours, theirs = _curves(report, series, outcomes)
    equal = not availsim.SERIES[series][1]
    report.figures.append(
        Figure(series, "mean", ours.mean_ms, theirs.mean_ms, availsim.WITHIN * theirs.mean_ms if equal else None)
    )
    shares = {"p10": 0.1, "median": 0.5, "p90": 0.9, "p99": 0.99}
    report.figures += [Figure(series, name, ours.at(share), theirs.at(share), None) for name, share in shares.items()]


def _curves(report: Report, series: str, outcomes: list[float]) -> tuple[Curve, Curve]:
    ours, theirs = curve(outcomes), published(report.experiment)
    report.published = theirs
    report.simulated[series] = ours
    return ours, theirs[series]


def _judge_split_votes(report: Report, series: str, outcomes: list[float]) -> None:
    share = sum(outcomes) / len(outcomes)
    tolerance = split_votes.tolerance(series, len(outcomes))
    report.figures.append(Figure(series, "share of split votes", share, split_votes.probability(series), tolerance, ""))


def _of_parts(summary: str, table: Mapping[str, Part], trials: int, chart: Chart) -> Experiment:
    def trial(series: str, seed: int) -> Measured:
        return table[series].trial(seed)

    def judge(report: Report, series: str, outcomes: list[Measured]) -> None:
        parts.judge(report, series, table[series], outcomes)

    return Experiment(summary, tuple(table), trials, trial, judge, chart)


EXPERIMENTS: Final = {
    "figure16": Experiment(
        "Time without a leader, by the range of the timeouts (Figure 16 of the paper)",
        tuple(figure16.SERIES), figure16.TRIALS, figure16.trial_ms, _judge_figure16,
    ),
    "availsim": Experiment(
        "Elections over a wide area (AvailSim, dissertation chapter 9)",
        tuple(availsim.SERIES), availsim.TRIALS, availsim.trial_ms, _judge_availsim,
    ),
    "split-votes": Experiment(
        "How often an election splits, against the closed form (dissertation 9.1)",
        tuple(split_votes.SERIES), split_votes.TRIALS, split_votes.is_split, _judge_split_votes,
    ),
    "catch-up": _of_parts(
        "A new server catches up in rounds (dissertation chapter 4)",
        catch_up.SERIES, catch_up.TRIALS, catch_up.CHART,
    ),
    "throughput": _of_parts(
        "Latency and throughput of a leader (LogCabin, dissertation chapter 10)",
        throughput.SERIES, throughput.TRIALS, throughput.CHART,
    ),
}  # fmt: skip
