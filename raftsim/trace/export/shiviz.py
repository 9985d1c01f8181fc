"""For ShiViz, which draws who knew of what: two lines an event, `host {vector clock}` and the event.

Its parser needs the expression `(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)`, which is the one it offers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from raftsim.trace.events import FAULT, OUTCOME, REQUEST, SEND
from raftsim.trace.file import Record
from raftsim.trace.names import Names
from raftsim.trace.record import compact
from raftsim.trace.sentences import printable, sentence

WORLD: Final = "world"
_HEARD_ELSEWHERE: Final = frozenset({SEND, REQUEST, OUTCOME, FAULT})  # what may lead to an event of another host


def lines(records: Iterable[Record], names: Names) -> Iterator[str]:
    """All events, with the clocks that follow from the messages that were delivered."""
    clocks: defaultdict[str, dict[str, int]] = defaultdict(dict)
    told: dict[int, dict[str, int]] = {}
    for record in records:
        host = "_".join(printable(record.node).split()) or WORLD
        clock = clocks[host]
        for other, count in told.get(record.cause or 0, {}).items():
            clock[other] = max(clock.get(other, 0), count)
        clock[host] = clock.get(host, 0) + 1
        if record.kind in _HEARD_ELSEWHERE:
            told[record.seq] = dict(clock)
        yield f"{host} {compact(dict(sorted(clock.items())))}"
        yield f"{record.seq} {sentence(record, names)}"
