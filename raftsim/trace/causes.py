"""Which event led to which, found while they are told.

A server does nothing by itself: what it does in a turn follows from the input that asked for the turn, which was told
at the same instant. What follows from no event is a root: a timer, a client, or a hand on the world. A message has no
number; in the running world the object that is delivered is the one that was sent.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from raftsim.trace.events import (
    APPLY,
    COMMIT,
    CRASH,
    DELIVER,
    DROP,
    DUPLICATE,
    ERROR,
    FAULT,
    HALT,
    OUTCOME,
    PAUSE,
    READ,
    REQUEST,
    RESUME,
    ROLE,
    SEND,
    START,
    SYNCED,
    WIPE,
    WRITE,
    Event,
)

MAX_ON_THEIR_WAY: Final = 65_536  # the oldest message beyond is forgotten: its delivery has no cause

_INPUTS: Final = frozenset({DELIVER, SYNCED, REQUEST, START, RESUME})  # each begins something new
_STEMS: Final = _INPUTS | {ROLE, HALT, ERROR}  # what happens after one of these, in the same turn, follows from it
_DONE_TO: Final = frozenset({START, CRASH, WIPE, PAUSE, RESUME, HALT})  # may follow from a hand on the world


@dataclass(slots=True)
class _Server:
    time: float = -1.0  # when the stem was told
    stem: int | None = None
    newest: int | None = None  # what an answer follows from: the stem, or what was applied or read since
    commit: int | None = None
    writes: deque[tuple[int, int]] = field(default_factory=deque)  # (number of the write, its event)
    asked: dict[int, int] = field(default_factory=dict)  # request number -> its event


class Causes:
    """Give it every event, in order, with its number; it answers with that of its cause, or None."""

    def __init__(self) -> None:
        self._servers: dict[str, _Server] = {}
        self._on_their_way: OrderedDict[int, tuple[object, int, int]] = OrderedDict()  # by identity
        self._fault: tuple[float, int, tuple[str, ...]] = (-1.0, 0, ())
        self._rules: dict[str, Callable[[_Server, int, Any], int | None]] = {
            SEND: self._send,
            DELIVER: self._deliver,
            DROP: lambda _, __, subject: self._take(subject[0]),
            DUPLICATE: self._duplicate,
            SYNCED: _synced,
            COMMIT: _commit,
            APPLY: _apply,
            READ: _read,
            REQUEST: self._request,
            OUTCOME: self._outcome,
            WRITE: _write,
        }

    def __call__(self, seq: int, event: Event) -> int | None:
        kind = event.kind
        if kind == FAULT:
            self._fault = event.time, seq, tuple(event.subject)
            return None
        server = self._servers.get(event.node)
        if server is None:
            server = self._servers[event.node] = _Server()
        if server.time != event.time:
            server.stem = server.newest = None
        rule = self._rules.get(kind)
        cause = server.stem if rule is None else rule(server, seq, event.subject)
        if kind in _DONE_TO:
            cause = self._hand(event, server)
            if kind in (CRASH, START):
                server.writes.clear()
                server.asked.clear()
        if kind in _STEMS:
            server.time, server.stem, server.newest = event.time, seq, seq
        return cause

    def _hand(self, event: Event, server: _Server) -> int | None:
        """What was done to this server now by a hand on the world; else what it did itself (an error, a halt)."""
        time, seq, words = self._fault
        if time == event.time and event.node in words:
            return seq
        return server.stem if event.kind == CRASH else None

    # messages, and what is asked and answered between servers

    def _send(self, server: _Server, seq: int, message: Any) -> int | None:
        self._put(message, seq)
        return server.stem

    def _deliver(self, _: _Server, __: int, message: Any) -> int | None:
        """A relayed request or outcome is not told when it is sent: it follows from what it carries."""
        carried = getattr(message, "request", None) or getattr(message, "outcome", None)
        return self._take(message) if carried is None else self._find(carried)

    def _duplicate(self, _: _Server, __: int, message: Any) -> int | None:
        found = self._on_their_way.get(id(message))
        if found is None:
            return None
        self._on_their_way[id(message)] = message, found[1], found[2] + 1
        return found[1]

    def _request(self, server: _Server, seq: int, subject: Any) -> int | None:
        number, request = subject
        relayed = self._find(request)
        server.asked[number] = seq
        if relayed is None:
            self._put(request, seq)
            return None
        return server.stem

    def _outcome(self, server: _Server, seq: int, subject: Any) -> int | None:
        number, outcome = subject
        asked = server.asked.pop(number, None)
        self._put(outcome, seq)
        return asked if server.newest is None else server.newest

    def _put(self, thing: object, seq: int) -> None:
        self._on_their_way[id(thing)] = thing, seq, 1
        if len(self._on_their_way) > MAX_ON_THEIR_WAY:
            self._on_their_way.popitem(last=False)

    def _find(self, thing: object) -> int | None:
        found = self._on_their_way.get(id(thing))
        return None if found is None else found[1]

    def _take(self, message: object) -> int | None:
        """One copy of `message` has arrived, or is lost."""
        found = self._on_their_way.pop(id(message), None)
        if found is None:
            return None
        if found[2] > 1:
            self._on_their_way[id(message)] = message, found[1], found[2] - 1
        return found[1]


def _write(server: _Server, seq: int, write: Any) -> int | None:
    server.writes.append((write.seq, seq))
    return server.stem


def _synced(server: _Server, _: int, durable: int) -> int | None:
    cause = None
    while server.writes and server.writes[0][0] <= durable:
        cause = server.writes.popleft()[1]
    return cause


def _commit(server: _Server, seq: int, _: Any) -> int | None:
    server.commit = seq
    return server.stem


def _apply(server: _Server, seq: int, _: Any) -> int | None:
    server.newest = seq
    return server.commit


def _read(server: _Server, seq: int, _: Any) -> int | None:
    server.newest = seq
    return server.stem
