"""Reading a page of docs/: its fenced blocks, and what each asks of the runner.

    ```console                 commands after `$ `, each followed by the output that is expected
    ```console varies          as above; numbers, names of servers and roles are those of one run (see compare.py)
    ```console terminal=1      a program in a terminal of its own, which goes on; later blocks show what it prints then,
                               and a line `^C` interrupts it
    ```yaml file=my.yaml       is written to that file, for the commands that follow

Any other block is for reading only. In output `…` stands for any text of a line, and alone on a line for any lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

_FENCE = re.compile(r"(`{3,})(.*)")
PROMPT = "$ "
CONTINUED = "> "
INTERRUPT = "^C"


@dataclass(slots=True)
class Command:
    """A line to type and the output below it, which begins at `line` of the page, counted from 1.

    `text` is None for output that comes without a line being typed.
    """

    text: str | None
    line: int
    output: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """`line` is that of the opening fence, counted from 1."""

    line: int
    language: str
    options: dict[str, str]
    body: list[str]

    @property
    def varies(self) -> bool:
        return "varies" in self.options

    @property
    def is_run(self) -> bool:
        """Whether the runner does something with this block."""
        return self.language == "console" or "file" in self.options

    def commands(self) -> list[Command]:
        """The commands of a console block, each with its output."""
        found: list[Command] = []
        for number, line in enumerate(self.body, self.line + 1):
            if line.startswith(PROMPT) or line == INTERRUPT:
                found.append(Command(line.removeprefix(PROMPT), number + 1))
            elif line.startswith(CONTINUED) and found and found[-1].text and not found[-1].output:
                found[-1].text += "\n" + line.removeprefix(CONTINUED)
                found[-1].line = number + 1
            else:
                if not found:
                    found.append(Command(None, number))
                found[-1].output.append(line)
        return found


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found: list[Block] = []
    fence = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if fence:
            if line == fence:
                fence = ""
            else:
                found[-1].body.append(line)
        elif match := _FENCE.fullmatch(line):
            fence, (language, *options) = match[1], (match[2].split() or [""])
            found.append(Block(number, language, dict(_option(word) for word in options), []))
    assert not fence, f"{page}: the block at line {found[-1].line} does not end"
    return found


def is_live(page: Path) -> bool:
    """Whether a page starts servers."""
    typed = [
        command.text or "" for block in blocks(page) if block.language == "console" for command in block.commands()
    ]
    return any(re.search(r"raftsim (demo|agent|cluster start)\b|-live\b", text) for text in typed)


def name_of(page: Path) -> str:
    return str(page.relative_to(DOCS))


def _option(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value
