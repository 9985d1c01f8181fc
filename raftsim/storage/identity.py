"""Whose data this is. A log must never be continued by another server or in another cluster (B44)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from raftsim.core.entry import INCARNATIONS
from raftsim.storage.errors import StorageError
from raftsim.storage.files import Directory, publish

FORMAT: Final = 1
FILE: Final = "identity.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """`incarnation`: the random number of this store (core/founding.py); 0 if it has none."""

    cluster_id: str
    server_id: str
    incarnation: int = 0


def read(directory: Directory) -> Identity | None:
    """The identity kept in `directory`, or None if there is none. Raises StorageError, OSError."""
    if FILE not in directory.names():
        return None
    path = f"{directory.path}/{FILE}"
    file = directory.open(FILE)
    try:
        content = file.read()
    finally:
        file.close()
    try:
        found = json.loads(content)
    except ValueError:
        raise StorageError(f"{path}: not valid JSON") from None
    match found:
        case {"format": int(number)} if number != FORMAT:
            raise StorageError(f"{path}: format {number}; this program reads format {FORMAT} only")
        case {"format": int(), "cluster_id": str(cluster_id), "server_id": str(server_id)}:
            incarnation = found.get("incarnation", 0)
            if type(incarnation) is int and 0 <= incarnation <= INCARNATIONS:
                return Identity(cluster_id, server_id, incarnation)
    raise StorageError(
        f"{path}: not an identity: it needs format, cluster_id, server_id and an incarnation that is a number"
    )


def write(directory: Directory, identity: Identity) -> None:
    """Keep `identity`, durably and atomically. Raises OSError."""
    plain: dict[str, str | int] = {"format": FORMAT, "cluster_id": identity.cluster_id, "server_id": identity.server_id}
    if identity.incarnation:
        plain["incarnation"] = identity.incarnation
    publish(directory, FILE, (json.dumps(plain) + "\n").encode())


def check(directory: Directory, found: Identity, expected: Identity) -> None:
    """Raise StorageError, with both values, unless they are the same."""
    for what, ours, theirs in (
        ("cluster", expected.cluster_id, found.cluster_id),
        ("server", expected.server_id, found.server_id),
    ):
        if ours != theirs:
            raise StorageError(f"{directory.path}: holds the data of {what} {theirs!r}, this is {what} {ours!r}")
