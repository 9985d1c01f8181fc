"""An operator's restore: the state of the machine replaced, on every server, by one that `snapshot` gave before.

The state travels through the log, in parts, as entries of a kind of their own (RESTORE_STEP). Every server keeps the
parts aside; the last step replaces the state, at the same index everywhere, or does nothing anywhere. So it is all or
nothing, whoever crashes or leads meanwhile, and what is written before the last step is written over, as it should be.
What the machine makes of indexes and sessions that belong to the log the state came from: `Machine.replace`.

Invariants: what is kept aside is a function of the log; it is bounded in bytes and entries, whatever was proposed; no
snapshot is taken while something is kept aside (compaction.py), so none needs to hold it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Any, Final

from raftsim.machine.base import Machine
from raftsim.node.requests import INVALID, OK, REFUSED, UNKNOWN, Outcome, RestoreStep

PART_BYTES: Final = 1 << 20
MAX_BYTES: Final = 256 << 20  # of a state. Part of what the log means: a cluster has one, for ever
MAX_ENTRIES: Final = 1 << 18  # from the first step to the last, with what others write meanwhile: the same
_TRIES: Final = 3

_BEGIN: Final = 0
_PART: Final = 1
_END: Final = 2


class Staging:
    """What is kept aside, and the machine whose state it is to replace. `replaced`: the index of when that was last."""

    def __init__(self, machine: Machine) -> None:
        self.replaced = 0
        self._machine = machine
        self._began = 0  # the index of the first step, which names the restore; 0: there is none
        self._parts: list[bytes] = []
        self._size = 0

    def holds(self, index: int) -> bool:
        """Whether something is kept aside once `index` is applied; for how long is a matter of the log alone."""
        if self._began and index >= self._began + MAX_ENTRIES:
            self.forget()
        return self._began > 0

    def forget(self) -> None:
        """It is given up, or over; or the state comes from a snapshot, which never stands in the middle of one."""
        self._began, self._parts, self._size = 0, [], 0

    def apply(self, index: int, data: bytes) -> dict[str, Any]:
        """The committed step at `index`. Returns {"index": index, "refused": why it changed nothing, or ""}."""
        return {"index": index, "refused": self._apply(index, data)}

    def _apply(self, index: int, data: bytes) -> str:
        kind, restore, number = data[0] if data else -1, data[1:9], data[9:13]
        if kind == _BEGIN:
            self.forget()
            self._began = index
            return ""
        if not self.holds(index) or int.from_bytes(restore, "big") != self._began:
            return "another restore has begun, or this one took too long"
        if kind == _PART:
            return self._take(int.from_bytes(number, "big"), data[13:])
        parts = self._parts
        self.forget()
        if kind != _END or int.from_bytes(number, "big") != len(parts):
            return "a part is missing"
        return self._replace(index, parts)

    def _take(self, number: int, part: bytes) -> str:
        if number < len(self._parts):
            return ""  # it has come again
        if number > len(self._parts):
            return "a part is missing"
        if self._size + len(part) > MAX_BYTES:
            self.forget()
            return f"the state is larger than {MAX_BYTES} bytes"
        self._parts.append(part)
        self._size += len(part)
        return ""

    def _replace(self, index: int, parts: list[bytes]) -> str:
        try:
            self._machine.replace(index, parts)
        except ValueError as error:
            return f"not a state of this machine: {error}"
        self.replaced = index
        return ""


def steps(state: Iterable[bytes]) -> Generator[RestoreStep, Outcome, Outcome]:
    """The requests that restore `state`, cut anyhow, one after another: send each one's outcome in.

    Returns the outcome of the whole: ok (value: {"index": of the entry from which on the state is this one}), refused
    (INVALID if it is no state; nothing has changed), or unknown. Any server may be asked, and each step another.
    """
    begun = yield from _insist(_step(_BEGIN))
    if begun.kind != OK:
        return _nothing_happened(begun)
    restore, count = begun.value["index"], 0
    for part in _cut(state):
        taken = yield from _insist(_step(_PART, restore, count, part))
        if taken.kind != OK or taken.value["refused"]:
            return _nothing_happened(taken)
        count += 1
    ended = yield _step(_END, restore, count)  # once: nobody could tell a second one whether the first took effect
    if ended.kind != OK:
        return ended
    return _nothing_happened(ended) if ended.value["refused"] else Outcome(OK, {"index": ended.value["index"]})


def _insist(step: RestoreStep) -> Generator[RestoreStep, Outcome, Outcome]:
    """Try again while the outcome is unknown: a step that comes twice counts once."""
    for _ in range(_TRIES):
        outcome = yield step
        if outcome.kind != UNKNOWN:
            break
    return outcome


def _nothing_happened(outcome: Outcome) -> Outcome:
    """For want of a last step, or because that was not taken."""
    if outcome.kind == OK:
        return Outcome(REFUSED, reason=INVALID, detail=outcome.value["refused"])
    return Outcome(REFUSED, reason=outcome.reason, detail=outcome.detail)


def _step(kind: int, restore: int = 0, number: int = 0, part: bytes = b"") -> RestoreStep:
    return RestoreStep(bytes([kind]) + restore.to_bytes(8, "big") + number.to_bytes(4, "big") + part)


def _cut(state: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of at most PART_BYTES, and none of them empty."""
    for piece in state:
        for start in range(0, len(piece), PART_BYTES):
            yield piece[start : start + PART_BYTES]
