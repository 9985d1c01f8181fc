"""Events as plain data: the same event always has the same form, in every process and on every machine."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

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


def compact(value: object) -> str:
    """Plain data as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def line(event: Event) -> str:
    """One event as one line, without the line end: what digests are made of."""
    return compact([event.time, event.node, event.kind, plain(event.subject)])


@cache
def _names(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(of))
