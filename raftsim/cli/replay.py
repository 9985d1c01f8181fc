"""`raftsim replay`: a trace, run again."""

from __future__ import annotations

import click

from raftsim.cli.go import Failure, GoCommand

SAME, DIFFERENT, BAD_INPUT = 0, 1, 2


@click.command(
    "replay",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[("Run a trace again", "raftsim replay crash.jsonl.gz")],
)
@click.argument("file")
def replay(*, file: str) -> int:
    """Run a trace again and tell whether it is the same.

    A trace holds the scenario and the seed it was made with. Every event of the new run is compared with the recorded
    one; the first that differs is told. The same version of raftsim always gives the same run.

    The exit code is 0 when the run is the same, 1 when it differs, 2 for a file that is no whole trace.
    """
    from raftsim.cli.traces import all_names, bad_traces, event_line
    from raftsim.mutants.catalogue import CATALOGUE
    from raftsim.mutants.planted import player
    from raftsim.scenario.problems import BadScenario
    from raftsim.scenario.traced import replay
    from raftsim.trace.file import TraceReader
    from raftsim.trace.sentences import printable

    try:
        with bad_traces():
            with TraceReader(file) as trace:
                mutant = trace.header.mutant
            if mutant and mutant not in CATALOGUE:
                raise Failure(f"{file}: its mutant {printable(mutant)!r} is not known to this version", code=BAD_INPUT)
            header, report, difference = replay(file, player(mutant))
    except BadScenario as bad:
        raise Failure("\n".join(bad.lines()), code=BAD_INPUT) from None
    title = f"{report.name} (seed {report.seed}{f', mutant {mutant}' * bool(mutant)})"
    if difference is None:
        print(f"SAME    {title}: {report.verdict}, digest {report.digest}")
        return SAME
    names = all_names(file)
    print(f"DIFFERS {title}: the first event that is not the same")
    for word, record in (("recorded", difference.left), ("now", difference.right)):
        print(f"{word:9}{'the run has ended' if record is None else event_line(record, names)}")
    print(f"The trace was made by raftsim {printable(header.version)}.")
    return DIFFERENT
