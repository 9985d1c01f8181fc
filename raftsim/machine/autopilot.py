"""The configuration of the autopilot as replicated state: a machine around any machine that keeps it beside the rest.

It is changed by commands with a prefix of their own and judged when they are applied, so every server has the same one
and snapshots hold it. All others go to the machine inside as they are. What was never changed is the default on every
server, as if the first entry of the log had said so: no entry is written for it, and a snapshot says nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass, replace
from itertools import chain
from typing import Any, Final

import msgpack

from raftsim.machine.base import InvalidRequest, Machine, Slices
from raftsim.machine.varstate import MAX_INT64, MAX_UINT64

PREFIX: Final = b"\xc1autopilot"  # begins neither MessagePack nor a command of a session

_LENGTH_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class AutopilotConfig:
    """What Nomad calls so, with its defaults. The three `enable`s and `disable`s are stored and have no effect.

    The indexes are those of the entries that made it and that changed it last.
    """

    last_contact_threshold_ns: int = 200_000_000
    server_stabilization_time_ns: int = 10_000_000_000
    cleanup_dead_servers: bool = True
    max_trailing_logs: int = 250
    min_quorum: int = 0
    enable_redundancy_zones: bool = False
    disable_upgrade_migration: bool = False
    enable_custom_upgrades: bool = False
    create_index: int = 1
    modify_index: int = 1


def set_command(config: AutopilotConfig, cas: int | None) -> bytes:
    """The command that replaces the configuration; its indexes do not count. With `cas`: only if last changed there."""
    packed: bytes = msgpack.packb((cas, astuple(config)))
    return PREFIX + packed


class WithAutopilot:
    """A `Machine`; `config` is the configuration in force.

    `apply` of a `set_command` returns {"applied": bool, "index": the index of the last change after it}. Queries are
    those of the machine inside, and ("autopilot",) -> the fields of `AutopilotConfig`.
    """

    def __init__(self, machine: Machine) -> None:
        self.config = AutopilotConfig()
        self._machine = machine

    def check_command(self, data: bytes) -> None:
        if data.startswith(PREFIX):
            decode_command(data)
        else:
            self._machine.check_command(data)

    def apply(self, index: int, data: bytes) -> Any:
        if not data.startswith(PREFIX):
            return self._machine.apply(index, data)
        cas, config = decode_command(data)
        applied = cas is None or cas == self.config.modify_index
        if applied:
            self.config = replace(config, create_index=self.config.create_index, modify_index=index)
        return {"applied": applied, "index": self.config.modify_index}

    def query(self, query: tuple[Any, ...]) -> Any:
        return asdict(self.config) if query == ("autopilot",) else self._machine.query(query)

    def snapshot(self) -> Iterator[bytes]:
        return chain(_head(self.config), self._machine.snapshot())

    def restore(self, state: Iterable[bytes]) -> Slices[None]:
        config, rest = _without_head(state)
        yield from self._machine.restore(rest)
        self.config = config  # in the slice in which the machine inside took its new state

    def replace(self, index: int, state: Iterable[bytes]) -> None:
        """The configuration counts as made by the entry at `index`."""
        config, rest = _without_head(state)
        self._machine.replace(index, rest)
        self.config = replace(config, create_index=index, modify_index=index)


def _head(config: AutopilotConfig) -> list[bytes]:
    if config == AutopilotConfig():
        return []
    packed = msgpack.packb(astuple(config))
    return [PREFIX + len(packed).to_bytes(_LENGTH_BYTES, "big") + packed]


def _without_head(state: Iterable[bytes]) -> tuple[AutopilotConfig, Iterator[bytes]]:
    """The configuration and the state of the machine inside. Raises ValueError if it begins as a head and is none."""
    rest = iter(state)
    begin = len(PREFIX) + _LENGTH_BYTES
    pieces = _taken(rest, begin)
    start = b"".join(pieces)
    if not start.startswith(PREFIX):
        return AutopilotConfig(), chain(pieces, rest)
    end = begin + int.from_bytes(start[len(PREFIX) : begin], "big")
    start += b"".join(_taken(rest, end - len(start)))
    try:
        config = _config(msgpack.unpackb(start[begin:end], use_list=False))
    except (ValueError, msgpack.UnpackException):
        raise ValueError("not a configuration of the autopilot") from None
    return config, chain([start[end:]], rest)


def _taken(pieces: Iterator[bytes], size: int) -> list[bytes]:
    """Pieces of at least `size` bytes together, if there are so many."""
    taken: list[bytes] = []
    while sum(map(len, taken)) < size and (piece := next(pieces, None)) is not None:
        taken.append(piece)
    return taken


def decode_command(data: bytes) -> tuple[int | None, AutopilotConfig]:
    """What `set_command` was given. Raises InvalidRequest."""
    try:
        match msgpack.unpackb(data[len(PREFIX) :], use_list=False):
            case (cas, tuple(fields)) if cas is None or _is_whole(cas, 0, MAX_UINT64):
                return cas, _config(fields)
    except (ValueError, msgpack.UnpackException):
        pass
    raise InvalidRequest("not a command: no configuration of the autopilot")


def _config(fields: Any) -> AutopilotConfig:
    """Raises ValueError."""
    if type(fields) is tuple and len(fields) == len(AutopilotConfig.__slots__):
        flags, durations, counts = (fields[2], *fields[5:8]), fields[:2], (*fields[3:5], *fields[8:])
        if (
            all(type(flag) is bool for flag in flags)
            and all(_is_whole(duration, -MAX_INT64, MAX_INT64) for duration in durations)
            and all(_is_whole(count, 0, MAX_UINT64) for count in counts)
        ):
            return AutopilotConfig(*fields)
    raise ValueError("not a configuration of the autopilot")


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most
