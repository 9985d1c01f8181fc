"""Entries and configurations as plain tuples and back: the one form shared by the disk and the wire.

`*_from_plain` trust nothing: anything that is not exactly the form raises ProtocolViolation. What came later (founders,
incarnations, returning members) is left out where it is empty, so logs from before it are read, and every value has
one form.
"""

from __future__ import annotations

from typing import Any

from raftsim.core.config import Config, ConfigError, Server, check
from raftsim.core.entry import COMMAND, CONFIG, INCARNATIONS, NOOP, RESTORE_STEP, Entry, HardState, SnapshotMeta
from raftsim.core.errors import ProtocolViolation

Plain = tuple[Any, ...]


def entry_to_plain(entry: Entry) -> Plain:
    data = entry.data
    return (entry.term, entry.kind, config_to_plain(data) if isinstance(data, Config) else data)


def entry_from_plain(plain: object) -> Entry:
    # By type and length, not by patterns: a restart reads a million of these.
    if type(plain) is tuple and len(plain) == 3:
        term, kind, data = plain
        if type(term) is int and term >= 0 and type(kind) is int:
            if type(data) is bytes and kind in (NOOP, COMMAND, RESTORE_STEP):
                return Entry(term, kind, data)
            if kind == CONFIG:
                return Entry(term, CONFIG, config_from_plain(data))
    raise ProtocolViolation("not an entry")


def config_to_plain(config: Config) -> Plain:
    groups = (config.voters, config.outgoing, config.learners, config.learners_next)
    returning = (config.returning,) if config.returning else ()
    return (*groups, config.auto_leave, tuple(map(_server_to_plain, config.servers)), *returning)


def config_from_plain(plain: object) -> Config:
    match plain:
        case (voters, outgoing, learners, learners_next, bool(auto_leave), tuple(servers), *returning) if (
            len(returning) <= 1 and () not in returning
        ):
            members = tuple(map(_server_from_plain, servers))
            groups = (_ids(voters), _ids(outgoing), _ids(learners), _ids(learners_next))
            try:
                return check(Config(*groups, auto_leave, members, *map(_ids, returning)))
            except ConfigError as error:
                raise ProtocolViolation(f"not a configuration: {error}") from None
    raise ProtocolViolation("not a configuration")


def meta_to_plain(meta: SnapshotMeta) -> Plain:
    return (meta.index, meta.term, config_to_plain(meta.config), meta.config_index)


def meta_from_plain(plain: object) -> SnapshotMeta:
    match plain:
        case (int(index), int(term), config, int(config_index)) if 0 <= config_index <= index and index > 0 <= term:
            return SnapshotMeta(index, term, config_from_plain(config), config_index)
    raise ProtocolViolation("not a snapshot")


def hard_to_plain(hard: HardState) -> Plain:
    return (hard.term, hard.vote, True) if hard.founder else (hard.term, hard.vote)


def hard_from_plain(plain: object) -> HardState:
    match plain:
        case (int(term), str() | None as vote) if term >= 0:
            return HardState(term, vote)
        case (int(term), str() | None as vote, True) if term >= 0:
            return HardState(term, vote, founder=True)
    raise ProtocolViolation("not a vote record")


def _server_to_plain(server: Server) -> Plain:
    return (server.id, server.address, *((server.incarnation,) if server.incarnation else ()))


def _server_from_plain(plain: object) -> Server:
    match plain:
        case (str(id), str(address)):
            return Server(id, address)
        case (str(id), str(address), int(incarnation)) if 0 < incarnation <= INCARNATIONS:
            return Server(id, address, incarnation)
    raise ProtocolViolation("not a member")


def _ids(plain: object) -> tuple[str, ...]:
    if isinstance(plain, tuple) and all(isinstance(id, str) for id in plain):
        return plain
    raise ProtocolViolation("not a list of ids")
