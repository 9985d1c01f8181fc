"""The `key=value` arguments of `raftsim var put`: a value may come from a file (@file) or from standard input (-)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from raftsim.cli.go import Failure
from raftsim.cli.output import go_quote

MAX_VALUE_BYTES = 64 << 10  # what a whole variable may hold: there is no need to read more


def parse_items(pairs: Sequence[str]) -> dict[str, str]:
    """The items that `pairs` describe, in their order. Raises Failure."""
    items: dict[str, str] = {}
    for pair in pairs:
        try:
            key, value = _parse(pair)
            if key in items:
                raise ValueError("the key is given twice")
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise Failure(f"Failed to parse K=V data: invalid key/value pair {go_quote(pair)}: {reason}") from error
        items[key] = value
    return items


def _parse(pair: str) -> tuple[str, str]:
    key, equals, text = pair.partition("=")
    if not equals or not key:
        raise ValueError("format must be key=value")
    if text == "-":
        value = _read_text(sys.stdin.buffer.read(MAX_VALUE_BYTES + 1))
    elif text.startswith("@"):
        with Path(text[1:]).open("rb") as file:
            value = _read_text(file.read(MAX_VALUE_BYTES + 1))
    else:
        value = text.removeprefix("\\") if text.startswith("\\@") else text
    if not value:
        raise ValueError("the value is empty")
    return key, value


def _read_text(data: bytes) -> str:
    if len(data) > MAX_VALUE_BYTES:
        raise ValueError(f"the value is larger than {MAX_VALUE_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError("the value is not UTF-8 text") from error
