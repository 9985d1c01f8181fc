"""`raftsim operator raft info|logs|state`: what is on a server's disk, without asking the server.

Nothing is locked and nothing is changed, so the server may be stopped or running. What was not committed yet is shown
like everything else, for a disk alone does not say what is.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from raftsim.cli.go import Failure, GoCommand, option

if TYPE_CHECKING:
    from raftsim.core.config import Config
    from raftsim.core.entry import Entry, SnapshotMeta
    from raftsim.storage.inspect import Inspection

F = TypeVar("F", bound=Callable[..., Any])

_LOG_TYPES: Final = ("LogNoop", "LogCommand", "LogConfiguration", "LogRestoreStep")  # by the kind of an entry
_FIELDS: Final = {
    "put": ("Namespace", "Path", "Items", "CheckIndex", "Time"),
    "delete": ("Namespace", "Path", "CheckIndex"),
}
_AUTOPILOT: Final = b"\xc1autopilot"  # what a command for the autopilot begins with
_SESSION: Final = b"\xc1"  # what a command of a client session begins with
_VOTER, _NONVOTER = 0, 1  # as Nomad's logs have them


def _command(name: str, *examples: tuple[str, str]) -> Callable[[F], Any]:
    return click.command(name, cls=GoCommand, examples=examples)


@_command("info", ("Look at the log of a server", "raftsim operator raft info /var/lib/raftsim"))
@click.argument("path", metavar="<path>", type=Path)
def info(*, path: Path) -> None:
    """Display how much is in the Raft log of a data directory.

    The path is that of the data directory, of the server directory in it, or of the raft directory in that one. The
    server may be stopped or running; nothing is changed.
    """
    found = inspected(path)
    print(f"path:        {found.path}")
    print(f"length:      {len(found.restored.entries)}")
    print(f"first index: {found.first_index}")
    print(f"last index:  {found.last_index}")
    warn(found.notes)


@_command(
    "logs",
    ("Every entry, one a line", "raftsim operator raft logs /var/lib/raftsim"),
    ("The same for reading", "raftsim operator raft logs -pretty /var/lib/raftsim"),
)
@option("pretty", help="Spread each entry over several lines.")
@click.argument("path", metavar="<path>", type=Path)
def logs(*, path: Path, pretty: bool) -> None:
    """Display the entries in the Raft log of a data directory as JSON.

    Entries that were not committed yet are among them. Those that a snapshot stands for may be gone. The server may be
    stopped or running; nothing is changed.
    """
    found = inspected(path)
    warnings = list(found.notes)
    for index, entry in enumerate(found.restored.entries, found.restored.base_index + 1):
        document: dict[str, Any] = {"LogType": _LOG_TYPES[entry.kind], "Term": entry.term, "Index": index}
        try:
            document.update(_contents(entry))
        except ValueError as error:
            warnings.append(f"index {index}: {error}")
        _print_json(document, pretty=pretty)
    warn(warnings)


@_command(
    "state",
    ("What a server would know after its whole log", "raftsim operator raft state /var/lib/raftsim"),
    ("What was true after the entry with index 12", "raftsim operator raft state -last-index=12 /var/lib/raftsim"),
)
@option(
    "last-index", value="<index>", type=click.IntRange(min=0), default=0, help="Stop after this entry, 0: the last."
)
@click.argument("path", metavar="<path>", type=Path)
def state(*, path: Path, last_index: int) -> None:
    """Display the state that a data directory leads to, as JSON.

    The log is applied to the newest snapshot before its end. Entries that were not committed yet are applied, too. The
    server may be stopped or running; nothing is changed.
    """
    found = inspected(path)
    _print_json(_state(found, min(last_index or found.last_index, found.last_index)), pretty=True)
    warn(found.notes)


# where it is


def inspected(path: Path) -> Inspection:
    """The data that `path` is about. Raises Failure."""
    from raftsim.storage.errors import StorageError
    from raftsim.storage.inspect import inspect

    try:
        return inspect(_server_directory(path))
    except StorageError as error:
        raise Failure(f"failed to open raft logs: {error}") from error


def _server_directory(path: Path) -> Path:
    places = [path / "server", path, *([path.parent] if path.name == "raft" else [])]
    for place in places:
        if (place / "raft" / "wal").is_dir():
            return place
    raise Failure(f"no raft store (raft.db or wal/) found in {path}")


# what is in it


def _contents(entry: Entry) -> dict[str, Any]:
    """The type and body of an entry, as far as they are not empty. Raises ValueError."""
    from raftsim.core.entry import RESTORE_STEP

    if not isinstance(entry.data, bytes):
        return {"Body": _configuration(entry.data)}
    if not entry.data:
        return {}
    if entry.kind == RESTORE_STEP:
        return {"Bytes": len(entry.data)}
    if entry.data.startswith(_AUTOPILOT):
        return {"CommandType": "autopilot", "Body": _autopilot(entry.data)}
    if entry.data.startswith(_SESSION):
        return {"CommandType": "session", "Body": _plain(_unpacked(entry.data.removeprefix(_SESSION)))}
    match _unpacked(entry.data):
        case [str(name), *rest]:
            fields = _FIELDS.get(name, ())
            body = dict(zip(fields, rest, strict=True)) if len(fields) == len(rest) else rest
            return {"CommandType": name, "Body": _plain(body)}
        case other:
            return {"Body": _plain(other)}


def _autopilot(command: bytes) -> dict[str, Any]:
    from dataclasses import asdict

    from raftsim.machine.autopilot import decode_command

    cas, config = decode_command(command)
    return {**asdict(config), "CheckIndex": cas}


def _unpacked(data: bytes) -> Any:
    import msgpack

    try:
        return msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException):
        raise ValueError("the command is not MessagePack; its body is left out") from None


def _plain(value: Any) -> Any:
    """`value` for JSON: bytes are a command inside, or else base64."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes):
        try:
            return _plain(_unpacked(value))
        except ValueError:
            return b64encode(value).decode()
    return value


