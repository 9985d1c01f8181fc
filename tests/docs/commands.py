"""The reference of the commands, made from their own help. `python -m tests.docs.commands` writes it."""

from __future__ import annotations

from tests.cli.golden import helps
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "commands.md"
BEGINNING = """# Commands

Made from the commands' own help: `raftsim <command> -help`. Options are written `-x`, `--x`, `-x=value` or `-x value`;
`-x=false` switches one off.

## Exit codes

| Code | Means |
|---|---|
| 0 | success |
| 1 | any error |
| 70 | a bug in raftsim; its traceback is in `last-crash.txt` in the state folder |
| 127 | unknown command |
| 130 | interrupted with Ctrl-C |
| 141 | the reader of the output went away |

`raftsim run`, `raftsim sweep` and `raftsim shrink` have [codes of their
own](scenario-language.md#verdicts-and-exit-codes). For the commands that read traces, 2 is a file that is no whole
trace; `raftsim replay` and `raftsim diff` end with 1 when runs differ.

## Environment

| Variable | Means |
|---|---|
| `NOMAD_ADDR` | the server to talk to |
| `NOMAD_REGION` | the region to send requests to |
| `NOMAD_NAMESPACE` | the namespace of variables |
| `NOMAD_TOKEN` | a token, sent and ignored |
| `NOMAD_CLI_SHOW_HINTS` | `0` turns off the hints that follow some errors on a terminal |
| `RAFTSIM_HOME` | the state folder: local clusters, crash reports; by default `~/.local/state/raftsim` |
"""


def text() -> str:
    """The page as it must be."""
    sections = [f"## {path}\n\n```text\n{help}```\n" for path, help in helps().items()]
    return "\n".join([BEGINNING, *sections])


if __name__ == "__main__":
    PAGE.write_text(text())
