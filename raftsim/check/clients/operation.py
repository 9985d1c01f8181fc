"""One operation as its client saw it: what was asked, what came back, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Operation:
    """`process` asked at `called` and had its answer at `returned`; both by one clock that never goes back.

    `returned` is None for an open operation: its outcome is unknown, it may have happened or may yet happen. What was
    refused did not happen and is no part of a history. Functions, arguments and outputs are those of a model
    (raftsim/check/clients/models.py); values are hashable.

    `index`: where the system says that this stands in its own order: of a write, the index of its log entry; of a read,
    that of the newest entry it is known to have seen. 0: it did not say. It is never believed.
    """

    process: str
    function: str
    key: str
    argument: Any
    output: Any
    called: float
    returned: float | None = None
    index: int = 0

    def __str__(self) -> str:
        asked = f"{self.key!r}" if self.argument is None else f"{self.key!r}, {self.argument!r}"
        if self.returned is None:
            return f"{self.process}: {self.function}({asked}), asked at {self.called:.6f} s, unknown"
        got = "" if self.output is None and self.function in _SILENT else f" = {shown(self.output)}"
        return f"{self.process}: {self.function}({asked}){got}, {self.called:.6f} to {self.returned:.6f} s"


_SILENT = frozenset({"write", "put", "delete"})


def shown(value: Any) -> str:
    """A value of a key, or an output, for a person."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {shown(value[key])}" for key in sorted(value)) + "}"
    return repr(value)


def checked(history: Iterable[Operation]) -> list[Operation]:
    """The operations as a list. Raises ValueError for one that returned before it was called."""
    operations = list(history)
    for operation in operations:
        if operation.returned is not None and operation.returned < operation.called:
            raise ValueError(f"it returned before it was called: {operation}")
    return operations
