"""`raftsim shrink`: from a run that fails to the smallest scenario found that fails by the same judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.progress import Progress
from raftsim.cli.run import MAX_SEED, check_mutant
from raftsim.cli.sweep import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from raftsim.shrink.result import Result
    from raftsim.shrink.shrinker import Budget, Shrinker
    from raftsim.sweep.subjects import Story, Swarm

SHRUNK, BAD_INPUT, NOTHING, INTERRUPTED = 0, 2, 3, 130
MAX_RUNS: Final = 1_000_000


@click.command(
    "shrink",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Shrink a scenario that fails with seed 7", "raftsim shrink too-much.yaml -seed=7 -o small.yaml"),
        ("Tell a failing seed of the swarm as a scenario", "raftsim shrink swarm -seed=25 -o small.yaml"),
        ("See what brings a known bug about", "raftsim shrink swarm -seed=5 -storm=4s -mutant=count-own-unsynced"),
        ("See the result as it is after 200 runs", "raftsim shrink too-much.yaml -seed=7 -budget=200"),
    ],
)
@click.argument("subject", metavar="SCENARIO|swarm")
@option("seed", value="N", type=click.IntRange(0, MAX_SEED), required=True, help="The seed that fails.")
@option("storm", value="DURATION", help="With swarm: how long its faults last, as the sweep was told. Default: 1m.")
@option("mutant", value="ID", default="", help="Plant this bug first; 'raftsim mutants' lists them.")
@option("o", dest="file", value="FILE", default="", help="Write the scenario to FILE instead of standard output.")
@option(
    "budget",
    value="RUNS",
    type=click.IntRange(1, MAX_RUNS),
    default=2000,
    help="Stop after so many runs, with the smallest found. Default: 2000.",
)
@option("json", dest="as_json", help="Output the result as JSON.")
def shrink(*, subject: str, seed: int, storm: str | None, mutant: str, file: str, budget: int, as_json: bool) -> int:
    """Reduce a run that fails to the smallest scenario found that fails by the same judge.

    Steps, servers, settings, clients and times are left out or made smaller as long as the same invariant is violated,
    or the same demand is not met while as much is broken and as much time is given as at first. Of a run of the swarm,
    what it did to its servers and asked of them is told as a scenario first. The result says above its first line what
    happens in it, and how many of 20 seeds fail so.

    With -mutant nothing is kept that fails by this judge without the bug too.

    The exit code is 0 when there is a result (also after the whole budget), 2 for bad input, 3 when nothing fails with
    this seed, or when the run cannot be told as a scenario, 130 after Ctrl-C, with the smallest found so far.
    """
    from raftsim.shrink.shrinker import Budget, DoesNotFail, Spent
    from raftsim.shrink.storm import NotTold

    check_mutant(mutant)
    chosen, runs = subject_of(subject, storm, mutant), Budget(budget)
    try:
        with Progress() as progress:
            shrinker, ended = _shrink(chosen, seed, runs, progress)
    except (DoesNotFail, NotTold) as nothing:
        raise Failure(f"{subject}: {nothing}", code=NOTHING) from None
    except Spent:
        raise Failure(f"{subject}: {budget} runs are too few to see it fail again", code=NOTHING) from None
    result = _result(shrinker, file, ask_seeds=ended != INTERRUPTED)
    complete = not (ended or runs.spent)
    plain = {**result.plain(), "runs": runs.done, "complete": complete} if as_json else None
    _show(result, _summary(result, len(shrinker.start["steps"]), runs, ended), plain, file)
    return ended


def _shrink(subject: Swarm | Story, seed: int, runs: Budget, progress: Progress) -> tuple[Shrinker, int]:
    """The search, and the exit code it has ended with."""
    from raftsim.shrink.bench import Bench
    from raftsim.shrink.shrinker import Shrinker
    from raftsim.shrink.storm import Storm
    from raftsim.sweep.subjects import Swarm

    ended, bench = SHRUNK, Bench(subject.mutant)
    if isinstance(subject, Swarm):
        storm = Storm(bench.record(seed, subject.storm_s), seed, bench, runs, progress.show)
        ended = _run(storm.run)
        text, seed = storm.scenario()
    else:
        text = subject.text
    shrinker = Shrinker(text, seed, bench, runs, progress.show)
    return shrinker, ended or _run(shrinker.run)


def _run(search: Callable[[], object]) -> int:
    """Ctrl-C ends a search; what it has found stands."""
    try:
        search()
    except KeyboardInterrupt:
        return INTERRUPTED
    return SHRUNK


def _result(shrinker: Shrinker, file: str, *, ask_seeds: bool) -> Result:
    from raftsim.shrink.result import SEEDS, result_of

    name = file or f"{shrinker.best.document['name']}.yaml"
    return result_of(shrinker, name, shrinker.seeds(SEEDS) if ask_seeds else None)


def _summary(result: Result, steps: int, runs: Budget, ended: int) -> str:
    word = "STOPPED" if ended == INTERRUPTED else "SPENT" if runs.spent else "SHRUNK"
    lines = [
        f"{word}  {steps} steps to {result.steps}, in {runs.done:,} runs",
        f"{'':{len(word)}}  {result.judge}: {result.reason}",
    ]
    if result.failing is not None:
        from raftsim.shrink.result import SEEDS

        lines.append(f"{'':{len(word)}}  {result.failing} of {SEEDS} seeds fail so")
    return "\n".join([*lines, f"Replay: {result.replay}"])


def _show(result: Result, summary: str, plain: dict[str, Any] | None, file: str) -> None:
    """Write the file, and tell of it; with `plain`, as JSON."""
    if file:
        try:
            Path(file).write_text(result.text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"-o: {file} cannot be written: {error.strerror}", code=BAD_INPUT) from None
    if plain is not None:
        print(json.dumps(plain))
    elif file:
        print(summary)
    else:
        print(result.text, end="")
        print(summary, file=sys.stderr)
