"""Durations as Go writes them: `1m30s`, `250ms`. A number needs a unit."""

from __future__ import annotations

import re

_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)"
_WHOLE = re.compile(f"(?:{_PART})+")
_MAX_CHARS = 64


def parse_duration(text: str) -> float:
    """Seconds. Raises ValueError for anything but a sequence of numbers with units."""
    if len(text) > _MAX_CHARS or not _WHOLE.fullmatch(text):
        raise ValueError(f"not a duration such as 500ms or 1m30s: {text[:_MAX_CHARS]!r}")
    return sum(float(number) * _UNITS_S[unit] for number, unit in re.findall(_PART, text))


def format_duration(seconds: float) -> str:
    """The same moment of time for `parse_duration`, in milliseconds."""
    return f"{seconds * 1000:.6f}".rstrip("0").removesuffix(".") + "ms"
