"""`raftsim explain`: a trace in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from raftsim.cli.go import Failure, GoCommand

if TYPE_CHECKING:
    from raftsim.trace.file import Record

BAD_INPUT = 2


@click.command(
    "explain",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("Tell what happened in a run", "raftsim explain crash.jsonl.gz"),
        ("Tell how it came to event 412", "raftsim explain crash.jsonl.gz 412"),
    ],
)
@click.argument("file")
@click.argument("event", required=False, type=click.IntRange(min=1))
def explain(*, file: str, event: int | None) -> None:
    """Tell a trace, or the causes of one of its events, in sentences.

    Without EVENT, the story of the run: who led, what was committed, which configuration was in force, what was done to
    the servers, which requests were not answered ok, and how it ended. The number before each sentence is the event's.

    With the number of an EVENT, the event, what caused it, what caused that, and so on, back to a timer, a client or a
    hand on the world.

    The exit code is 2 for a file that is no whole trace, and for an event it does not have.
    """
    from raftsim.cli.traces import bad_traces

    with bad_traces():
        for line in _story(file) if event is None else _causes(file, event):
            print(line)


def _story(file: str) -> Iterator[str]:
    from raftsim.cli.traces import all_names, event_line
    from raftsim.trace.file import TraceReader
    from raftsim.trace.sentences import printable
    from raftsim.trace.story import story

    names = all_names(file)
    with TraceReader(file) as trace:
        yield f"{printable(trace.header.file)} (seed {trace.header.seed})"
        for record in story(trace):
            yield event_line(record, names)
        reason = f": {trace.ending.reason}" if trace.ending.reason else ""
        yield f"{trace.ending.events:,} events; {printable(trace.ending.verdict + reason)}"


def _causes(file: str, event: int) -> Iterator[str]:
    from raftsim.cli.traces import event_line
    from raftsim.trace.chain import Chain, pick
    from raftsim.trace.file import TraceReader
    from raftsim.trace.names import Names

    chain = Chain()
    with TraceReader(file) as trace:
        names = Names(trace.header.servers)
        for record in trace:
            names.learn(record)
            chain.note(record)
    if event > len(chain):
        raise Failure(f"{file} has {len(chain)} events; there is no event {event}", code=BAD_INPUT)
    back = chain.back_from(event)
    records = pick(file, set(back))
    for number in back:
        yield event_line(records[number], names)
    yield f"{'':17} {_root(records[back[-1]])}"


def _root(record: Record) -> str:
    from raftsim.trace import events

    if record.kind == events.REQUEST:
        return "a client, or an operator, wanted that"
    if record.kind == events.FAULT or record.kind in (events.PAUSE, events.RESUME, events.WIPE):
        return "the scenario wanted that"
    if record.kind in (events.START, events.CONFIG):
        return "the run began so"
    if record.kind in (events.ROLE, events.SEND):
        return "its timer ran out, or a link was made or lost"
    return "no event of this trace caused that"
