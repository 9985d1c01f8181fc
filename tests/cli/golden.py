"""The help of every command as it was approved. `python -m tests.cli.golden` approves it as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from raftsim.cli.go import GoGroup
from raftsim.cli.main import raftsim

FOLDER = Path(__file__).parent / "golden"


def helps() -> dict[str, str]:
    """The help text of each command by its path, such as "raftsim var get"."""
    return dict(_helps(raftsim, click.Context(raftsim, info_name="raftsim")))


def golden(path: str) -> Path:
    return FOLDER / f"{path.replace(' ', '-')}.txt"


def _helps(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    yield ctx.command_path, command.get_help(ctx) + "\n"
    if isinstance(command, GoGroup):
        for name in command.list_commands(ctx):
            child = command.get_command(ctx, name)
            assert child is not None
            yield from _helps(child, click.Context(child, info_name=name, parent=ctx))


if __name__ == "__main__":
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for path, text in helps().items():
        golden(path).write_text(text)
