"""`raftsim experiment`: published measurements of Raft, done again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import columnize, show_json
from raftsim.cli.progress import Progress

if TYPE_CHECKING:
    from raftsim.experiments.report import Figure, Report

WITHIN, OUTSIDE, BAD_INPUT = 0, 1, 2
NAMES = ("figure16", "availsim", "split-votes", "catch-up", "throughput")


@click.command(
    "experiment",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Reproduce Figure 16 of the Raft paper", "raftsim experiment figure16"),
        ("See a rough picture quickly", "raftsim experiment figure16 -trials=100 -draw"),
        ("Keep the curves as a picture", "raftsim experiment availsim -svg=availsim.svg"),
        ("See how fast a new server catches up", "raftsim experiment catch-up -trials=1 -draw"),
    ],
)
@click.argument("name", metavar="EXPERIMENT", type=click.Choice(NAMES))
@option(
    "trials",
    value="N",
    type=click.IntRange(1, 1_000_000),
    help="Of each series. Default: as published.",
)
@option("seed", value="N", type=click.IntRange(0, 1 << 32), default=0, help="Of the first trial. Default: 0.")
@option("j", value="N", type=click.IntRange(1, 256), help="Processes to work in. Default: one for each core.")
@option("draw", help="Draw the curves into the terminal.")
@option("svg", value="FILE", default="", help="Write the curves to this file.")
@option("json", dest="as_json", help="Output the figures as JSON.")
def experiment(*, name: str, trials: int | None, seed: int, j: int | None, draw: bool, svg: str, as_json: bool) -> int:
    """Reproduce published measurements of Raft with the simulated servers.

    "figure16" is the time without a leader on a fast network, from the Raft paper; "availsim" are elections over a wide
    area, from the dissertation; "split-votes" compares the simulator with the exact probability that an election comes
    to nothing; "catch-up" has new servers catch up in rounds, which shrink by a known ratio; "throughput" is LogCabin's
    latency and throughput, as far as they follow from a few costs.

    The exit code is 0 when every figure that is judged is within its bounds, 1 when one is outside, 2 for bad options.
    The same seed gives the same figures, however many processes work.
    """
    report = _run(name, trials, seed, j or os.cpu_count() or 1)
    if svg:
        _write(Path(svg), report)
    if as_json:
        show_json(_plain(report))
    else:
        print("\n".join(_lines(report, draw=draw)))
    return WITHIN if report.holds else OUTSIDE


def _run(name: str, trials: int | None, seed: int, jobs: int) -> Report:
    from concurrent.futures import ProcessPoolExecutor

    from raftsim.experiments.run import run

    with Progress() as progress, ProcessPoolExecutor(jobs) as executor:
        return run(name, trials, seed, executor, lambda done, total: progress.show(f"{done:,} of {total:,} trials"))


def _write(path: Path, report: Report) -> None:
    from raftsim.experiments.draw import svg

    if not report.simulated:
        raise Failure(f"-svg: {report.experiment} has no curves", code=BAD_INPUT)
    path.write_text(svg(report), encoding="utf-8")


def _lines(report: Report, *, draw: bool) -> list[str]:
    from raftsim.experiments.draw import text

    rows: list[tuple[str, ...]] = [("Series", "Figure", "Simulated", "Expected", "Off", "Within")]
    rows += [_row(figure) for figure in report.figures]
    lines = [columnize(rows), ""]
    if draw:
        for series in report.simulated:
            lines += [*text(report, series), ""]
    outside = sum(not figure.holds for figure in report.figures)
    judged = sum(figure.within is not None for figure in report.figures)
    word = "WITHIN" if report.holds else "OUTSIDE"
    return [*lines, f"{word}  {judged - outside} of {judged} figures hold, {report.trials:,} trials of each series"]


def _row(figure: Figure) -> tuple[str, ...]:
    numbers = [_number(value, figure.unit) for value in (figure.simulated, figure.expected)]
    if figure.unit and figure.expected:
        off = f"{figure.simulated / figure.expected - 1:+.1%}"
    else:
        off = f"{figure.simulated - figure.expected:+.3f}"
    within = "-" if figure.within is None else "yes" if figure.holds else "NO"
    return (figure.series, figure.name, *numbers, off, within)


def _number(value: float, unit: str) -> str:
    if not unit:
        return f"{value:.3f}"
    return f"{value:,.0f} {unit}" if value >= 10 or value == round(value) else f"{value:.2f} {unit}"


def _plain(report: Report) -> dict[str, Any]:
    return {
        "Experiment": report.experiment,
        "Trials": report.trials,
        "Holds": report.holds,
        "Figures": [
            {
                "Series": figure.series,
                "Figure": figure.name,
                "Unit": figure.unit,
                "Simulated": round(figure.simulated, 4),
                "Expected": round(figure.expected, 4),
                "Judged": figure.within is not None,
                "Holds": figure.holds,
            }
            for figure in report.figures
        ],
    }
