"""What matters in a run: elections, commits, configurations, faults, and answers that are not ok."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from raftsim.trace import events
from raftsim.trace.file import Record

_ALWAYS: Final = frozenset(
    {
        events.MEMORY,
        events.RESTORE,
        events.START,
        events.CRASH,
        events.PAUSE,
        events.RESUME,
        events.ERROR,
        events.HALT,
        events.WIPE,
        events.FAULT,
    }
)


def story(records: Iterable[Record]) -> Iterator[Record]:
    """Those of `records` that a short account tells, in order.

    Of the commits it has the leader's; of several in a row, without anything else between, the last. Followers that
    follow are no news, unless they led or stood before, nor are configurations that everybody had before.
    """
    commit: Record | None = None
    roles: dict[str, str] = {}
    config: object = None
    for record in records:
        if record.kind == events.COMMIT:
            if record.fields["role"] == "leader":
                if commit is not None and commit.node != record.node:
                    yield commit
                commit = record
            continue
        if record.kind == events.ROLE:
            before, roles[record.node] = roles.get(record.node, "follower"), record.fields["role"]
            told = before != record.fields["role"]
        elif record.kind == events.CONFIG:
            told, config = record.fields["config"] != config, record.fields["config"]
        elif record.kind == events.OUTCOME:
            told = record.fields[1]["kind"] != "ok"
        else:
            told = record.kind in _ALWAYS
        if told:
            if commit is not None:
                yield commit
                commit = None
            yield record
    if commit is not None:
        yield commit
