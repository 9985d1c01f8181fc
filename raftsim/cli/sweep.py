"""`raftsim sweep`: many seeds of the swarm, or of a scenario."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import columnize, show_json
from raftsim.cli.progress import Progress
from raftsim.cli.run import MAX_SEED, check_mutant, load_all

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from raftsim.sweep.result import Result
    from raftsim.sweep.state import Folder
    from raftsim.sweep.subjects import Story, Subject, Swarm
    from raftsim.sweep.tally import Tally

PASS, VIOLATED, BAD_INPUT, VACUOUS, BROKEN, INTERRUPTED = 0, 1, 2, 3, 4, 130
MAX_SEEDS: Final = 1_000_000  # in one sweep
MAX_STORM_S: Final = 3600.0
SAVE_EVERY_S: Final = 5.0
SHOWN: Final = 20  # different failures; all of them are in the JSON
SWARM: Final = "swarm"
KEEP: Final = ("failures", "all", "none")


@click.command(
    "sweep",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Run a hundred seeds of everything at random", "raftsim sweep swarm"),
        ("Look for a seed with which a scenario fails", "raftsim sweep leader-crash -seeds=0..9999"),
        ("Go on with a sweep that was interrupted", "raftsim sweep swarm -seeds=0..9999 -resume"),
        ("See how soon a planted bug is found", "raftsim sweep swarm -storm=15s -mutant=commit-prior-term"),
        ("Spread it over a Dask cluster", "raftsim sweep swarm -seeds=0..99999 -executor=dask://10.0.0.5:8786"),
    ],
)
@click.argument("subject", metavar="SCENARIO|swarm")
@option("seeds", value="A..B", default="0..99", help="The first and the last seed. Default: 0..99.")
@option("storm", value="DURATION", help="With swarm: how long the faults last in virtual time. Default: 1m.")
@option("mutant", value="ID", default="", help="Plant this bug first; 'raftsim mutants' lists them.")
@option("j", value="N", type=click.IntRange(1, 256), help="Processes to work in. Default: one for each core.")
@option(
    "executor",
    value="NAME",
    default="",
    help="Work elsewhere: dask://HOST:PORT, or module:factory for a concurrent.futures.Executor of your own; -j is then"
    " how many workers it has.",
)
@option("resume", help="Go on with the same sweep where it was interrupted.")
@option(
    "keep",
    value="WHICH",
    type=click.Choice(KEEP),
    default="failures",
    help="Keep the results of 'failures', 'all' or 'none' of the seeds as files in -dir. Default: failures.",
)
@option(
    "dir", dest="folder", value="DIR", default="", help="Where the sweep keeps its files. Default: in $RAFTSIM_HOME."
)
@option("json", dest="as_json", help="Output the result as JSON.")
@option("junit", value="FILE", default="", help="Write the result to this file in JUnit's format.")
def sweep(
    *,
    subject: str,
    seeds: str,
    storm: str | None,
    mutant: str,
    j: int | None,
    executor: str,
    resume: bool,
    keep: str,
    folder: str,
    as_json: bool,
    junit: str,
) -> int:
    """Run many seeds of a scenario, or of the swarm, and tell what they have in common.

    In the swarm all is drawn from the seed: servers, settings, network, disks, clients, and a minute of faults in
    virtual time. Then all is mended, or only a majority, which must work again; nothing acknowledged may be lost, and
    what the clients saw must be linearizable. Failures are told apart by what was violated, with one line each to see
    it again. What was never seen was not tested.

    The exit code is 0 when all seeds pass, 1 when something was violated, 2 for bad input, 3 when nothing was violated
    but some runs prove nothing, 4 when the workers fail, 130 after Ctrl-C, which tells what was found so far.
    """
    check_mutant(mutant)
    chosen, found = subject_of(subject, storm, mutant), seeds_of(seeds)
    job = _Sweep(chosen, found, _folder(folder, chosen, found), keep, f" -executor={executor}" if executor else "")
    began = time.perf_counter()
    job.prepare(resume=resume)
    code = job.run(executor, j or os.cpu_count() or 1)
    wall_s = time.perf_counter() - began
    if junit:
        from raftsim.sweep import report

        Path(junit).write_text(report.junit(chosen, job.tally, wall_s), encoding="utf-8")
    job.show(wall_s, as_json=as_json)
    return code or job.code()


class _Sweep:
    """One sweep: what it is of, what it has found, and where it keeps that."""

    def __init__(self, subject: Subject, seeds: range, folder: Folder, keep: str, how: str) -> None:
        from raftsim.sweep.tally import Tally

        self.subject = subject
        self.seeds = seeds
        self.folder = folder
        self.tally: Tally = Tally()
        self._keep = keep
        self._how = how  # is added to replay lines
        self._last: Result | None = None
        self._saved = time.monotonic()
        self._began, self._before = self._saved, 0

    def prepare(self, *, resume: bool) -> None:
        from raftsim.sweep.state import BadState

        if not resume:
            self.folder.begin()
            return
        try:
            self.tally = self.folder.load()
        except BadState as bad:
            raise Failure(str(bad), code=BAD_INPUT) from None
        self._before = len(self.tally.done)

    def run(self, executor: str, workers: int) -> int:
        """Run all seeds that are not done. Returns an exit code if that came to an early end, else 0."""
        from concurrent.futures import BrokenExecutor

        from raftsim.sweep.spread import spread

        code, rest = 0, (seed for seed in self.seeds if seed not in self.tally.done)
        try:
            with _executor(executor, workers) as pool, Progress() as self.progress:
                spread(self.subject, rest, pool, workers, self._take)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except BrokenExecutor as error:
            print(f"the workers failed: {error}", file=sys.stderr)
            code = BROKEN
        self.folder.save(self.tally)
        return code

    def code(self) -> int:
        from raftsim.sweep import result

        if self.tally.count(result.FAILED):
            return VIOLATED
        return VACUOUS if self.tally.count(result.VACUOUS) else PASS

    def show(self, wall_s: float, *, as_json: bool) -> None:
        from raftsim.sweep import report

        if as_json:
            show_json(report.plain(self.subject, self.seeds, self.tally, wall_s))
        else:
            print("\n".join(_lines(self, wall_s)))

    def replay(self, seed: int) -> str:
        line = self.subject.replay(seed)
        return line + self._how if line.startswith("raftsim sweep") else line

    @property
    def rest(self) -> int:
        return len(self.seeds) - len(self.tally.done)

    @property
    def alone(self) -> Result | None:
        """The result, if the sweep is of one seed."""
        return self._last if len(self.seeds) == 1 else None

    def _take(self, result: Result) -> None:
        from raftsim.sweep.result import FAILED
        from raftsim.sweep.result import PASS as PASSED

        tally = self.tally
        tally.add(result)
        self._last = result
        if self._keep == "all" or (self._keep == "failures" and result.verdict != PASSED):
            self.folder.keep(result)
        now, done = time.monotonic(), len(tally.done)
        rate = (done - self._before) / max(now - self._began, 0.001)
        failures = tally.count(FAILED)
        self.progress.show(f"{done:,} of {len(self.seeds):,} seeds, {_count(failures, 'failure')}, {rate:.1f} seeds/s")
        if now - self._saved > SAVE_EVERY_S:
            self.folder.save(tally)
            self._saved = now


def subject_of(name: str, storm: str | None, mutant: str) -> Swarm | Story:
    """What the argument and the options name."""
    from raftsim.sweep.subjects import Story, Swarm

    if name == SWARM:
        return Swarm(mutant=mutant) if storm is None else Swarm(storm_seconds(storm), mutant)
    if storm is not None:
        click.get_current_context().fail("-storm is of the swarm: a scenario says itself how long it takes")
    (scenario,) = load_all([name], live=False)
    return Story(scenario.file, scenario.text, mutant)


def storm_seconds(text: str) -> float:
    """What -storm says, in seconds."""
    from raftsim.agent.durations import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError as error:
        click.get_current_context().fail(f"-storm: {error}")
    if not 0 < seconds <= MAX_STORM_S:
        click.get_current_context().fail(f"-storm: must be more than 0s and at most {MAX_STORM_S:g}s, got {text}")
    return seconds


def seeds_of(text: str) -> range:
    """What -seeds says."""
    match = re.fullmatch(r"(\d{1,19})(?:\.\.(\d{1,19}))?", text)
    fail = click.get_current_context().fail
    if match is None:
        fail(f"-seeds: expected A..B, such as 0..999, got {text!r}")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= MAX_SEED:
        fail(f"-seeds: the last must not be less than the first, nor more than {MAX_SEED}, got {text}")
    if last - first >= MAX_SEEDS:
        fail(f"-seeds: at most {MAX_SEEDS:,} in one sweep, got {last - first + 1:,}")
    return range(first, last + 1)


def _folder(path: str, subject: Subject, seeds: range) -> Folder:
    from raftsim.cluster.home import state_folder
    from raftsim.sweep.state import Folder

    return Folder(Path(path) if path else state_folder() / "sweeps" / subject.name, subject, seeds)


@contextmanager
def _executor(name: str, workers: int) -> Iterator[Executor]:
    from raftsim.sweep.executors import BadExecutor, executor_of
    from raftsim.sweep.spread import Inline, processes

    if not name:
        with Inline() if workers == 1 else processes(workers) as executor:
            yield executor
        return
    try:
        with executor_of(name) as executor:
            yield executor
    except BadExecutor as bad:
        raise Failure(f"-executor: {bad}", code=BAD_INPUT) from None


def _lines(job: _Sweep, wall_s: float) -> list[str]:
    from raftsim.shrink.storm import OF_CLIENTS
    from raftsim.sweep import report, result
    from raftsim.sweep.subjects import EXCEPTION

    tally, lines = job.tally, []
    groups = tally.ordered()
    for name, group in groups[:SHOWN]:
        word = "FAIL" if group.verdict == result.FAILED else "VACUOUS"
        first = min(group.seeds)
        lines += [f"{word}  {_count(len(group.seeds), 'seed')}: {name}"]
        lines += [
            f"    seed {first}, {line}" if number == 0 else f"    {line}"
            for number, line in enumerate(group.text.splitlines())
        ]
        lines += [f"    Replay: {job.replay(first)}"]
        if group.verdict == result.FAILED and group.judge not in (EXCEPTION, *OF_CLIENTS):
            lines += [f"    Shrink: {job.subject.shrink(first)}"]
        lines += [""]
    if len(groups) > SHOWN:
        lines += [f"and {len(groups) - SHOWN} more different ones (-json has them all)", ""]
    if job.alone is not None and job.alone.drawn:
        import json

        lines += [f"Drawn: {json.dumps(job.alone.drawn)}", f"Digest: {job.alone.digest}", ""]
    rows = [(f"in {_count(tally.seen[fact][0], 'seed')}", fact) for fact in job.subject.facts if fact in tally.seen]
    rows += [("never seen", fact) for fact in report.never_seen(job.subject, tally)]
    lines += [_indented(rows), ""]
    failed, vacuous = tally.count(result.FAILED), tally.count(result.VACUOUS)
    word = "FAIL" if failed else "VACUOUS" if vacuous else "STOPPED" if job.rest else "PASS"
    counts = (
        f"{tally.passed:,} of {_count(len(tally.done), 'seed')} passed, {failed:,} failed, {vacuous:,} prove nothing"
    )
    lines.append(f"{word}  {job.subject.name}: {counts}")
    lines.append(f"      {tally.events:,} events, {tally.virtual_s:,.0f} virtual s in {wall_s:.1f} s")
    if job.rest:
        lines.append(f"      {job.rest:,} not done; to go on, give the same command with -resume")
    return lines


def _indented(rows: list[tuple[str, str]]) -> str:
    """The rows as a table, two spaces to the right."""
    return "\n".join("  " + line for line in columnize(rows).split("\n"))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
