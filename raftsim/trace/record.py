"""Events as lines of JSON: the same event always gives the same line, in every process and on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import IO, Any

from raftsim.trace.events import Event

PLAIN = (str, int, float, bool, type(None))


def plain(value: object) -> Any:
    """`value` as what JSON can say; dataclasses become objects that name their type, bytes become hex.

    Raises TypeError for anything whose form could differ between two runs of the same thing.
    """
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {name: plain(getattr(value, name)) for name in _names(type(value))}
    raise TypeError(f"cannot record a {type(value).__name__}")


def line(event: Event) -> str:
    """One event as one line, without the line end."""
    record = [event.time, event.node, event.kind, plain(event.subject)]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


class Recorder:
    """Writes every event it is given to a text file."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def __call__(self, event: Event) -> None:
        self._file.write(line(event) + "\n")


def read(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a recorded file, with plain subjects. Raises ValueError naming the line that is not an event."""
    for number, text in enumerate(lines, 1):
        try:
            time, node, kind, subject = json.loads(text)
        except (ValueError, TypeError) as error:
            raise ValueError(f"line {number} is not a recorded event") from error
        yield Event(float(time), node, kind, subject)


@cache
def _names(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(of))
