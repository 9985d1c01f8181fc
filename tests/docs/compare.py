"""Whether a command printed what its page says.

Spaces are collapsed, because a column is as wide as the widest port. In a block that `varies`, numbers, digests, dates
and names of servers stand for any other of their kind; so do roles and truth values, but these must occur equally
often: one leader among three is one leader among three, whoever it is.
"""

from __future__ import annotations

import re
from collections import Counter

ANY = "…"
_ROLES = "pre-candidate|candidate|follower|leader|PRE-CANDIDATE|CANDIDATE|FOLLOWER|LEADER"
_COUNTED = rf"(?<![\w-])(?:{_ROLES}|true|false)(?![\w-])"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HTTP_DATE = r"\b[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\b"
_KINDS = (_COUNTED, _HTTP_DATE, _UUID, r"\b[0-9a-f]{32}\b", r"\b[0-9a-f]{16}\b", r"\bn\d\b", r"\d+(?:[.,:]\d+)*")
_TOKEN = re.compile("|".join(f"({kind})" for kind in _KINDS))


def pattern(lines: list[str], *, varies: bool) -> re.Pattern[str]:
    """What matches the output that `lines` describe. The counted words are its groups."""
    parts = []
    for line in map(_collapse, lines):
        if line.strip() == ANY:
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*?".join(_piece(piece, varies=varies) for piece in line.split(ANY)) + r"\n")
    return re.compile("".join(parts))


def normal(output: str) -> str:
    """Output as it is compared: collapsed, and with a line end behind the last line if there is any."""
    lines = [_collapse(line) for line in output.rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n" if lines != [""] else ""


def counts_agree(lines: list[str], match: re.Match[str]) -> bool:
    """Whether the counted words of `lines` are those that were matched, in whatever order."""
    return Counter(_counted(lines)) == Counter(match.groups())


def agrees(lines: list[str], output: str, *, varies: bool) -> bool:
    """Whether `output`, all of it, is what `lines` describe."""
    shown = "\n".join(lines).rstrip("\n").split("\n") if any(lines) else []
    match = pattern(shown, varies=varies).fullmatch(normal(output))
    return match is not None and (not varies or counts_agree(shown, match))


def _piece(text: str, *, varies: bool) -> str:
    if not varies:
        return re.escape(text)
    parts, end = [], 0
    for token in _TOKEN.finditer(text):
        assert token.lastindex is not None
        kind = _KINDS[token.lastindex - 1]
        parts += [re.escape(text[end : token.start()]), f"({kind})" if kind == _COUNTED else kind]
        end = token.end()
    return "".join([*parts, re.escape(text[end:])])


def _counted(lines: list[str]) -> list[str]:
    text = "\n".join(map(_collapse, lines))
    return [token[0] for token in _TOKEN.finditer(text) if token.lastindex == 1]


def _collapse(line: str) -> str:
    return re.sub(r"[ \t]+", " ", line).rstrip()
