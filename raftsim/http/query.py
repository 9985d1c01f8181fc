"""Query strings and the values in them, as Go reads them (net/url, strconv, time).

Escapes that decode to invalid UTF-8 become U+FFFD: what leaves this module can be stored, sent and printed.
"""

from __future__ import annotations

import re
from typing import Final

from raftsim.http.goformat import quote

MAX_UINT64: Final = (1 << 64) - 1
MAX_INT64: Final = (1 << 63) - 1
MAX_DURATION_CHARS: Final = 100

_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_DURATION: Final = re.compile(r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+")
_DURATION_PART: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_UNIT_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


class Query(dict[str, list[str]]):
    """Every value of every key, in order."""

    def first(self, key: str) -> str:
        """The first value of `key`, or "" without any."""
        values = self.get(key)
        return values[0] if values else ""


def parse_query(text: str) -> Query:
    """A pair with a `;` or a bad escape is dropped; a key without `=` has an empty value."""
    query = Query()
    if not text:
        return query
    for pair in text.split("&"):
        raw_key, _, raw_value = pair.partition("=")
        key, value = unescape(raw_key, plus=True), unescape(raw_value, plus=True)
        if pair and ";" not in pair and key is not None and value is not None:
            query.setdefault(key, []).append(value)
    return query


def unescape(text: str, *, plus: bool = False) -> str | None:
    """Percent-decode; None when an escape is bad. `plus`: a plus sign stands for a space."""
    if plus:
        text = text.replace("+", " ")
    if "%" not in text and text.isascii():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    if _BAD_ESCAPE.search(raw):
        return None
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw).decode("utf-8", "replace")


def parse_bool(text: str) -> bool | None:
    if text in ("1", "t", "T", "TRUE", "true", "True"):
        return True
    return False if text in ("0", "f", "F", "FALSE", "false", "False") else None


def parse_uint(text: str, maximum: int = MAX_UINT64) -> int | str:
    """The number, or the reason why `text` is none."""
    if not re.fullmatch("[0-9]+", text):
        return "invalid syntax"
    significant = text.lstrip("0")
    if len(significant) > len(str(maximum)) or int(significant or "0") > maximum:
        return "value out of range"
    return int(significant or "0")


def parse_int32(text: str) -> int | None:
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("+", text)
    value = parse_uint(digits, 1 << 31)
    if isinstance(value, str) or (sign == "+" and value == 1 << 31):
        return None
    return -value if sign == "-" else value


def parse_duration(text: str) -> int | None:
    """Nanoseconds, or None when `text` is no duration with units (`10s`, `1.5h`, `1m30s`; plain `0` will do)."""
    if re.fullmatch(r"[-+]?0", text):
        return 0
    if len(text) > MAX_DURATION_CHARS or not _DURATION.fullmatch(text):
        return None
    total = 0
    for whole, fraction, unit in _DURATION_PART.findall(text):
        total += int(whole or "0") * _UNIT_NS[unit] + int(f"{fraction:0<13.13}") * _UNIT_NS[unit] // 10**13
    if total > MAX_INT64:
        return None
    return -total if text.startswith("-") else total


def duration_problem(text: str) -> str:
    """What Go says of a `text` that is no duration."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    while part := re.match(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)([^.0-9]*)", rest):
        if not part[1]:
            return f"time: missing unit in duration {quote(text)}"
        if part[1] not in _UNIT_NS:
            return f"time: unknown unit {quote(part[1])} in duration {quote(text)}"
        rest = rest[part.end() :]
    return f"time: invalid duration {quote(text)}"
