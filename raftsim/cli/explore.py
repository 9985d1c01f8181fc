"""`raftsim explore`: every run of a small cluster, up to stated bounds."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from raftsim.cli.go import Failure, GoCommand, option
from raftsim.cli.output import show_json
from raftsim.cli.progress import Progress

if TYPE_CHECKING:
    from raftsim.explore.search import Explorer, Result

PASS, VIOLATED, BAD_INPUT, INCOMPLETE = 0, 1, 2, 3


@click.command(
    "explore",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("See every order of events in two terms", "raftsim explore -terms=2 -entries=0 -crashes=0"),
        ("Let one server crash at any moment", "raftsim explore -terms=1 -entries=1 -crashes=1"),
        ("Let links hold two messages, in any order", "raftsim explore -terms=1 -entries=1 -inflight=2"),
        ("See that there are no dead ends", "raftsim explore -entries=0 -crashes=1 -reachable"),
        ("Keep the way to a violation", "raftsim explore -scenario=found.yaml"),
    ],
)
@option("nodes", value="N", type=int, default=3, help="Servers, at most 5. Default: 3.")
@option("terms", value="N", type=int, default=2, help="No server stands for election beyond this term. Default: 2.")
@option("entries", value="N", type=int, default=1, help="Commands proposed, in all. Default: 1.")
@option("crashes", value="N", type=int, default=0, help="Crashes, of all servers together. Default: 0.")
@option("inflight", value="N", type=int, default=1, help="Messages on a link at a time; more are lost. Default: 1.")
@option("drop", help="Let messages get lost. Without it they may only be late for ever.")
@option("duplicate", help="Let messages arrive any number of times.")
@option("max-states", value="N", type=int, default=20_000_000, help="Give up beyond so many. Default: 20000000.")
@option("reachable", help="See, too, that there are no dead ends.")
@option("full", help="Do without the reductions: see all that differs in anything, at several times the cost.")
@option("scenario", value="FILE", help="If something is violated, write the way there as a scenario.")
@option("json", dest="as_json", help="Output the result as JSON.")
def explore(*, reachable: bool, full: bool, scenario: str | None, as_json: bool, **bounds: Any) -> int:
    """Explore every run of a small cluster instead of a random one.

    The servers are those of every other command; what is explored is the order in which timers fire, messages arrive,
    clients propose and servers crash. Time is not explored: any timer may fire at any moment, and pre-vote,
    check-quorum and stickiness, which look at the clock, are off. The membership does not change. States that differ
    only by the servers' names count once, and so do those that differ by what no rule reads any more.

    With -reachable it is seen, too, that from every state that leaves a whole term to all, a leader can still be
    elected, and all logs can still be committed everywhere. With -scenario the way to a violation becomes a file for
    'raftsim run', which is played at once to see whether it leads there.

    The exit code is 0 when every state within the bounds was seen and nothing was violated, 1 when an invariant is
    violated (the shortest way there is told), 2 for bad bounds, 3 when there are more states than -max-states.
    """
    from raftsim.explore.bounds import Bounds
    from raftsim.explore.reach import Mapper
    from raftsim.explore.search import Explorer

    try:
        explorer = (Mapper if reachable else Explorer)(Bounds(**bounds), reduced=not full)
    except ValueError as error:
        click.get_current_context().fail(f"-{str(error).replace('_', '-')}")
    began = time.perf_counter()
    with Progress() as progress:
        result = explorer.run(
            lambda depth, states, steps: progress.show(f"depth {depth}, {states:,} states, {steps:,} steps")
        )
    seconds = time.perf_counter() - began
    if as_json:
        show_json(_plain(explorer, result, seconds))
    else:
        print("\n".join(_lines(explorer, result, seconds)))
    if result.violation is None:
        return PASS if result.complete else INCOMPLETE
    if scenario is not None:
        _write_scenario(explorer, result, scenario)
    return VIOLATED


def _write_scenario(explorer: Explorer, result: Result, file: str) -> None:
    """Write the way to the violation, play it, and say on stderr where it leads."""
    from raftsim.explore.reach import Mapper
    from raftsim.explore.scenario import CannotBeTold, as_scenario
    from raftsim.scenario.load import parse
    from raftsim.scenario.play import play_simulated
    from raftsim.scenario.problems import BadScenario

    assert result.violation is not None
    goal = explorer.goal if isinstance(explorer, Mapper) else None
    condition = goal.condition if goal is not None else ""
    try:
        text = as_scenario(explorer.worlds, result.story, result.violation, condition)
        played = play_simulated(parse(text, file), 0, lambda _: None)
        Path(file).write_text(text, encoding="utf-8")
    except CannotBeTold as reason:
        raise Failure(f"No scenario was written: {reason}.") from None
    except BadScenario as bad:
        raise Failure("\n".join(["No scenario was written: it would be", *bad.lines()])) from None
    except OSError as error:
        raise Failure(f"{file}: error: cannot be written: {error.strerror}") from None
    where = played.reason or "it violates nothing there: times and rounds, which were not explored, are in its way"
    print(f"{file} was written. Played: {where}", file=sys.stderr)


def _story(explorer: Explorer, result: Result) -> list[str]:
    from raftsim.explore.story import sentence

    return [sentence(explorer.worlds, before, action) for before, action in result.story]


def _plain(explorer: Explorer, result: Result, seconds: float) -> dict[str, Any]:
    from raftsim.explore.properties import SOMETIMES

    violation = result.violation
    return {
        "States": result.states,
        "Steps": result.steps,
        "Depth": result.depth,
        "Complete": result.complete,
        "Seconds": round(seconds, 3),
        "Seen": result.seen.first,
        "NeverSeen": [name for name in SOMETIMES if name not in result.seen.first],
        "Violation": None if violation is None else {"Invariant": violation.invariant, "Text": violation.text},
        "Story": _story(explorer, result),
    }


def _lines(explorer: Explorer, result: Result, seconds: float) -> list[str]:
    from raftsim.explore.properties import SOMETIMES
    from raftsim.explore.reach import GOALS, Mapper

    rate = f"{result.states / seconds:,.0f} states/s, {result.steps / seconds:,.0f} steps/s"
    lines = [f"{result.states:,} states, {result.steps:,} steps, depth {result.depth}, {seconds:.1f} s ({rate})"]
    for name in SOMETIMES:
        depth = result.seen.first.get(name)
        lines.append(f"  never seen      {name}" if depth is None else f"  seen at {depth:<6}  {name}")
    if result.violation is not None:
        story = [f"{number:4}  {text}" for number, text in enumerate(_story(explorer, result), 1)]
        return [*lines, f"VIOLATED  {result.violation.invariant}: {result.violation.text}", *story]
    if not result.complete:
        return [*lines, "INCOMPLETE  there are more states than -max-states; nothing was violated in those seen"]
    lines += [f"  always          {goal.name}" for goal in GOALS if isinstance(explorer, Mapper)]
    return [*lines, "PASS  every state within the bounds was seen"]
