"""A history for Jepsen's checkers, Knossos and Elle: one EDN map a line, of independent registers.

A value is `[key value]`, as `jepsen.independent` has it; the value of a variable is the map of its items, or nil.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from raftsim.trace.export.operations import Decode, Operation, operations
from raftsim.trace.file import Record

_TYPES: Final = {"ok": ":ok", "refused": ":fail", "unknown": ":info"}


def lines(records: Iterable[Record], decode: Decode) -> Iterator[str]:
    """Invocations and completions in order. Raises NoRegister."""
    history: list[tuple[int, Operation, str]] = []
    for operation in operations(records, decode):
        history.append((operation.called.seq, operation, ":invoke"))
        if operation.returned is not None:
            history.append((operation.returned.seq, operation, _TYPES.get(operation.ended, ":info")))
    # Several operations end with one crash, in the order they were asked: the sort keeps it.
    for index, (_, operation, type) in enumerate(sorted(history, key=lambda step: step[0])):
        record = operation.called if type == ":invoke" else operation.returned
        assert record is not None
        hidden = operation.function == "read" and type != ":ok"
        value = "nil" if hidden or operation.value is None else _map(operation.value)
        yield (
            f"{{:index {index}, :type {type}, :process {operation.process}, :f :{operation.function}, "
            f":value [{_string(operation.key)} {value}], :time {round(record.time * 1e9)}}}"
        )


def _map(items: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_string(key)} {_string(value)}" for key, value in sorted(items.items())) + "}"


def _string(text: object) -> str:
    return json.dumps(str(text))
