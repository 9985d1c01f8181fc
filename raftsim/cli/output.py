"""What commands print: tables, key-value blocks and JSON in Nomad's form, hints on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

_GO_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def columnize(rows: Sequence[Sequence[str]], *, glue: str = "  ", empty: str = "") -> str:
    """The rows as a table: cells trimmed, columns as wide as their widest cell, the last cell of a row unpadded."""
    table = [[cell.strip() or empty for cell in row] for row in rows]
    columns = max((len(row) for row in table), default=0)
    widths = [max(len(row[i]) for row in table if i < len(row)) for i in range(columns)]
    return "\n".join(
        glue.join([*(f"{cell:<{width}}" for cell, width in zip(row[:-1], widths, strict=False)), *row[-1:]])
        for row in table
    )


def format_list(rows: Sequence[Sequence[str]]) -> str:
    """A table in which an empty cell reads `<none>`."""
    return columnize(rows, empty="<none>")


def format_kv(rows: Sequence[tuple[str, str]]) -> str:
    """A block of `key = value` lines."""
    return columnize(rows, glue=" = ", empty="<none>")


def go_quote(text: str) -> str:
    """`text` in double quotes, escaped as Go's %q does."""
    return '"' + "".join(_GO_ESCAPES.get(char) or _escape(char) for char in text) + '"'


def show_json(document: Any) -> None:
    """Print a document as JSON with an indent of four spaces."""
    import json

    print(json.dumps(document, indent=4, ensure_ascii=False))


def show_hint(text: str) -> None:
    """Tell a person at a terminal what to try next. NOMAD_CLI_SHOW_HINTS=0 turns hints off."""
    if is_terminal(sys.stderr) and os.environ.get("NOMAD_CLI_SHOW_HINTS") not in {"0", "f", "false", "False", "FALSE"}:
        print(f"Hint: {text}", file=sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads `stream`; a closed one is None."""
    return stream is not None and stream.isatty()


def _escape(char: str) -> str:
    code = ord(char)
    if char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
