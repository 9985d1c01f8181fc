"""One sentence for every event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from raftsim.trace import events
from raftsim.trace.file import Record
from raftsim.trace.messages import message
from raftsim.trace.names import Names

_WHY_LOST: Final = {
    "cut": "the link is cut",
    "loss": "by lot",
    "down": "nobody is there to take it",
}
_ROLES: Final = {
    "pre-candidate": "asks who would vote for it",
    "candidate": "stands for election",
    "leader": "is the leader",
    "follower": "follows",
}
_ENTRY_KINDS: Final = ("the opening entry", "a command", "a configuration", "a step of a restore")


def sentence(record: Record, names: Names) -> str:
    """What happened, with the name of the server."""
    text = _SENTENCES[record.kind](record.fields, names)
    subject = f"{record.node} " if record.node else ""
    return printable(subject + text)


def printable(text: str) -> str:
    """`text` without control characters: no file writes to a terminal what it likes."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def entry(found: Mapping[str, Any]) -> str:
    """An entry of the log."""
    kind = found["kind"]
    return f"{_ENTRY_KINDS[kind] if 0 <= kind < len(_ENTRY_KINDS) else 'an entry'} of term {found['term']}"


def _write(fields: Mapping[str, Any], names: Names) -> str:
    parts = []
    hard, entries, first = fields["hard"], fields["entries"], fields["first_index"]
    if hard is not None:
        vote = f", its vote for {names(hard['vote'])}" if hard["vote"] is not None else ""
        parts.append(f"term {hard['term']}{vote}")
    if len(entries) == 1:
        parts.append(f"{entry(entries[0])} at {first}")
    elif entries:
        parts.append(f"entries {first} to {first + len(entries) - 1}")
    if fields["chunk"] is not None:
        parts.append("a part of a snapshot")
    return f"writes to its disk: {'; '.join(parts) or 'nothing new'} (write {fields['seq']})"


def _role(fields: Mapping[str, Any], names: Names) -> str:
    role, term, leader = fields["role"], fields["term"], fields["leader"]
    whom = f" {names(leader)}" if role == "follower" and leader is not None else ""
    nobody = ", no leader known" if role == "follower" and leader is None else ""
    return f"{_ROLES.get(role, f'is {role}')}{whom} in term {term}{nobody}"


def _config(fields: Mapping[str, Any], names: Names) -> str:
    config = fields["config"]
    parts = [f"voters {names.all(config['voters'])}"]
    if config["outgoing"]:
        parts.append(f"leaving {names.all(config['outgoing'])}")
    if config["learners"]:
        parts.append(f"non-voters {names.all(config['learners'])}")
    return f"has the configuration of entry {fields['index']} in force: {'; '.join(parts)}"


def _request(fields: Sequence[Any], _: Names) -> str:
    return f"is asked: {request(fields[1])} (request {fields[0]})"


def request(found: Mapping[str, Any]) -> str:
    """What a client or an operator asks for."""
    if found["type"] == "Query":
        words = " ".join(map(str, found["query"]))
        return f"query {words}{' (stale)' * found['stale']}"
    if found["type"] == "Command":
        return f"a command of {len(found['data']) // 2} bytes"
    given = ", ".join(f"{key} {value}" for key, value in found.items() if key != "type" and value not in (None, "", []))
    return f"{found['type']}{': ' * bool(given)}{given}"


def _outcome(fields: Sequence[Any], _: Names) -> str:
    outcome = fields[1]
    return f"answers {outcome['kind']}{': ' * bool(outcome['reason'])}{outcome['reason']} (request {fields[0]})"


def _start(fields: Mapping[str, Any], _: Names) -> str:
    last = fields["base_index"] + len(fields["entries"])
    return f"starts, in term {fields['hard']['term']}, with a log up to {last}"


_SENTENCES: Final[Mapping[str, Callable[[Any, Names], str]]] = {
    events.WRITE: _write,
    events.SYNCED: lambda seq, _: f"has write {seq} and all before it on its disk",
    events.ROLE: _role,
    events.CONFIG: _config,
    events.COMMIT: lambda found, _: f"has committed up to {found['index']}, as {found['role']} of term {found['term']}",
    events.MEMORY: lambda found, names: f"lost its disk, as {names(found['witness'])} knows: it has no vote for now",
    events.APPLY: lambda found, _: f"applies entry {found[0]}, {entry(found[1])}",
    events.RESTORE: lambda meta, _: f"takes the state of the snapshot at {meta['index']}",
    events.SEND: lambda found, names: f"sends {names(found['dst'])} {message(found, names)}",
    events.READ: lambda found, _: f"may read at index {found[1]} (read {found[0]})",
    events.REQUEST: _request,
    events.OUTCOME: _outcome,
    events.DELIVER: lambda found, names: f"receives from {names(found['src'])} {message(found, names)}",
    events.DROP: lambda found, names: (
        f"sees a message from {names(found[0]['src'])} to {names(found[0]['dst'])} lost, "
        f"{_WHY_LOST.get(found[1], found[1])}: {message(found[0], names)}"
    ),
    events.DUPLICATE: lambda found, names: f"sends {names(found['dst'])} twice {message(found, names)}",
    events.START: _start,
    events.SNAPSHOT: lambda found, _: f"has a snapshot up to {found[0]['index']} on its disk",
    events.CRASH: lambda seq, _: f"is gone; its disk keeps all up to write {seq}",
    events.PAUSE: lambda _, __: "is frozen",
    events.RESUME: lambda _, __: "goes on",
    events.ERROR: lambda text, _: f"fails: {text}",
    events.HALT: lambda text, _: f"stops for its disk: {text}",
    events.WIPE: lambda _, __: "has lost what was on its disk",
    events.FAULT: lambda words, _: f"a hand on the world: {' '.join(words)}",
}
