"""For Perfetto (ui.perfetto.dev) and chrome://tracing: the Trace Event Format, one JSON object.

A server is a process with a track for its roles and one for its messages, between which arrows go; writes to the disk
and requests of clients are spans; all else are points with their sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from raftsim.trace import events
from raftsim.trace.file import Record
from raftsim.trace.names import Names
from raftsim.trace.record import compact
from raftsim.trace.sentences import sentence

_ROLES: Final = 1
_MESSAGES: Final = 2
_TRACKS: Final = {_ROLES: "roles", _MESSAGES: "messages"}
_CARRIED: Final = ("Relay", "RelayReply", "Ping")  # their sending is not told
_WORLD: Final = "world"


def lines(records: Iterable[Record], names: Names) -> Iterator[str]:
    """The document, a line for each of its events."""
    yield '{"displayTimeUnit":"ms","traceEvents":['
    yield compact({"ph": "M", "name": "process_name", "pid": 0, "args": {"name": _WORLD}})
    tracks = _Tracks(names)
    for record in records:
        for event in tracks.events(record):
            yield "," + compact(event)
    yield "]}"


class _Tracks:
    def __init__(self, names: Names) -> None:
        self._names = names
        self._pids: dict[str, int] = {"": 0}
        self._has_role: set[str] = set()
        self._writes: dict[str, dict[int, int]] = {}  # of each server, those under way: number -> event

    def events(self, record: Record) -> Iterator[Mapping[str, Any]]:
        yield from self._introduce(record.node)
        at = {"pid": self._pids[record.node], "ts": round(record.time * 1e6, 3)}
        what = sentence(record, self._names)
        if record.kind in (events.ROLE, events.START):
            yield from self._role(record, at)
        elif record.kind in (events.SEND, events.DELIVER):
            yield from self._message(record, at, what)
        elif record.kind in (events.WRITE, events.SYNCED):
            yield from self._disk(record, at, what)
        elif record.kind in (events.REQUEST, events.OUTCOME):
            begins = record.kind == events.REQUEST
            id = f"{record.node}/{record.fields[0]}"
            yield {"ph": "b" if begins else "e", "cat": "request", "name": "request", "id": id, **at, **_args(what)}
        else:
            yield {"ph": "i", "s": "p", "name": record.kind, "tid": _ROLES, **at, **_args(what)}
            if record.kind == events.CRASH:
                yield from self._gone(record.node, at)

    def _introduce(self, node: str) -> Iterator[Mapping[str, Any]]:
        if node not in self._pids:
            pid = self._pids[node] = len(self._pids)
            yield {"ph": "M", "name": "process_name", "pid": pid, **_named(node)}
            for tid, name in _TRACKS.items():
                yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, **_named(name)}

    def _role(self, record: Record, at: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        if record.node in self._has_role:
            yield {"ph": "E", "tid": _ROLES, **at}
        self._has_role.add(record.node)
        if record.kind == events.START:
            role, term = "follower", record.fields["hard"]["term"]
        else:
            role, term = record.fields["role"], record.fields["term"]
        yield {"ph": "B", "name": f"{role}, term {term}", "tid": _ROLES, **at}

    def _message(self, record: Record, at: Mapping[str, Any], what: str) -> Iterator[Mapping[str, Any]]:
        sent = record.kind == events.SEND
        place = {"tid": _MESSAGES, "cat": "message", **at}
        yield {"ph": "X", "dur": 1, "name": record.fields["type"], **place, **_args(what)}
        id = record.seq if sent else record.cause
        if id is not None and record.fields["type"] not in _CARRIED:
            yield {"ph": "s" if sent else "f", "bp": "e", "id": id, "name": record.fields["type"], **place}

    def _disk(self, record: Record, at: Mapping[str, Any], what: str) -> Iterator[Mapping[str, Any]]:
        writes = self._writes.setdefault(record.node, {})
        span = {"cat": "disk", "name": "write", **at}
        if record.kind == events.WRITE:
            writes[record.fields["seq"]] = record.seq
            yield {"ph": "b", "id": record.seq, **span, **_args(what)}
            return
        for number in [number for number in writes if number <= record.fields]:
            yield {"ph": "e", "id": writes.pop(number), **span}

    def _gone(self, node: str, at: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for id in self._writes.pop(node, {}).values():
            yield {"ph": "e", "cat": "disk", "name": "write", "id": id, **at}
        if node in self._has_role:
            self._has_role.discard(node)
            yield {"ph": "E", "tid": _ROLES, **at}


def _args(what: str) -> dict[str, Any]:
    return {"args": {"what": what}}


def _named(name: str) -> dict[str, Any]:
    return {"args": {"name": name}}
