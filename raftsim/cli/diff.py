"""`raftsim diff`: where two traces part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from raftsim.cli.go import GoCommand

if TYPE_CHECKING:
    from raftsim.trace.chain import Chain
    from raftsim.trace.file import Record

SAME, DIFFERENT, BAD_INPUT = 0, 1, 2
BEFORE = 3  # events told before the first that differs
CAUSES = 12  # of a chain of causes, those nearest to the event


@click.command(
    "diff",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[("Compare two runs", "raftsim diff monday.jsonl.gz tuesday.jsonl.gz")],
)
@click.argument("a")
@click.argument("b")
def diff(*, a: str, b: str) -> int:
    """Find the first event in which two traces differ.

    Told are the events just before it, which both have, then for each trace the event and its causes.

    The exit code is 0 when all events are the same, 1 when some differ, 2 for a file that is no whole trace.
    """
    from raftsim.cli.traces import all_names, bad_traces, event_line
    from raftsim.trace.chain import Chain
    from raftsim.trace.compare import first_difference
    from raftsim.trace.file import TraceReader

    with bad_traces():
        with TraceReader(a) as left, TraceReader(b) as right:
            found = first_difference(left, right)
            if found is None:
                print(f"SAME    all {left.ending.events:,} events are the same")
                return SAME
            names = all_names(a), all_names(b)
            seeds = left.header.seed, right.header.seed
        first = next(record.seq for record in (found.left, found.right) if record is not None)
        chain = Chain()
        before: list[Record] = []
        with TraceReader(a) as trace:
            for record in trace:
                if record.seq >= first:
                    break
                chain.note(record)
                before = [*before[1 - BEFORE :], record]
        print(f"DIFFERS in event {first}. Before it, in both:")
        for record in before:
            print(event_line(record, names[0]))
        for path, seed, other, named in zip((a, b), seeds, (found.left, found.right), names, strict=True):
            print(f"In {path} (seed {seed}):")
            if other is None:
                print("the trace has ended")
                continue
            for told in _with_causes(a, other, chain):
                print(event_line(told, named))
    return DIFFERENT


def _with_causes(path: str, record: Record, common: Chain) -> list[Record]:
    """The event and its causes, which are before the first difference, so in both files."""
    from raftsim.trace.chain import pick

    causes = common.back_from(record.cause)[:CAUSES] if record.cause is not None else []
    records = pick(path, set(causes))
    return [record, *(records[seq] for seq in causes)]
