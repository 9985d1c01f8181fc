"""The command line as a whole: its commands, and how each ending becomes an exit code.

0 success; 1 any error; 70 a bug, its traceback in a file; 127 unknown command; 130 Ctrl-C; 141 the reader of stdout
went away. A command may return other codes of its own.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

from raftsim.cli.go import Failure, GoGroup, Lazy, UnknownCommand
from raftsim.cli.output import show_hint

COMMANDS = {
    "Start here": {
        "demo": Lazy("raftsim.cli.demo:demo", "Start a local cluster and show what happens in it"),
        "run": Lazy("raftsim.cli.run:run", "Run failover scenarios, in virtual time or -live"),
        "sweep": Lazy("raftsim.cli.sweep:sweep", "Run many seeds of a scenario, or of everything at random"),
        "mutants": Lazy("raftsim.cli.mutants:mutants", "Plant known bugs and see them found"),
        "shrink": Lazy("raftsim.cli.shrink:shrink", "Reduce a run that fails to the smallest scenario found"),
        "explore": Lazy("raftsim.cli.explore:explore", "Explore every run of a small cluster"),
        "experiment": Lazy("raftsim.cli.experiment:experiment", "Reproduce published measurements of Raft"),
        "version": Lazy("raftsim.cli.version:version", "Print the version"),
    },
    "Operate (same words as nomad)": {
        "operator": Lazy("raftsim.cli.operator:operator", "Look at the Raft peers and remove one"),
        "server": Lazy("raftsim.cli.server:server", "See which servers are alive"),
        "var": Lazy("raftsim.cli.var:var", "Put, get, list and purge variables"),
        "agent": Lazy("raftsim.cli.agent:agent", "Run one server"),
        "agent-info": Lazy("raftsim.cli.agentinfo:agent_info", "Show the state of one server in numbers"),
    },
    "Read traces": {
        "explain": Lazy("raftsim.cli.explain:explain", "Tell a trace, or the causes of one event, in sentences"),
        "replay": Lazy("raftsim.cli.replay:replay", "Run a trace again and tell whether it is the same"),
        "diff": Lazy("raftsim.cli.diff:diff", "Find the first event in which two traces differ"),
        "export": Lazy("raftsim.cli.export:export", "Write a trace in the form of another tool"),
    },
    "Break and observe": {
        "why": Lazy("raftsim.cli.why:why", "Tell why the cluster is as it is"),
        "advise": Lazy("raftsim.cli.advise:advise", "Propose election timeouts, from what is measured or said"),
        "cluster": Lazy("raftsim.cli.cluster:cluster", "Create, start and break local clusters"),
    },
}
_VERSION_FLAGS = ("-v", "-version", "--version")

raftsim = GoGroup(
    "raftsim",
    sections=COMMANDS,
    help="A Raft cluster you can break: real consensus, Nomad's operator API, virtual or real time.",
    examples=[
        ("See the options and examples of a command", "raftsim operator raft list-peers -help"),
        ("Start a cluster", "raftsim demo"),
        ("Talk to the server that NOMAD_ADDR names", "raftsim operator raft list-peers"),
    ],
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line, by default that of the process, and return its exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal's narrow encoding must not lose an answer
    try:
        try:
            return _run(["version", *args[1:]] if args[:1] and args[0] in _VERSION_FLAGS else args)
        finally:
            _finish_output()
    except BrokenPipeError:
        return 141
    except OSError as error:  # a full disk, a folder that may not be written: trouble of the machine, not a bug
        print(f"raftsim: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last resort: a person never gets a traceback
        _report_bug(error)
        return 70


def _run(args: list[str]) -> int:
    try:
        with raftsim.make_context("raftsim", args) as ctx:
            return raftsim.invoke(ctx) or 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except Failure as error:
        print(error.message, file=sys.stderr)
        if error.hint:
            show_hint(error.hint)
        return error.code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "raftsim"
        print(f"{error.format_message()}\nFor additional help try '{path} -help'", file=sys.stderr)
        if isinstance(error, UnknownCommand):
            return 127
        return getattr(error.ctx and error.ctx.command, "usage_code", 1)
    except click.Abort:
        return 130


def _finish_output() -> None:
    """Write out what was printed. What cannot be written is dropped, or the interpreter would try again at its exit."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _report_bug(error: Exception) -> None:
    """Keep the traceback of the last bug in a file and tell where it is."""
    import traceback

    from raftsim.cluster.home import state_folder

    print(f"raftsim: internal error: {type(error).__name__}: {error}", file=sys.stderr)
    path = state_folder() / "last-crash.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="backslashreplace")
    except OSError as problem:
        print(f"The details could not be saved in {path}: {problem.strerror}", file=sys.stderr)
    else:
        print(f"This is a bug in raftsim. The details are in {path}", file=sys.stderr)
