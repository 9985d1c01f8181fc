"""`raftsim run`: scenarios, in virtual time or against real processes."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from raftsim.cli.go import Failure, GoCommand, option

if TYPE_CHECKING:
    from raftsim.scenario.model import Scenario
    from raftsim.scenario.play import Play
    from raftsim.scenario.report import Report
    from raftsim.scenario.stage import Line

BAD_INPUT = 2
EXIT_CODES = {"pass": 0, "violated": 1, "invalid": 3, "vacuous": 3, "unreachable": 4}
WORST_FIRST = ("violated", "unreachable", "invalid", "vacuous", "pass")  # a finding is never hidden by anything else
WORDS = {"pass": "PASS", "violated": "FAIL", "invalid": "INVALID", "vacuous": "VACUOUS", "unreachable": "ERROR"}
MAX_SEED = (1 << 63) - 1
FOLDER = "scenarios"


@click.command(
    "run",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Kill a leader in virtual time", "raftsim run scenarios/leader-crash.yaml"),
        ("Repeat a run exactly", "raftsim run scenarios/leader-crash.yaml -seed=42"),
        ("Keep every event of a run", "raftsim run leader-crash -seed=42 -trace=crash.jsonl.gz"),
        ("The same against real processes", "raftsim run scenarios/leader-crash.yaml -live"),
        ("See what a known bug would do", "raftsim run figure-8 -mutant=commit-prior-term"),
    ],
)
@click.argument("scenario", nargs=-1, required=True)
@option("seed", value="N", type=click.IntRange(0, MAX_SEED), help="Repeat the run with this seed. Default: a new one.")
@option("live", help="Run against real server processes on 127.0.0.1 instead of in virtual time.")
@option(
    "slack",
    value="X",
    type=click.FloatRange(1, 100),
    help="With -live: multiply every 'within' by X, for a slow machine. Default: 1.",
)
@option("trace", value="FILE", help="Write every event to FILE, compressed if its name ends in .gz.")
@option("mutant", value="ID", default="", help="Plant this bug first; 'raftsim mutants' lists them.")
@option("json", dest="as_json", help="Output one JSON object per scenario, each on one line.")
def run(
    *,
    scenario: tuple[str, ...],
    seed: int | None,
    live: bool,
    slack: float | None,
    trace: str | None,
    mutant: str,
    as_json: bool,
) -> int:
    """Run failover scenarios, in virtual time or against real processes.

    A scenario is a YAML file: a path, or the name of a file in ./scenarios. In virtual time every invariant of Raft is
    watched all along, and the same seed repeats a run exactly.

    The exit code is 0 when all pass, 1 when something was violated, 2 for a bad file or option (then nothing runs), 3
    when a run proves nothing because a step or a fault could not take effect, 4 when a cluster cannot be started or
    reached.
    """
    check_mutant(mutant)
    if mutant and live:
        click.get_current_context().fail("-mutant is of virtual time: no real server gets a bug planted")
    if slack is not None and not live:
        click.get_current_context().fail("-slack needs -live: virtual time is never slow")
    if trace is not None and live:
        click.get_current_context().fail("-trace is of virtual time: with -live nobody sees every event")
    if trace is not None and len(scenario) > 1:
        click.get_current_context().fail("-trace takes one scenario at a time")
    scenarios = load_all(scenario, live=live)
    if live:
        _unwind_on_signals()
    reports = [_play(found, seed, slack or 1.0, trace, mutant, live=live, as_json=as_json) for found in scenarios]
    if len(reports) > 1 and not as_json:
        print("\n" + "\n".join(f"{WORDS[report.verdict]:8}{report.file}" for report in reports))
    return EXIT_CODES[min((report.verdict for report in reports), key=WORST_FIRST.index)]


def check_mutant(id: str) -> None:
    """An empty id, or one of the catalogue."""
    if not id:
        return
    from raftsim.mutants.catalogue import CATALOGUE

    if id not in CATALOGUE:
        from raftsim.cli.go import closest

        guess = closest(id, list(CATALOGUE))
        end = f" (did you mean {guess}?)" if guess else "; 'raftsim mutants' lists them"
        click.get_current_context().fail(f"-mutant: there is no mutant {id!r}{end}")


def load_all(files: Sequence[str], *, live: bool) -> list[Scenario]:
    """All scenarios, or all that is wrong with them."""
    from raftsim.scenario.load import load
    from raftsim.scenario.play import only_simulated
    from raftsim.scenario.problems import BadScenario

    found, problems = [], []
    for file in files:
        try:
            scenario = load(_path(file))
        except BadScenario as bad:
            problems += bad.lines()
            continue
        found.append(scenario)
        if live and (keys := only_simulated(scenario)):
            problems.append(
                f"{scenario.file}: error: {', '.join(keys)} cannot be done with -live, only in virtual time"
            )
    if problems:
        errors = f"{len(problems)} error{'s' * (len(problems) > 1)}, nothing was run"
        raise Failure("\n".join([*problems, errors]), code=BAD_INPUT)
    return found


def _path(file: str) -> str:
    """A bare name that is no file here is looked for in ./scenarios."""
    if "/" in file or Path(file).is_file():
        return file
    return f"{FOLDER}/{file}" if file.endswith(".yaml") else f"{FOLDER}/{file}.yaml"


def _play(
    scenario: Scenario, seed: int | None, slack: float, trace: str | None, mutant: str, *, live: bool, as_json: bool
) -> Report:
    from raftsim.scenario.play import play_live
    from raftsim.scenario.traced import play_traced

    if seed is None:
        from secrets import randbelow

        seed = randbelow(1 << 32)
    world = "real processes" if live else "virtual time"
    if not as_json:
        title = scenario.about.partition(". ")[0]
        print("  ".join(filter(None, (scenario.name, title, f"(seed {seed}, {world})"))), flush=True)
    if live:
        print(f"==> {scenario.name}: starting {scenario.cluster.nodes} servers", file=sys.stderr)

    def tell(line: Line) -> None:
        if not as_json:
            print(f"{line.time_s:9.3f}s  {line.text}", flush=live)

    if live:
        report = play_live(scenario, seed, slack, tell)
    else:
        play = _player(mutant)
        report = play(scenario, seed, tell) if trace is None else play_traced(scenario, seed, tell, trace, play, mutant)
    if as_json:
        print(json.dumps(report.plain()), flush=True)
    else:
        print("\n".join(_verdict(report, mutant, live=live)), flush=True)
    return report


def _player(mutant: str) -> Play:
    if mutant:  # else the catalogue need not be loaded
        from raftsim.mutants.planted import player

        return player(mutant)
    from raftsim.scenario.play import play_simulated

    return play_simulated


def _verdict(report: Report, mutant: str, *, live: bool) -> list[str]:
    from raftsim.mutants.mutant import flag
    from raftsim.scenario.writes import tell

    word = WORDS[report.verdict]
    lines = []
    if report.reason:
        place = f"{report.file}:{report.line}: " if report.line else ""
        lines.append(f"{word}  {place}{report.reason}")
        word = " " * len(word)
    time = f"{report.wall_s:.1f} s" if live else f"{report.virtual_s:.1f} virtual s in {report.wall_s * 1000:.0f} ms"
    events = "" if report.events is None else f", {report.events:,} events"
    seen = f"{_count(report.expectations, 'expectation')}, {_count(report.elections, 'election')}"
    counts = f"{seen}, {tell(report.writes)}{events}"
    lines.append(f"{word}  {counts}, {time}")
    lines.append(f"Replay: raftsim run {report.file} -seed={report.seed}{' -live' * live}{flag(mutant)}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _unwind_on_signals() -> None:
    """End by unwinding when asked to end, as Ctrl-C does, so that no server and no directory is left behind."""

    def leave(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
