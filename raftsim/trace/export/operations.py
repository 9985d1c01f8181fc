"""What clients asked and were told, out of a trace: reads and writes of variables, as registers.

A process asks one thing at a time. One whose outcome is unknown asks nothing more, for it may still be waiting; who
asks next is a new process, as Jepsen has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, Final

from raftsim.trace.events import CRASH, OUTCOME, REQUEST
from raftsim.trace.file import Record

READ: Final = "read"
WRITE: Final = "write"

Decode = Callable[[bytes], tuple[Any, ...]]


class NoRegister(ValueError):
    """Clients did what a register cannot say; the message is a sentence."""


@dataclass(slots=True)
class Operation:
    """`ended` is "ok", "refused" or, also for what has no answer, "unknown". A removed variable has the value None."""

    process: int
    function: str
    key: str
    value: dict[str, str] | None
    called: Record
    returned: Record | None = None
    ended: str = "unknown"


def operations(records: Iterable[Record], decode: Decode) -> list[Operation]:
    """All reads that were not stale and all writes, in the order they were asked.

    `decode` gives the parts of a command. Raises NoRegister for one that it does not know, or that is conditional.
    """
    found: list[Operation] = []
    waiting: dict[tuple[str, int], Operation] = {}
    free: list[int] = []
    processes = 0
    for record in records:
        if record.kind == REQUEST and record.cause is None:
            what = _asked(record, decode)
            if what is not None:
                if not free:
                    heappush(free, processes)
                    processes += 1
                found.append(Operation(heappop(free), *what, record))
                waiting[record.node, record.fields[0]] = found[-1]
        elif record.kind == OUTCOME and (ended := waiting.pop((record.node, record.fields[0]), None)):
            outcome = record.fields[1]
            ended.returned, ended.ended = record, outcome["kind"]
            if ended.ended == "ok" and ended.function == READ:
                ended.value = _items(outcome["value"])
            if ended.ended != "unknown":
                heappush(free, ended.process)
        elif record.kind == CRASH:
            for place in [place for place in waiting if place[0] == record.node]:
                waiting.pop(place).returned = record
    return found


def _asked(record: Record, decode: Decode) -> tuple[str, str, dict[str, str] | None] | None:
    """(function, key, value) of a request; None for one that is no read or write of a variable."""
    request = record.fields[1]
    if request["type"] == "Query":
        match request["query"]:
            case ["get", str(namespace), str(path)] if not request["stale"]:
                return READ, f"{namespace}/{path}", None
        return None
    if request["type"] != "Command":
        return None
    try:
        command = decode(bytes.fromhex(request["data"]))
    except ValueError as error:
        raise NoRegister(f"event {record.seq} is a command that no register knows: {error}") from None
    match command:
        case ("put", str(namespace), str(path), dict(items), None, _):
            return WRITE, f"{namespace}/{path}", items
        case ("delete", str(namespace), str(path), None):
            return WRITE, f"{namespace}/{path}", None
    raise NoRegister(f"event {record.seq} is a check-and-set by index, which no register knows")


def _items(value: Any) -> dict[str, str] | None:
    variable = value.get("variable") if isinstance(value, dict) else None
    items = variable.get("Items") if isinstance(variable, dict) else None
    return items if isinstance(items, dict) else None
