"""Go-style command lines on click: `-json`, `--json`, `-peer-id=x`, `-peer-id x`, `-stale`, `-stale=false`.

An option is declared once, by its bare name, with `option`; commands are `GoCommand`s, groups are `GoGroup`s. Before
click sees an argument, `_Go.parse_args` rewrites it: every option becomes `--name=value`, then comes `--`, then the
rest. Click is left with types, environment variables, defaults and the call itself.

A command returns its exit code, or None for 0. It reports a failure with `Failure`, and wrong usage with
`click.get_current_context().fail(message)`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

import click

from raftsim.cli import help as layout

F = TypeVar("F", bound=Callable[..., Any])

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")
_NUMBERS = ("no", "one", "two", "three", "four")


class Failure(click.ClickException):
    """A command that ran and failed. `message` goes to stderr as it is, `hint` follows on a terminal only."""

    def __init__(self, message: str, hint: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class UnknownCommand(click.UsageError):
    """The word after a group names none of its commands."""


class Lazy(NamedTuple):
    """A command that is imported when it is called: `target` is "module:attribute", `summary` its line in the help."""

    target: str
    summary: str


class GoOption(click.Option):
    """An option; boolean when it has no `metavar`. `general` puts its help under General Options."""

    def __init__(self, *args: Any, general: bool, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.general = general
        self.boolean = self.metavar is None

    @property
    def names(self) -> list[str]:
        return [name.removeprefix("--") for name in self.opts]

    @property
    def forms(self) -> str:
        """The option as the help shows it."""
        return ", ".join(f"-{name}" if self.boolean else f"-{name}={self.metavar}" for name in self.names)

    def get_error_hint(self, ctx: click.Context | None) -> str:  # noqa: ARG002
        return f"-{self.names[0]}"


def option(
    *names: str, help: str, value: str = "", dest: str = "", general: bool = False, **attributes: Any
) -> Callable[[F], F]:
    """Declare an option by its bare names, the first one being the one that messages use.

    `value` is the placeholder of its value in the help; without it the option is boolean. `dest` is the name of the
    function's parameter, by default the first name with underscores. `attributes` go to `click.Option`.
    """
    kind = {} if value else {"type": click.BOOL, "default": False}
    declarations = [*(f"--{name}" for name in names), *([dest] if dest else [])]
    attributes = {"metavar": value or None, **kind, **attributes}
    return click.option(*declarations, cls=GoOption, help=help, general=general, **attributes)


class _Go(click.Command):
    """What commands and groups share: reading the arguments, and help in one layout.

    `examples` are pairs of a sentence and a command line. `usage_code` is the exit code of wrong usage.
    """

    def __init__(
        self, *args: Any, examples: Sequence[tuple[str, str]] = (), usage_code: int = 1, **attributes: Any
    ) -> None:
        super().__init__(*args, **{**attributes, "add_help_option": False})  # -help is read in _split
        self.examples = examples
        self.usage_code = usage_code

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options, rest = self._split(ctx, args)
        self._accept(ctx, rest)
        return super().parse_args(ctx, [*options, "--", *rest])

    def get_help(self, ctx: click.Context) -> str:
        options = [entry for entry in self.params if isinstance(entry, GoOption)]
        title = str(ctx.info_name).replace("-", " ").title()
        sections = (
            f"Usage: {ctx.command_path} {self._usage(ctx)}",
            layout.prose(self.help or ""),
            layout.commands(self._listing()),
            layout.options("General Options", [(entry.forms, entry.help or "") for entry in options if entry.general]),
            layout.options(
                f"{title} Options", [(entry.forms, entry.help or "") for entry in options if not entry.general]
            ),
            layout.examples(self.examples),
        )
        return layout.join(sections)

    def _split(self, ctx: click.Context, args: Sequence[str]) -> tuple[list[str], list[str]]:
        """The options in one form each, and the other arguments. `-help` shows the help and exits."""
        declared = {name: entry for entry in self.params if isinstance(entry, GoOption) for name in entry.names}
        options: list[str] = []
        rest: list[str] = []
        queue = list(args)
        while queue:
            arg = queue.pop(0)
            if arg == "--":
                break
            if arg == "-" or not arg.startswith("-"):
                rest.append(arg)
                if not ctx.allow_interspersed_args:
                    break
                continue
            name, equals, value = arg.removeprefix("-").removeprefix("-").partition("=")
            if name in {"h", "help"}:
                print(self.get_help(ctx))
                ctx.exit(0)
            entry = declared.get(name) or _unknown_option(ctx, name, declared)
            if entry.boolean:
                value = _bool(ctx, name, value if equals else "true")
            elif not equals:
                value = queue.pop(0) if queue else ctx.fail(f"flag needs an argument: -{name}")
            options.append(f"{entry.opts[0]}={value}")
        return options, rest + queue

    def _accept(self, ctx: click.Context, rest: list[str]) -> None:
        """Check the arguments that are no options. Raises UsageError."""
        raise NotImplementedError

    def _usage(self, ctx: click.Context) -> str:
        raise NotImplementedError

    def _listing(self) -> Mapping[str, Mapping[str, str]]:
        return {}


class GoCommand(_Go):
    """One command. Options may stand before, between and after its arguments."""

    def _accept(self, ctx: click.Context, rest: list[str]) -> None:
        arguments = [entry for entry in self.params if isinstance(entry, click.Argument)]
        least = sum(entry.required for entry in arguments)
        most = None if any(entry.nargs < 0 for entry in arguments) else len(arguments)
        if least <= len(rest) and (most is None or len(rest) <= most):
            return
        names = " ".join(entry.make_metavar(ctx) for entry in arguments)
        if not arguments:
            ctx.fail("This command takes no arguments")
        if least == 0:
            ctx.fail(f"This command takes either no arguments or {_NUMBERS[len(arguments)]}: {names}")
        at_least = "" if most == least else "at least "
        ctx.fail(f"This command takes {at_least}{_NUMBERS[least]} argument{'s' * (least > 1)}: {names}")

    def _usage(self, ctx: click.Context) -> str:
        arguments = [entry.make_metavar(ctx) for entry in self.params if isinstance(entry, click.Argument)]
        return " ".join(["[options]", *arguments])


class GoGroup(_Go, click.Group):
    """A group of commands, added with its decorators or given as `sections`: heading -> name -> Lazy."""

    command_class = GoCommand

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Lazy]] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.sections = sections or {}
        self.lazy = {name: entry for section in self.sections.values() for name, entry in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.lazy, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.lazy:
            return super().get_command(ctx, name)
        module, _, attribute = self.lazy[name].target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), name
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None:
            guess = closest(args[0], self.list_commands(ctx))
            raise UnknownCommand(f'Unknown command "{args[0]}".' + (f' Did you mean "{guess}"?' if guess else ""), ctx)
        return args[0], command, args[1:]

    def _accept(self, ctx: click.Context, rest: list[str]) -> None:
        if not rest:
            click.echo(self.get_help(ctx), err=True)
            ctx.exit(1)

    def _usage(self, ctx: click.Context) -> str:
        return "<subcommand> [options] [args]" if ctx.parent else "[-version] [-help] <command> [args]"

    def _listing(self) -> Mapping[str, Mapping[str, str]]:
        headings = {
            heading: {name: entry.summary for name, entry in section.items()}
            for heading, section in self.sections.items()
        }
        own = {name: layout.summary(command.help or "") for name, command in sorted(self.commands.items())}
        return {**headings, "Subcommands:": own} if own else headings


def _unknown_option(ctx: click.Context, name: str, declared: Mapping[str, GoOption]) -> NoReturn:
    guess = closest(name, list(declared))
    ctx.fail(f"flag provided but not defined: -{name}" + (f" (did you mean -{guess}?)" if guess else ""))


def _bool(ctx: click.Context, name: str, word: str) -> str:
    if word not in _TRUE + _FALSE:
        ctx.fail(f'invalid boolean value "{word}" for -{name}')
    return "true" if word in _TRUE else "false"


def closest(word: str, words: Sequence[str]) -> str:
    """The one of `words` that may have been meant, or an empty word."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, words, n=1)), "")
