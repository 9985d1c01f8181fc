"""`raftsim var`: the small key-value store that the cluster replicates."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import click

from raftsim.cli.client import ApiError, Client, record, records, reported, with_client
from raftsim.cli.go import Failure, GoGroup, option
from raftsim.cli.items import parse_items
from raftsim.cli.output import format_kv, format_list, go_quote, is_terminal, show_json

F = TypeVar("F", bound=Callable[..., Any])

_NOT_FOUND = 404
_CONFLICT = 409

var = GoGroup(
    "var",
    help="Put, get, list and purge variables: small sets of keys and values that the cluster replicates.",
    examples=[
        ("Create a variable", "raftsim var put app/config color=blue size=9"),
        ("Read it", "raftsim var get app/config"),
        ("List the variables below a prefix", "raftsim var list app/"),
        ("Delete it", "raftsim var purge app/config"),
    ],
)


def _check_index(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise click.UsageError(f"Invalid -check-index value {go_quote(text)}: not parsable as uint64")
    if int(text) >= 1 << 64:
        raise click.UsageError(f"Invalid -check-index value {go_quote(text)}: out of range for uint64")
    return int(text)


def _check_index_option(help: str) -> Callable[[F], F]:
    return option("check-index", "cas", value="<index>", type=_check_index, help=help)


def _output_options(on_terminal: str, *others: str) -> Callable[[F], F]:
    """-out and -json, as one parameter `out`: JSON in a pipe, something readable on a terminal."""
    choices = (on_terminal, *others, "json")

    def decide(ctx: click.Context, _: click.Parameter, out: str | None) -> str:
        if ctx.params.pop("as_json"):
            return "json"
        return out or (on_terminal if is_terminal(sys.stdout) else "json")

    def decorate(function: F) -> F:
        about = f'The form of the output. Defaults to "{on_terminal}" on a terminal and to "json" elsewhere.'
        add = option("out", value="|".join(choices), type=click.Choice(choices), callback=decide, help=about)
        as_json = option("json", dest="as_json", is_eager=True, help="Output JSON, the same as -out=json.")
        return add(as_json(function))

    return decorate


@var.command(
    "put",
    examples=[
        ("Create a variable", "raftsim var put app/config color=blue size=9"),
        ("Change it, if nobody else did since index 12", "raftsim var put -check-index=12 app/config color=red"),
        ("Take values from a file and from standard input", "raftsim var put app/tls cert=@cert.pem key=-"),
    ],
)
@click.argument("path", metavar="<path>")
@click.argument("pairs", metavar="<key>=<value>...", nargs=-1)
@_check_index_option(
    "Write only if this is the variable's modify index; 0, the default, writes only if there is no such variable."
)
@option("force", help="Write whatever is there.")
@_output_options("none", "table")
@with_client(namespace=True, writes=True)
def put(client: Client, *, path: str, pairs: tuple[str, ...], check_index: int | None, force: bool, out: str) -> None:
    """Create a variable, or replace all items of an existing one.

    A value of the form @file is read from that file, and the value - from standard input. A leading \\@ stands for a
    plain @.
    """
    _no_wildcard(client)
    if not pairs:
        click.get_current_context().fail("Must supply data")
    items = parse_items(pairs)
    path = path.strip(" /")
    document = {"Namespace": client.namespace or "default", "Path": path, "Items": items}
    query = {} if force else {"cas": str(check_index or 0)}
    with reported("Error creating variable"), _conflict(check_index or 0):
        variable = _variable(client.write("PUT", f"/v1/var/{path}", document, **query))
    if out == "none":
        index = variable.get("ModifyIndex", 0)
        print(f"Created variable {go_quote(str(variable.get('Path', '')))} with modify index {index}")
    else:
        _show(variable, out)


@var.command(
    "get",
    examples=[
        ("Read a variable", "raftsim var get app/config"),
        ("Read one value of it", "raftsim var get -item=color app/config"),
        ("Read it in a script", "raftsim var get -json app/config | jq .Items"),
    ],
)
@click.argument("path", metavar="<path>")
@option("item", value="<key>", default="", help="Print the value of this key alone, without a newline after it.")
@_output_options("table")
@with_client(namespace=True)
def get(client: Client, *, path: str, item: str, out: str) -> None:
    """Read a variable."""
    _no_wildcard(client)
    with reported("Error retrieving variable"):
        try:
            variable = _variable(client.read(f"/v1/var/{path.strip(' /')}"))
        except ApiError as error:
            if error.status == _NOT_FOUND and error.body == "variable not found":
                raise Failure("Variable not found") from error
            raise
    if not item:
        _show(variable, out)
        return
    items = variable["Items"]
    if item not in items:
        raise Failure(f"Variable does not contain {go_quote(item)} item")
    print(items[item], end="")


@var.command(
    "list",
    examples=[
        ("List all variables", "raftsim var list"),
        ("List those below a prefix, of every namespace", "raftsim var list -namespace='*' app/"),
    ],
)
@click.argument("prefix", metavar="[<prefix>]", default="")
@_output_options("table")
@with_client(namespace=True)
def list_variables(client: Client, *, prefix: str, out: str) -> None:
    """List variables.

    With a prefix, only those whose path begins with it.
    """
    with reported("Error retrieving vars"):
        found = records(client.read("/v1/vars", prefix=prefix))
    if out == "json":
        show_json(found)
    elif not found:
        print("No matching variables found")
    else:
        rows = sorted((str(entry.get("Namespace", "")), str(entry.get("Path", "")), _time(entry)) for entry in found)
        print(format_list([("Namespace", "Path", "Last Updated"), *rows]))


@var.command(
    "purge",
    examples=[
        ("Delete a variable", "raftsim var purge app/config"),
        ("Delete it, if nobody changed it since index 12", "raftsim var purge -check-index=12 app/config"),
    ],
)
@click.argument("path", metavar="<path>")
@_check_index_option("Delete only if this is the variable's modify index.")
@option("json", dest="as_json", help="Output what was deleted as JSON.")
@with_client(namespace=True, writes=True)
def purge(client: Client, *, path: str, check_index: int | None, as_json: bool) -> None:
    """Delete a variable for good."""
    _no_wildcard(client)
    query = {} if check_index is None else {"cas": str(check_index)}
    with reported("Error purging variable"), _conflict(check_index or 0):
        client.write("DELETE", f"/v1/var/{path.strip(' /')}", **query)
    if as_json:
        show_json({"Purged": {"Namespace": client.namespace or "default", "Path": path}})
    else:
        print(f"Successfully purged variable {go_quote(path)}!")


def _variable(answer: Any) -> dict[str, Any]:
    """The answer as a variable with Items. Raises ApiError when it is something else."""
    variable = record(answer)
    return {**variable, "Items": record(variable.get("Items") or {})}


def _show(variable: dict[str, Any], out: str) -> None:
    if out == "json":
        show_json(variable)
        return
    created, modified = _time(variable, "CreateTime"), _time(variable)
    rows = [
        ("Namespace", str(variable.get("Namespace", ""))),
        ("Path", str(variable.get("Path", ""))),
        ("Create Time", created),
        *([("Modify Time", modified)] if modified != created else []),
        ("Check Index", str(variable.get("ModifyIndex", ""))),
    ]
    items = sorted(variable["Items"].items())
    print(format_kv(rows) + "\n\nItems\n" + format_kv([(key, str(value)) for key, value in items]))


def _time(entry: dict[str, Any], key: str = "ModifyTime") -> str:
    """A time in nanoseconds as local time in RFC 3339; empty when it is none."""
    try:
        seconds = int(entry.get(key, 0)) // 1_000_000_000
        return datetime.fromtimestamp(seconds).astimezone().isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _no_wildcard(client: Client) -> None:
    if client.namespace == "*":
        raise Failure('The wildcard namespace ("*") is not valid for this command.')


@contextmanager
def _conflict(check_index: int) -> Iterator[None]:
    """Explain an answer of 409: the variable is not at `check_index`."""
    try:
        yield
    except ApiError as error:
        if error.status != _CONFLICT:
            raise
        current = _body(error)
        index = current.get("ModifyIndex", 0)
        updated = f"\n    The server-side item was last updated on {_time(current)}." if index else ""
        raise Failure(
            "\nCheck-and-Set conflict\n\n"
            f"    Your provided check-index ({check_index}) does not match the server-side index ({index}).{updated}\n"
            f"    To go ahead all the same, add -check-index={index}.\n"
        ) from error


def _body(error: ApiError) -> dict[str, Any]:
    try:
        return record(json.loads(error.body))
    except ValueError:
        raise error from None
