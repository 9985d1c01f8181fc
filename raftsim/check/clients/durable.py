"""Nothing acknowledged is lost: every write that was answered, or read, is there at the end, or was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from raftsim.check.clients.models import Fact, Model, Value
from raftsim.check.clients.operation import Operation, checked, shown
from raftsim.check.violation import Violation

DURABILITY: Final = "durability"


@dataclass(slots=True)
class _Write:
    operation: Operation
    value: Value
    index: int
    known: float | None  # when the first answer showed that it had happened
    how: str = "acknowledged"

    def may_follow(self, other: _Write) -> bool:
        if self.index and other.index:
            return self.index > other.index
        return self.known is None or self.known >= other.operation.called


def lost_writes(history: Iterable[Operation], final: Mapping[str, Value], at: float, model: Model) -> list[Violation]:
    """What is missing in `final`, which is what the keys held at time `at`, when nothing was under way any more.

    For values that one operation sets. A write is missing if what its key holds now cannot have come after it: it was
    written before the write was asked for, or it stands at a lower index.
    """
    found = []
    for key, writes in sorted(_writes(checked(history), model).items()):
        value = final.get(key)
        last = [write for write in writes if write.value == value]
        if not last and value is not None:
            found.append(Violation(DURABILITY, at, "", f"{key!r} holds {shown(value)}, which nobody wrote"))
            continue
        for write in writes:
            lasting = write.known is not None and write.value not in {None, value}
            if lasting and not any(other.may_follow(write) for other in last):
                found.append(_violation(key, value, write, at))
    return found


def _writes(history: list[Operation], model: Model) -> dict[str, list[_Write]]:
    """All operations that set something, by key; deletes, too."""
    writes: dict[str, list[_Write]] = {}
    reads: dict[Fact, float] = {}
    for operation in history:
        if operation.function != "list":
            effect = model.effect(operation, (operation.key,))
            if effect.sets is not None:
                write = _Write(operation, effect.sets[1], operation.index, operation.returned)
                writes.setdefault(operation.key, []).append(write)
            if operation.returned is not None:
                for fact in effect.finds:
                    reads[fact] = min(operation.returned, reads.get(fact, operation.returned))
    for key, of_key in writes.items():
        for write in of_key:
            read = reads.get((key, write.value))
            if write.value is not None and read is not None and (write.known is None or read < write.known):
                write.known, write.how = read, "read"
    return writes


def _violation(key: str, value: Value, write: _Write, at: float) -> Violation:
    index = f" at index {write.index}" if write.index else ""
    sentence = (
        f"write {shown(write.value)} {write.how} at {write.known:.6f} s{index}, gone at {at:.6f} s: "
        f"{key!r} holds {shown(value)}"
    )
    return Violation(DURABILITY, at, write.operation.process, sentence)
