"""What the fields of each kind of event look like in a file: as much of it as anybody reads.

A shape is a type (exactly this one), None, the name of a type of objects below, `dict` (an object of any type), a tuple
(one of these), a list of one (any number of these) or of more (exactly these), or `object` (anything).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from raftsim.trace import events

_MESSAGE: Final = {"src": str, "dst": str}
_TERM: Final = {"term": int, **_MESSAGE}
_IDS: Final = [str]

OBJECTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Vote": {**_TERM, "last_index": int, "last_term": int, "pre": bool, "force": bool},
    "VoteReply": {**_TERM, "granted": bool, "pre": bool, "reason": str},
    "Append": {**_TERM, "prev_index": int, "prev_term": int, "entries": ["Entry"], "commit": int},
    "AppendReply": {**_TERM, "ok": bool, "index": int, "hint_index": int, "hint_term": int},
    "Install": {**_TERM, "meta": "SnapshotMeta", "offset": int, "last": bool},
    "InstallReply": {**_TERM, "index": int, "offset": int, "done": bool},
    "TimeoutNow": _TERM,
    "Hail": {**_TERM, "answer": bool},
    "Relay": {**_MESSAGE, "request": dict},
    "RelayReply": {**_MESSAGE, "outcome": "Outcome"},
    "Ping": _MESSAGE,
    "Entry": {"term": int, "kind": int, "data": (str, "Config")},
    "Config": {"voters": _IDS, "outgoing": _IDS, "learners": _IDS, "servers": ["Server"]},
    "Server": {"id": str, "address": str},
    "HardState": {"term": int, "vote": (str, None)},
    "SnapshotMeta": {"index": int, "term": int, "config": "Config"},
    "Restored": {
        "hard": "HardState",
        "entries": ["Entry"],
        "base_index": int,
        "base_term": int,
        "snapshot": ("SnapshotMeta", None),
    },
    "Write": {
        "seq": int,
        "hard": ("HardState", None),
        "first_index": int,
        "entries": ["Entry"],
        "chunk": ("Chunk", None),
    },
    "Chunk": {"meta": "SnapshotMeta", "offset": int, "last": bool},
    "RoleChanged": {"role": str, "term": int, "leader": (str, None)},
    "ConfigChanged": {"index": int, "config": "Config"},
    "Committed": {"index": int, "role": str, "term": int},
    "MemoryLost": {"witness": str},
    "Outcome": {"kind": str, "reason": str, "value": object},
    "Command": {"data": str},
    "Query": {"query": list, "stale": bool},
}
MESSAGES: Final = (
    "Vote",
    "VoteReply",
    "Append",
    "AppendReply",
    "Install",
    "InstallReply",
    "TimeoutNow",
    "Hail",
    "Relay",
    "RelayReply",
    "Ping",
)
FIELDS: Final[Mapping[str, Any]] = {
    events.WRITE: "Write",
    events.SYNCED: int,
    events.ROLE: "RoleChanged",
    events.CONFIG: "ConfigChanged",
    events.COMMIT: "Committed",
    events.MEMORY: "MemoryLost",
    events.APPLY: [int, "Entry"],
    events.RESTORE: "SnapshotMeta",
    events.SEND: MESSAGES,
    events.READ: [int, int],
    events.REQUEST: [int, dict],
    events.OUTCOME: [int, "Outcome"],
    events.DELIVER: MESSAGES,
    events.DROP: [MESSAGES, str],
    events.DUPLICATE: MESSAGES,
    events.START: "Restored",
    events.SNAPSHOT: ["SnapshotMeta", str],
    events.CRASH: int,
    events.PAUSE: None,
    events.RESUME: None,
    events.ERROR: str,
    events.HALT: str,
    events.WIPE: None,
    events.FAULT: [str],
}


def fits(shape: Any, value: Any) -> bool:
    """Whether `value` has this shape."""
    if shape is object or shape is None:
        return shape is object or value is None
    if shape is dict:
        return type(value) is dict and type(value.get("type")) is str and _known(value["type"], value)
    if isinstance(shape, type):
        return type(value) is shape
    if isinstance(shape, str):
        return type(value) is dict and value.get("type") == shape and _known(shape, value)
    if isinstance(shape, tuple):
        return any(fits(one, value) for one in shape)
    if type(value) is not list or not isinstance(shape, list):
        return False
    if len(shape) == 1:
        return all(fits(shape[0], item) for item in value)
    return len(value) == len(shape) and all(map(fits, shape, value))


def _known(name: str, value: Mapping[str, Any]) -> bool:
    return all(key in value and fits(shape, value[key]) for key, shape in OBJECTS.get(name, {}).items())
