"""The variables as records, and all of them as bytes: what a snapshot of `Variables` holds.

MessagePack objects one after another: a header ("variables", format, last index, how many), then every variable as a
tuple of its fields, by namespace and path, its items by key. So equal states give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from raftsim.machine.base import Slices

MAX_ITEMS_BYTES: Final = 64 << 10  # keys and values of one variable
MAX_UINT64: Final = (1 << 64) - 1
MAX_INT64: Final = (1 << 63) - 1

_KIND: Final = "variables"
_FORMAT: Final = 1
_PART_BYTES: Final = 1 << 20
_SLICE_BYTES: Final = 64 << 10  # taken in between two looks at the rest of the world: some milliseconds of work

_PAUSE: Final = object()

Key = tuple[str, str]  # namespace, path


@dataclass(slots=True)
class Variable:
    """Never changed once made: a snapshot that is being written shares it with the machine."""

    namespace: str
    path: str
    items: dict[str, str]
    create_index: int
    create_time: int
    modify_index: int
    modify_time: int

    def metadata(self) -> dict[str, Any]:
        return {
            "CreateIndex": self.create_index,
            "CreateTime": self.create_time,
            "ModifyIndex": self.modify_index,
            "ModifyTime": self.modify_time,
            "Namespace": self.namespace,
            "Path": self.path,
        }

    def full(self) -> dict[str, Any]:
        variable = self.metadata()
        if self.items:
            variable["Items"] = dict(self.items)
        return variable


def pack_state(index: int, variables: Mapping[Key, Variable], paths: Mapping[str, list[str]]) -> Iterator[bytes]:
    """The state in parts of about a megabyte. `paths`: those of each namespace, sorted. Nothing may change meanwhile.

    Each variable is packed by itself: whoever shares the interpreter is never kept waiting for a whole part.
    """
    pack = msgpack.Packer().pack
    part = bytearray(pack((_KIND, _FORMAT, index, len(variables))))
    for namespace in sorted(paths):
        for path in paths[namespace]:
            found = variables[namespace, path]
            items = dict(sorted(found.items.items()))
            indexes = (found.create_index, found.create_time, found.modify_index, found.modify_time)
            part += pack((namespace, path, items, *indexes))
            if len(part) >= _PART_BYTES:
                yield bytes(part)
                part.clear()
    yield bytes(part)


def unpack_state(state: Iterable[bytes]) -> Slices[tuple[int, dict[Key, Variable], dict[str, list[str]]]]:
    """The last index, the variables in order, and the paths of each namespace: what `pack_state` was given.

    Raises ValueError for what that cannot have given.
    """
    plains = _plains(state)
    while (head := next(plains, None)) is _PAUSE:
        yield
    match head:
        case (kind, int(version), int(index), int(count)) if kind == _KIND and version == _FORMAT and index > 0:
            variables: dict[Key, Variable] = {}
            paths: dict[str, list[str]] = {}
        case _:
            raise ValueError(f"not a state of {_KIND} in format {_FORMAT}")
    last: Key | None = None
    for plain in plains:
        if plain is _PAUSE:
            yield
            continue
        variable = _variable(plain, index)
        key = (variable.namespace, variable.path)
        if last is not None and key <= last:
            raise ValueError(f"variables out of order: {key} after {last}")
        variables[key] = variable
        paths.setdefault(variable.namespace, []).append(variable.path)
        last = key
    if len(variables) != count:
        raise ValueError(f"{len(variables)} variables where {count} are announced")
    return index, variables, paths


def _plains(state: Iterable[bytes]) -> Iterator[Any]:
    """What was packed, object by object, and _PAUSE where a slice ends."""
    # Nothing of a state is an extension or longer than this: what bytes merely announce is not made room for.
    unpacker = msgpack.Unpacker(
        use_list=False,
        max_buffer_size=4 * _PART_BYTES,
        max_str_len=MAX_ITEMS_BYTES,
        max_map_len=MAX_ITEMS_BYTES,
        max_array_len=16,
        max_bin_len=0,
        max_ext_len=0,
    )
    fed = 0
    try:
        for part in state:
            fed += len(part)
            for start in range(0, len(part), _SLICE_BYTES):
                unpacker.feed(part[start : start + _SLICE_BYTES])
                yield from unpacker
                yield _PAUSE
        # Raises as well if it has begun to make something of the rest; and msgpack in Python if asked for more.
        rest = unpacker.read_bytes(fed - unpacker.tell())
    except (ValueError, msgpack.UnpackException) as error:
        raise ValueError(f"not a state, or not a whole one: {error or type(error).__name__}") from None
    if rest:
        raise ValueError("not a whole state")


def _variable(plain: Any, last_index: int) -> Variable:
    if type(plain) is tuple and len(plain) == 7:
        namespace, path, items, created, create_time, modified, modify_time = plain
        names = type(namespace) is type(path) is str and type(items) is dict
        indexes = type(created) is type(modified) is int and 0 < created <= modified <= last_index
        times = type(create_time) is type(modify_time) is int and create_time >= 0 <= modify_time
        if names and indexes and times and all(type(key) is type(items[key]) is str for key in items):
            return Variable(*plain)
    raise ValueError("not a variable")
