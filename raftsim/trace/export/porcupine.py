"""A history for Porcupine: one JSON object a line, with the fields of its `Operation`.

Input is {"Op": "read" or "write", "Key", "Value"}, Output {"Value", "Unknown"}; a value is the object of a variable's
items, or null. What was refused did not happen and is left out. What is unknown returns after everything else, and its
output must be taken for any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from raftsim.trace.export.operations import Decode, operations
from raftsim.trace.file import Record
from raftsim.trace.record import compact


def lines(records: Iterable[Record], decode: Decode) -> Iterator[str]:
    """Operations in the order they were asked. Raises NoRegister.

    Times are nanoseconds, pushed apart where several events share an instant: their order is known, and counts.
    """
    found = [operation for operation in operations(records, decode) if operation.ended != "refused"]
    moments = {
        record.seq: record.time for operation in found for record in (operation.called, operation.returned) if record
    }
    times: dict[int, int] = {}
    last = -1
    for seq, time in sorted(moments.items()):
        last = times[seq] = max(last + 1, round(time * 1e9))
    for operation in found:
        known = operation.ended == "ok" and operation.returned is not None
        wrote = operation.value if operation.function == "write" else None
        read = operation.value if operation.function == "read" and known else None
        yield compact(
            {
                "ClientId": operation.process,
                "Input": {"Op": operation.function, "Key": operation.key, "Value": wrote},
                "Call": times[operation.called.seq],
                "Output": {"Value": read, "Unknown": not known},
                "Return": times[operation.returned.seq] if known and operation.returned else last + 1,
            }
        )
