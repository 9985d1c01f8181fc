"""What the commands that read traces share: one event on a line, and what a bad file means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from raftsim.cli.go import Failure
from raftsim.trace.file import BadTrace, Record, TraceReader
from raftsim.trace.names import Names
from raftsim.trace.sentences import sentence

BAD_INPUT = 2


def event_line(record: Record, names: Names) -> str:
    """Time, number and sentence of one event."""
    return f"{record.time:9.3f}s {record.seq:6}  {sentence(record, names)}"


def all_names(path: str) -> Names:
    """The names of all servers in a file, which was read to its end and is a whole trace. Raises BadTrace."""
    with TraceReader(path) as trace:
        names = Names(trace.header.servers)
        for record in trace:
            names.learn(record)
    return names


@contextmanager
def bad_traces() -> Iterator[None]:
    """A file that is no whole trace ends the command with one line."""
    try:
        yield
    except BadTrace as bad:
        raise Failure(str(bad), code=BAD_INPUT) from None
