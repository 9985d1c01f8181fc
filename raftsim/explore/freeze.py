"""What makes two servers, or two messages, the same: a value that can be compared, renamed and hashed.

The value is made of all fields there are, so that a field that is added to the core later is not forgotten here; those
left out are named, with the reason.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from raftsim.core.config import Config

# Time is not explored; the rest explains things to people, or is empty between two turns.
IGNORED: Final = frozenset(
    {
        # of a server
        "settings", "rng", "started", "leader_contact", "election_deadline", "heartbeat_deadline", "transfer_deadline",
        "deadline",
        "round", "round_began", "announced", "last_election", "refusals", "uncommitted_bytes",
        "outbox", "promises", "events",
        # of a follower's progress
        "contact", "chunk_asked", "goal", "goal_set", "caught_up", "inflight_bytes",
        # of a message
        "reason",
        # of the disk: how many writes there were
        "last_seq",
    }
)  # fmt: skip
Frozen = Hashable


def freeze(value: Any) -> Frozen:
    """Equal for things that will always behave the same."""
    if value is None or isinstance(value, str | int | bytes | float):
        return value
    if isinstance(value, Config):  # its tuples are sets, sorted by name
        groups = (value.voters, value.outgoing, value.learners, value.learners_next)
        return ("Config", *(frozenset(group) for group in groups), value.auto_leave)
    if isinstance(value, Mapping):
        return frozenset((key, freeze(item)) for key, item in value.items())
    if isinstance(value, set | frozenset):
        return frozenset(freeze(item) for item in value)
    if isinstance(value, list | tuple | deque):
        return tuple(freeze(item) for item in value)
    names = _names(type(value), value)
    return (type(value).__name__, *(freeze(getattr(value, name)) for name in names))


_FIELDS: dict[type, tuple[str, ...]] = {}


def _names(kind: type, value: Any) -> tuple[str, ...]:
    names = _FIELDS.get(kind)
    if names is None:
        found = [field.name for field in fields(value)] if is_dataclass(value) else [*getattr(value, "__slots__", ())]
        names = _FIELDS[kind] = tuple(name for name in found or vars(value) if name not in IGNORED)
    return names


def rename(frozen: Any, names: Mapping[str, str]) -> Frozen:
    """The same with the servers' names exchanged."""
    if isinstance(frozen, str):
        return names.get(frozen, frozen)
    if isinstance(frozen, tuple):
        return tuple([rename(item, names) for item in frozen])
    if isinstance(frozen, frozenset):
        return frozenset([rename(item, names) for item in frozen])
    return frozen  # type: ignore[no-any-return]


def digest(frozen: Frozen) -> int:
    """64 bits that say which value it is, the same in every process."""
    return int.from_bytes(hashlib.blake2b(_text(frozen).encode(), digest_size=8).digest())


def _text(frozen: Any) -> str:
    if isinstance(frozen, tuple):
        return "(" + ",".join(map(_text, frozen)) + ")"
    if isinstance(frozen, frozenset):
        return "{" + ",".join(sorted(map(_text, frozen))) + "}"
    return repr(frozen)
