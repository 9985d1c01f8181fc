"""`raftsim export`: a trace for other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import click

from raftsim.cli.go import Failure, GoCommand, option

if TYPE_CHECKING:
    from raftsim.trace.file import TraceReader
    from raftsim.trace.names import Names

BAD_INPUT = 2


@click.command(
    "export",
    cls=GoCommand,
    usage_code=BAD_INPUT,
    examples=[
        ("See a run on a time line", "raftsim export perfetto crash.jsonl.gz -out=crash.json"),
        ("Have Knossos judge it", "raftsim export edn crash.jsonl.gz -out=history.edn"),
    ],
)
@click.argument("form", metavar="FORMAT")
@click.argument("file")
@option("out", value="FILE", help="Write to FILE instead of standard output.")
def export(*, form: str, file: str, out: str | None) -> None:
    """Write a trace in the form of another tool.

    The formats are:

      shiviz      events with vector clocks, for ShiViz
      perfetto    roles, messages, writes and requests on a time line, for
                  ui.perfetto.dev and chrome://tracing
      edn         what clients saw, for Jepsen's checkers
      porcupine   what clients saw, for Porcupine: one JSON object a line
      etcd-tla    for the trace validation of etcd's TLA+ specification

    The exit code is 1 for a run that the format cannot say, 2 for a file that is no whole trace; nothing is written
    then.
    """
    from raftsim.cli.traces import all_names, bad_traces
    from raftsim.trace.export.operations import NoRegister
    from raftsim.trace.file import TraceReader

    if form not in _FORMATS:
        click.get_current_context().fail(f'There is no format "{form}". There are: {", ".join(_FORMATS)}')
    with bad_traces():
        names = all_names(file)
        with TraceReader(file) as trace:
            try:
                _write(_FORMATS[form](trace, names), out)
            except NoRegister as error:
                raise Failure(f"{file}: {error}") from None


def _write(lines: Iterator[str], out: str | None) -> None:
    first = next(lines, None)  # whatever a format cannot say is known by now
    if out is None:
        for line in chain([] if first is None else [first], lines):
            print(line)
        return
    with open(out, "w", encoding="utf-8", errors="backslashreplace") as file:
        if first is not None:
            file.write(first + "\n")
        file.writelines(line + "\n" for line in lines)


def _shiviz(trace: TraceReader, names: Names) -> Iterator[str]:
    from raftsim.trace.export.shiviz import lines

    return lines(trace, names)


def _perfetto(trace: TraceReader, names: Names) -> Iterator[str]:
    from raftsim.trace.export.perfetto import lines

    return lines(trace, names)


def _edn(trace: TraceReader, _: Names) -> Iterator[str]:
    from raftsim.machine.variables import decode_command
    from raftsim.trace.export.edn import lines

    return lines(trace, decode_command)


def _porcupine(trace: TraceReader, _: Names) -> Iterator[str]:
    from raftsim.machine.variables import decode_command
    from raftsim.trace.export.porcupine import lines

    return lines(trace, decode_command)


def _etcd_tla(trace: TraceReader, names: Names) -> Iterator[str]:
    from raftsim.trace.export.etcd_tla import lines

    return lines(trace, names)


_FORMATS: dict[str, Callable[[TraceReader, Names], Iterator[str]]] = {
    "shiviz": _shiviz,
    "perfetto": _perfetto,
    "edn": _edn,
    "porcupine": _porcupine,
    "etcd-tla": _etcd_tla,
}