def _configuration(config: Config) -> dict[str, Any]:
    servers = [
        {"Suffrage": _VOTER if config.is_voter(server.id) else _NONVOTER, "ID": server.id, "Address": server.address}
        for server in config.servers
    ]
    return {"Servers": servers, **({"Outgoing": list(config.outgoing)} if config.joint else {})}


def _state(found: Inspection, last_index: int) -> dict[str, Any]:
    from raftsim.core.entry import COMMAND, RESTORE_STEP
    from raftsim.machine.autopilot import WithAutopilot
    from raftsim.machine.base import at_once
    from raftsim.machine.sessions import Sessions
    from raftsim.machine.variables import Variables
    from raftsim.node.restore import Staging

    variables = Variables()
    machine = WithAutopilot(Sessions(variables))
    restored = found.restored
    base = 0
    usable = [meta for meta, _ in found.snapshots if restored.base_index <= meta.index <= last_index]
    if usable:
        base = usable[-1].index
        try:
            at_once(machine.restore(_snapshot(found, usable[-1])))
        except ValueError:  # taken before there were sessions around it
            at_once(variables.restore(_snapshot(found, usable[-1])))
    elif restored.base_index:
        raise Failure(f"what led to the state at index {last_index} is not in the log any more")
    entries = restored.entries[base - restored.base_index : last_index - restored.base_index]
    staging = Staging(machine)
    for index, entry in enumerate(entries, base + 1):
        if isinstance(entry.data, bytes):
            if entry.kind == COMMAND:
                machine.apply(index, entry.data)
            elif entry.kind == RESTORE_STEP:
                staging.apply(index, entry.data)
    keys = [(each["Namespace"], each["Path"]) for each in variables.query(("list", "*", ""))["variables"]]
    return {"Index": last_index, "Variables": [variables.query(("get", *key))["variable"] for key in keys]}


def _snapshot(found: Inspection, meta: SnapshotMeta) -> list[bytes]:
    from raftsim.storage.datadir import SNAPSHOTS
    from raftsim.storage.errors import StorageError
    from raftsim.storage.files import OsDirectory
    from raftsim.storage.snapshots import Snapshots

    try:
        return list(Snapshots(OsDirectory(Path(found.path).parent / SNAPSHOTS, make=False)).load(meta))
    except (StorageError, OSError) as error:
        raise Failure(f"failed to read the snapshot at index {meta.index}: {error}") from error


# how it is shown


def _print_json(document: dict[str, Any], *, pretty: bool) -> None:
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    print(json.dumps(document, ensure_ascii=False, **layout))


def warn(warnings: list[str]) -> None:
    """At the end, so that they are seen."""
    for warning in warnings:
        print(f"Warning: {warning}", file=sys.stderr)
