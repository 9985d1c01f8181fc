"""`raftsim version`."""

from __future__ import annotations

import click

from raftsim import __version__
from raftsim.cli.go import GoCommand, option
from raftsim.cli.output import show_json


@click.command(
    "version",
    cls=GoCommand,
    examples=[
        ("Print the version", "raftsim version"),
        ("Print it for a script", "raftsim version -json"),
    ],
)
@option("json", dest="as_json", help="Output the version as JSON.")
def version(*, as_json: bool) -> None:
    """Print the version of raftsim."""
    if as_json:
        show_json({"Version": __version__})
    else:
        print(f"raftsim v{__version__}")
