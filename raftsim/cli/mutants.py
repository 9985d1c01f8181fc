"""`raftsim mutants`: planted bugs, their traps, and how soon the swarm finds them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import click

from raftsim.cli import help as layout
from raftsim.cli.go import GoCommand, option
from raftsim.cli.output import columnize, show_json
from raftsim.cli.progress import Progress
from raftsim.cli.run import check_mutant
from raftsim.cli.sweep import seeds_of, storm_seconds

if TYPE_CHECKING:
    from raftsim.mutants.mutant import Mutant
    from raftsim.sweep.hunt import Hunt

FOUND, MISSED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
CORRECT: Final = ""  # the id of no mutant
GOOD: Final = "Good"  # whether a row is as it must be
Row = dict[str, Any]


@click.command(
    "mutants",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Run every trap", "raftsim mutants"),
        ("Read about one and run its trap", "raftsim mutants commit-prior-term"),
        ("See how soon the swarm finds it", "raftsim mutants commit-prior-term -search"),
        ("See what it does in a scenario", "raftsim run figure-8 -mutant=commit-prior-term"),
    ],
)
@click.argument("id", nargs=-1)
@option("list", dest="only_list", help="List them, and run nothing.")
@option("search", help="Measure how many random runs it takes to find them, instead of running their traps.")
@option("seeds", value="A..B", help="The seeds of each, at most. Default: 0..2, and 0..4999 with -search.")
@option(
    "repetitions",
    value="N",
    type=click.IntRange(1, 10_000),
    default=30,
    help="With -search: how often to find each. Default: 30.",
)
@option("storm", value="DURATION", default="15s", help="With -search: how long the faults of a run last. Default: 15s.")
@option(
    "correct", value="N", type=click.IntRange(0), default=100, help="With -search: runs without a bug. Default: 100."
)
@option("j", value="N", type=click.IntRange(1, 256), help="Processes to work in. Default: one for each core.")
@option("json", dest="as_json", help="Output the result as JSON.")
@option("markdown", help="Output the result as a table in Markdown.")
def mutants(
    *,
    id: tuple[str, ...],
    only_list: bool,
    search: bool,
    seeds: str | None,
    repetitions: int,
    storm: str,
    correct: int,
    j: int | None,
    as_json: bool,
    markdown: bool,
) -> int:
    """Plant known bugs, one at a time, and see them found.

    Every bug was made in an implementation of Raft, or nearly. It is planted into a copy of the package; the program
    itself knows nothing of it. Its trap is a small scenario that must call one judge, the one that the bug is listed
    with, and nobody when the bug is not there.

    With -search, runs drawn at random must find it instead: the table says how many it takes in the mean, with the 95 %
    interval, and how much CPU time. Runs without any bug must find nothing.

    The exit code is 0 when all traps work and all searches find, 1 when one does not, 2 for bad options, 130 after
    Ctrl-C, which tells what is done.
    """
    if only_list and search:
        click.get_current_context().fail("-list runs nothing: leave out -search")
    if as_json and markdown:
        click.get_current_context().fail("-json or -markdown: one form at a time")
    chosen = _chosen(id)
    if only_list:
        rows = [_entry(mutant) for mutant in chosen]
    elif search:
        rows = _hunt(chosen, seeds_of(seeds or "0..4999"), repetitions, storm_seconds(storm), correct, j)
    else:
        rows = _spring(chosen, seeds_of(seeds or "0..2"), j)
    if as_json:
        show_json(rows)
    elif markdown:
        print("\n".join(_markdown(rows)))
    else:
        print("\n".join([*map(_story, chosen if id else ()), *_table(rows)]))
    if len(rows) < len(chosen) + (search and correct > 0):
        return INTERRUPTED
    return FOUND if all(row.get(GOOD, True) for row in rows) else MISSED


def _chosen(ids: Sequence[str]) -> list[Mutant]:
    from raftsim.mutants.catalogue import CATALOGUE

    for id in ids:
        check_mutant(id)
    return [CATALOGUE[id] for id in ids or CATALOGUE]


def _entry(mutant: Mutant) -> Row:
    return {
        "Mutant": mutant.id,
        "Bug": mutant.number,
        "Needs": list(mutant.needs),
        "Judge": mutant.judge,
        "Title": mutant.title,
    }


def _spring(chosen: Sequence[Mutant], seeds: range, jobs: int | None) -> list[Row]:
    """The trap of each, run with these seeds."""
    from raftsim.mutants.planted import trap_fault

    faults = _spread(jobs, {mutant.id: (trap_fault, mutant.id, seeds) for mutant in chosen})
    return [
        {
            "Mutant": mutant.id,
            "Bug": mutant.number,
            "Judge": mutant.judge,
            GOOD: not faults[mutant.id],
            "Trap": faults[mutant.id] or "works",
            "Title": mutant.title,
        }
        for mutant in chosen
        if mutant.id in faults
    ]


def _hunt(
    chosen: Sequence[Mutant], seeds: range, wanted: int, storm_s: float, correct: int, jobs: int | None
) -> list[Row]:
    """How soon each is found, and in the last row that nothing is found where nothing is."""
    from raftsim.sweep.hunt import hunt

    tasks = {mutant.id: (hunt, mutant.id, seeds, wanted, storm_s) for mutant in chosen}
    if correct:
        tasks[CORRECT] = (hunt, CORRECT, seeds[:correct], correct, storm_s)
    found = _spread(jobs, tasks)
    numbers = {mutant.id: mutant.number for mutant in chosen}
    return [_hunt_row(found[id], numbers.get(id, "")) for id in tasks if id in found]


def _hunt_row(found: Hunt, number: str) -> Row:
    low, high = found.interval
    return {
        "Mutant": found.mutant or "none",
        "Bug": number,
        GOOD: bool(found.finds) == bool(found.mutant),
        "Seeds": found.seeds,
        "Finds": found.finds,
        "First": found.first,
        "Mean": _finite(found.mean_seeds),
        "From": _finite(low),
        "To": _finite(high),
        "CpuSeconds": _finite(found.mean_cpu_s),
        "Judges": found.judges,
    }


def _finite(number: float) -> float | None:
    return round(number, 3) if isfinite(number) else None


def _spread(jobs: int | None, tasks: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    """What each task returns, as far as they come before Ctrl-C. A task is a function and its arguments."""
    from concurrent.futures import as_completed

    from raftsim.sweep.spread import processes

    done: dict[str, Any] = {}
    with processes(jobs or os.cpu_count() or 1) as executor, Progress() as progress:
        futures = {executor.submit(*task): id for id, task in tasks.items()}
        try:
            for future in as_completed(futures):
                done[futures[future]] = future.result()
                progress.show(f"{len(done)} of {len(tasks)}")
        except KeyboardInterrupt:
            executor.shutdown(wait=False, cancel_futures=True)
    return done


def _table(rows: Sequence[Row]) -> list[str]:
    lines = [columnize(_cells(rows))]
    if rows and GOOD in rows[0]:
        good = sum(row[GOOD] for row in rows)
        lines += ["", f"{'PASS' if good == len(rows) else 'FAIL'}  {good} of {len(rows)}"]
    return lines


def _markdown(rows: Sequence[Row]) -> list[str]:
    header, *lines = _cells(rows)
    table = [f"| {' | '.join(line)} |" for line in (header, *lines)]
    return [table[0], "|---" * len(header) + "|", *table[1:]]


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    """The names of the columns, then what stands in them."""
    header = [key for key in rows[0] if key != GOOD] if rows else []
    return [header, *([_cell(row[key]) for key in header] for row in rows)]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _story(mutant: Mutant) -> str:
    title = f"{mutant.id} ({mutant.number}): {mutant.title}"
    return f"{title}\n\n{layout.prose(mutant.story)}\n\n  Source: {mutant.source}\n"
