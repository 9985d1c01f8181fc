"""Exactly-once application: a machine around any machine that remembers what it answered (dissertation 6.3).

A client registers a session and numbers its commands in it, from 1. A command that comes again, because its client did
not hear the answer, gets the first result and changes nothing. What is remembered is replicated like the rest of the
state: every server builds the same table from the same log and keeps it in its snapshots.

A session keeps the results of several commands, so that a client may have some on their way at once, which arrive in
any order. What a full session forgets are its lowest numbers; at or below the highest forgotten one a number is
refused, for nobody can tell any more whether it was applied. When there are too many sessions, a new one takes the
place of the least recently used, by log index. So the end of a session is a function of the log, never of a clock.

Commands of sessions begin with a byte that begins no MessagePack; all others go to the machine inside as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

import msgpack

from raftsim.machine.base import InvalidRequest, Machine, Slices, at_once
from raftsim.machine.sessiontable import Limits, Session, is_number, pack_table, pieces_of, unpack_table

OK: Final = "ok"  # value: what the machine inside returned; the new session's id; None for a closed one
REFUSED: Final = "refused"  # this copy of the command has not been applied and will not be

UNKNOWN_SESSION: Final = "unknown session"  # closed, expired, or never there: an earlier copy may have been applied
FORGOTTEN: Final = "forgotten sequence"  # an earlier copy may have been applied

_PREFIX: Final = b"\xc1"
_REGISTER: Final = 0
_COMMAND: Final = 1
_CLOSE: Final = 2
_COMMAND_PARTS: Final = 4  # the others have two


def register_command(time_ns: int) -> bytes:
    """The command that opens a session. `time_ns`: the proposer's clock, since 1970."""
    return _command(_REGISTER, time_ns)


def session_command(session: int, sequence: int, data: bytes) -> bytes:
    """`data`, a command of the machine inside, as number `sequence` of `session`: applied once, however often sent."""
    return _command(_COMMAND, session, sequence, data)


def close_command(session: int) -> bytes:
    """The command that ends a session."""
    return _command(_CLOSE, session)


class Sessions:
    """A `Machine`. `apply` of a plain command returns what the machine inside returns.

    Of a command of a session it returns {"outcome": OK, "value": ...}, the value as MessagePack gives it back, or
    {"outcome": REFUSED, "reason": ...}. Queries are those of the machine inside, and ("session", id) -> None if there
    is none, or {"opened_ns": int, "used": the log index of its last command, "last": its highest number or 0}.
    """

    def __init__(self, machine: Machine, limits: Limits | None = None) -> None:
        self._machine = machine
        self._limits = limits or Limits()
        self._sessions: dict[int, Session] = {}  # by id, the least recently used first

    def check_command(self, data: bytes) -> None:
        if not data.startswith(_PREFIX):
            self._machine.check_command(data)
            return
        command = _decode(data)
        if command[0] == _COMMAND:
            self._machine.check_command(command[3])

    def apply(self, index: int, data: bytes) -> Any:
        if not data.startswith(_PREFIX):
            return self._machine.apply(index, data)
        command = _decode(data)
        if len(command) == _COMMAND_PARTS:
            return self._apply_once(index, *command[1:])
        kind, number = command
        if kind == _REGISTER:
            return self._register(index, number)
        return _ok(None) if self._sessions.pop(number, None) else _refused(UNKNOWN_SESSION)

    def query(self, query: tuple[Any, ...]) -> Any:
        match query:
            case ("session", int(id)):
                session = self._sessions.get(id)
                return session and {"opened_ns": session.opened_ns, "used": session.used, "last": session.last()}
        return self._machine.query(query)

    def snapshot(self) -> Iterator[bytes]:
        # Copies of the table only, down to the results, which are bytes and never changed.
        table = [session.row(id) for id, session in self._sessions.items()]
        return chain(pack_table(table), self._machine.snapshot())

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        pieces = pieces_of(state)
        sessions, begun = yield from unpack_table(pieces, self._limits)
        yield from self._machine.restore(chain([begun], pieces))
        self._sessions = sessions  # in the slice in which the machine inside took its new state

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        """All sessions end: nobody could tell of a command that comes again whether this state has seen it."""
        pieces = pieces_of(state)
        _, begun = at_once(unpack_table(pieces, self._limits))
        self._machine.replace(index, chain([begun], pieces))
        self._sessions = {}

    def _register(self, index: int, time_ns: int) -> dict[str, Any]:
        while len(self._sessions) >= self._limits.sessions:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[index] = Session(time_ns, used=index)
        return _ok(index)

    def _apply_once(self, index: int, id: int, sequence: int, command: bytes) -> dict[str, Any]:
        session = self._sessions.pop(id, None)
        if session is None:
            return _refused(UNKNOWN_SESSION)
        session.used = index
        self._sessions[id] = session
        result = session.results.get(sequence)
        if result is not None:
            return _ok(msgpack.unpackb(result))
        if sequence <= session.forgotten:
            return _refused(FORGOTTEN)
        value = _in_order(self._machine.apply(index, command))
        session.remember(sequence, _pack(value), self._limits)
        return _ok(value)


def _ok(value: Any) -> dict[str, Any]:
    return {"outcome": OK, "value": value}


def _refused(reason: str) -> dict[str, Any]:
    return {"outcome": REFUSED, "reason": reason}


def _in_order(value: Any) -> Any:
    """The same plain data as MessagePack gives it back, every map by its keys: equal results are to be equal bytes in
    every server's snapshot."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_in_order(item) for item in value]
    return value


def _command(*parts: Any) -> bytes:
    return _PREFIX + _pack(parts)


def _decode(data: bytes) -> tuple[Any, ...]:
    """The session command in `data`, checked as far as it is ours. Raises InvalidRequest.

    By type and length, not by patterns: a leader does this twice for every write, and every follower once.
    """
    try:
        command: tuple[Any, ...] = msgpack.unpackb(data[len(_PREFIX) :], use_list=False)
    except (ValueError, msgpack.UnpackException):
        raise InvalidRequest("not a session command: not msgpack") from None
    parts = len(command) if type(command) is tuple else 0
    if parts == _COMMAND_PARTS:
        kind, session, sequence, inner = command
        plain = type(inner) is bytes and not inner.startswith(_PREFIX)
        if plain and kind == _COMMAND and is_number(session) and is_number(sequence):
            return command
    elif parts == 2:
        kind, number = command
        if kind in (_REGISTER, _CLOSE) and is_number(number, 0 if kind == _REGISTER else 1):
            return command
    raise InvalidRequest("not a session command: neither register, command nor close")


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed
