"""Nomad's variables as a replicated state machine: (namespace, path) -> items, with check-and-set.

A command is msgpack: ("put", namespace, path, items, cas, time_ns) or ("delete", namespace, path, cas). `cas` is None
(do it anyway), 0 (only if absent) or a modify index (only if it is still that); it is judged when the command is
applied, so that every server judges alike. Times travel in the command, because a machine has no clock.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgpack

from raftsim.machine.base import InvalidRequest, Slices, at_once
from raftsim.machine.varstate import MAX_INT64, MAX_ITEMS_BYTES, MAX_UINT64, Key, Variable, pack_state, unpack_state

ANY_NAMESPACE: Final = "*"  # lists may name it, nothing else may
MAX_NAME_BYTES: Final = 8 << 10  # of a path or namespace in a deletion, which may name what cannot exist

_PARTS: Final = {"put": 6, "delete": 4}  # of a command, by its kind

_PATH: Final = re.compile(r"[a-zA-Z0-9_~/-]{1,128}")
_NAMESPACE: Final = re.compile(r"[a-zA-Z0-9-]{1,128}")
_RESERVED: Final = "nomad"
_OPEN_BELOW_NOMAD: Final = ("jobs", "job-templates", "sentinel")


def put_command(namespace: str, path: str, items: Mapping[str, str], cas: int | None, time_ns: int) -> bytes:
    """The command that sets the items of a variable. `time_ns` is the proposer's clock, since 1970."""
    return _pack(("put", namespace, path, dict(sorted(items.items())), cas, time_ns))


def delete_command(namespace: str, path: str, cas: int | None) -> bytes:
    """The command that removes a variable; removing an absent one is no error."""
    return _pack(("delete", namespace, path, cas))


def check_put(namespace: str, path: str, items: Mapping[str, str]) -> None:
    """Raise InvalidRequest, in the words of the operator API, unless such a variable may exist."""
    if not _PATH.fullmatch(path):
        raise InvalidRequest(f'invalid path "{path}"')
    size = 0
    for key, value in items.items():
        size += len(key.encode()) + len(value.encode())
    if size > MAX_ITEMS_BYTES:
        raise InvalidRequest("variables are limited to 64KiB in total size")
    if not _NAMESPACE.fullmatch(namespace):
        _check_not_wildcard(namespace)
        raise InvalidRequest(f'invalid namespace "{namespace}"')
    if path.startswith(_RESERVED):
        _check_reserved(path)


def _check_reserved(path: str) -> None:
    top, *below = path.split("/")
    if top == _RESERVED and not below:
        raise InvalidRequest(
            '"nomad" is a reserved top-level directory path, but you may write variables to '
            '"nomad/jobs", "nomad/job-templates", "nomad/sentinel", or below'
        )
    if top == _RESERVED and below[0] not in _OPEN_BELOW_NOMAD:
        raise InvalidRequest(
            'only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths '
            'under the top-level "nomad" directory'
        )


def check_delete(namespace: str, path: str) -> None:
    """Raise InvalidRequest unless such a variable may be named in a deletion."""
    _check_not_wildcard(namespace)
    if len(path.encode()) > MAX_NAME_BYTES or len(namespace.encode()) > MAX_NAME_BYTES:
        raise InvalidRequest("the name of the variable is too long")


class Variables:
    """A `Machine`. Results share nothing with the state, so that nobody can change it from outside.

    `apply` returns {"result": "ok" | "conflict", "variable": the variable (after a put, or in the way of a conflict)
    or None, "index": the log index if ok, else the modify index of what is in the way, 0 for nothing}.
    Queries: ("get", namespace, path) -> {"variable": ... or None, "index": int} and
    ("list", namespace or "*", prefix) -> {"variables": [metadata, ...] by namespace and path, "index": int}; the index
    of what is not one variable is the last index that touched any (at least 1).
    """

    def __init__(self) -> None:
        self._variables: dict[Key, Variable] = {}
        self._paths: dict[str, list[str]] = {}  # namespace -> its paths, sorted
        self._index = 1

    def check_command(self, data: bytes) -> None:
        _check(decode_command(data))

    def apply(self, index: int, data: bytes) -> dict[str, Any]:
        command = decode_command(data)
        if command[0] == "put":
            _, namespace, path, items, cas, time_ns = command
            return self._put(index, namespace, path, items, cas, time_ns)
        _, namespace, path, cas = command
        return self._delete(index, namespace, path, cas)

    def query(self, query: tuple[Any, ...]) -> dict[str, Any]:
        match query:
            case ("get", str(namespace), str(path)):
                found = self._variables.get((namespace, path))
                if found is None:
                    return {"variable": None, "index": self._index}
                return {"variable": found.full(), "index": found.modify_index}
            case ("list", str(namespace), str(prefix)):
                return {"variables": list(self._list(namespace, prefix)), "index": self._index}
        raise InvalidRequest("unknown query")

    def snapshot(self) -> Iterator[bytes]:
        # Copies of the tables only: records are never changed, and the paths are in order already.
        paths = {namespace: list(paths) for namespace, paths in self._paths.items()}
        return pack_state(self._index, dict(self._variables), paths)

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        self._index, self._variables, self._paths = yield from unpack_state(state)

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        """All variables count as made by the entry at `index`, at the times they had.

        So no check-and-set of before succeeds by chance, no index is one of another log, and blocking queries wake.
        """
        _, variables, paths = at_once(unpack_state(state))
        for variable in variables.values():
            variable.create_index = variable.modify_index = index
        self._index, self._variables, self._paths = index, variables, paths

    def digest(self) -> str:
        """A fingerprint of the whole state: equal exactly when two machines hold the same."""
        fingerprint = hashlib.sha256()
        for part in self.snapshot():
            fingerprint.update(part)
        return fingerprint.hexdigest()

    def _put(
        self, index: int, namespace: str, path: str, items: dict[str, str], cas: int | None, time_ns: int
    ) -> dict[str, Any]:
        key = (namespace, path)
        old = self._variables.get(key)
        if cas is not None and _conflicts(old, cas):
            return _conflict(old)
        if old is None:
            insort(self._paths.setdefault(namespace, []), path)
            new = Variable(namespace, path, items, index, time_ns, index, time_ns)
        else:
            new = Variable(namespace, path, items, old.create_index, old.create_time, index, time_ns)
        self._variables[key] = new
        self._index = index
        return {"result": "ok", "variable": new.full(), "index": index}

    def _delete(self, index: int, namespace: str, path: str, cas: int | None) -> dict[str, Any]:
        old = self._variables.get((namespace, path))
        if cas is not None and _conflicts(old, cas):
            return _conflict(old)
        if old is not None:
            del self._variables[namespace, path]
            paths = self._paths[namespace]
            del paths[bisect_left(paths, path)]
            if not paths:
                del self._paths[namespace]
            self._index = index
        return {"result": "ok", "variable": None, "index": index}

    def _list(self, namespace: str, prefix: str) -> Iterator[dict[str, Any]]:
        for name in sorted(self._paths) if namespace == ANY_NAMESPACE else [namespace]:
            paths = self._paths.get(name, [])
            for position in range(bisect_left(paths, prefix), len(paths)):
                if not paths[position].startswith(prefix):
                    break
                yield self._variables[name, paths[position]].metadata()


def _conflicts(old: Variable | None, cas: int) -> bool:
    return cas != (old.modify_index if old else 0)


def _conflict(old: Variable | None) -> dict[str, Any]:
    if old is None:
        return {"result": "conflict", "variable": None, "index": 0}
    return {"result": "conflict", "variable": old.full(), "index": old.modify_index}


def _check(command: tuple[Any, ...]) -> None:
    """Raise InvalidRequest unless `command`, decoded, can be applied in any state."""
    if command[0] == "put":
        _, namespace, path, items, cas, time_ns = command
        if not (type(namespace) is type(path) is str and type(items) is dict and _is_cas(cas) and _is_time(time_ns)):
            raise _neither()
        for key in items:
            if not type(key) is type(items[key]) is str:
                raise InvalidRequest("not a command: items map strings to strings")
        check_put(namespace, path, items)
    else:
        _, namespace, path, cas = command
        if not (type(namespace) is type(path) is str and _is_cas(cas)):
            raise _neither()
        check_delete(namespace, path)


def decode_command(data: bytes) -> tuple[Any, ...]:
    """The command in `data`: of a kind there is, with as many parts as that has. Raises InvalidRequest.

    By type and length, not by patterns: a leader does this twice for every write, and every follower once.
    """
    try:
        command = msgpack.unpackb(data, use_list=False)
    except (ValueError, msgpack.exceptions.UnpackException):
        raise InvalidRequest("not a command: not msgpack") from None
    if type(command) is tuple and command and type(command[0]) is str and _PARTS.get(command[0]) == len(command):
        return command
    raise _neither()


def _neither() -> InvalidRequest:
    return InvalidRequest("not a command: neither put nor delete")


def _is_cas(cas: object) -> bool:
    return cas is None or (type(cas) is int and 0 <= cas <= MAX_UINT64)


def _is_time(time_ns: object) -> bool:
    return type(time_ns) is int and 0 <= time_ns <= MAX_INT64


def _check_not_wildcard(namespace: str) -> None:
    if namespace == ANY_NAMESPACE:
        raise InvalidRequest('can not target wildcard ("*")namespace')


def _pack(value: object) -> bytes:
    packed: bytes = msgpack.packb(value)
    return packed
