"""The layout of every help text: usage, prose, subcommands, General Options, own options, examples.

The text is 80 columns wide wherever it is read, so that it is the same in a terminal, in a pipe and in the docs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence

_WIDTH = 80


def join(sections: Iterable[str]) -> str:
    """The sections that have something to say, a blank line apart."""
    return "\n\n".join(section for section in sections if section)


def prose(text: str) -> str:
    """Paragraphs of a docstring filled to the width; one that is indented keeps its lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return join(_indent(part) if part.startswith(" ") else _fill(part, 2) for part in paragraphs)


def summary(text: str) -> str:
    """The first sentence as one line, for the list of a group's commands."""
    return " ".join(text.partition("\n\n")[0].split()).partition(". ")[0].removesuffix(".")


def commands(headings: Mapping[str, Mapping[str, str]]) -> str:
    """Under each heading its commands with their summaries, all summaries in one column."""
    width = max((len(name) for lines in headings.values() for name in lines), default=0) + 4
    return join(
        "\n".join([heading, *(_fill(text, 4 + width, f"    {name:{width}}") for name, text in lines.items())])
        for heading, lines in headings.items()
    )


def options(title: str, entries: Sequence[tuple[str, str]]) -> str:
    """The forms of each option, such as `-peer-id=<id>`, and what it does."""
    if not entries:
        return ""
    return join([f"{title}:", *(f"  {forms}\n{_fill(text, 4)}" for forms, text in entries)])


def examples(entries: Sequence[tuple[str, str]]) -> str:
    """What one may want, and the command line that does it."""
    if not entries:
        return ""
    return join(["Examples:", *(f"  {text}:\n\n      $ {line}" for text, line in entries)])


def _indent(block: str) -> str:
    return "\n".join(f"  {line}" for line in block.split("\n"))


def _fill(text: str, margin: int, first: str = "") -> str:
    from textwrap import fill

    pad = " " * margin
    words = " ".join(text.split())
    return fill(words, _WIDTH, initial_indent=first or pad, subsequent_indent=pad, break_on_hyphens=False)
