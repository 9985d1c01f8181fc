"""Messages between servers, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from raftsim.trace.names import Names


def message(found: Mapping[str, Any], names: Names) -> str:
    """What a message says, as the object of a sentence."""
    return _WORDS[found["type"]](found, names)


def _vote(found: Mapping[str, Any], _: Names) -> str:
    kind = "the question whether it would have its vote" if found["pre"] else "a request for its vote"
    by_force = ", told to stand" * found["force"]
    return f"{kind} in term {found['term']}{by_force} (log up to {found['last_index']} of term {found['last_term']})"


def _vote_reply(found: Mapping[str, Any], _: Names) -> str:
    would = "would " * found["pre"]
    if found["granted"]:
        return f"its answer: it {would or 'does '}vote for it in term {found['term']}"
    reason = f": {found['reason']}" if found["reason"] else ""
    return f"its answer: it {would or 'does '}not vote for it{reason} (term {found['term']})"


def _append(found: Mapping[str, Any], _: Names) -> str:
    first, count = found["prev_index"] + 1, len(found["entries"])
    what = f"entry {first}" if count == 1 else f"entries {first} to {first + count - 1}"
    after = f"after {found['prev_index']} of term {found['prev_term']}"
    return f"{what if count else 'a heartbeat'} {after}, committed {found['commit']}, term {found['term']}"


def _append_reply(found: Mapping[str, Any], _: Names) -> str:
    if found["ok"]:
        return f"its answer: its log agrees up to {found['index']} (term {found['term']})"
    hint = f"perhaps at {found['hint_index']} of term {found['hint_term']}"
    return f"its answer: its log does not agree at {found['index']}, {hint} (term {found['term']})"


def _install(found: Mapping[str, Any], _: Names) -> str:
    part = "the last part" if found["last"] else "a part"
    return f"{part} of the snapshot at {found['meta']['index']}, from byte {found['offset']} on, term {found['term']}"


def _install_reply(found: Mapping[str, Any], _: Names) -> str:
    got = "all" if found["done"] else f"{found['offset']} bytes"
    return f"its answer: it has {got} of the snapshot at {found['index']} (term {found['term']})"


_WORDS: Final[Mapping[str, Callable[[Mapping[str, Any], Names], str]]] = {
    "Vote": _vote,
    "VoteReply": _vote_reply,
    "Append": _append,
    "AppendReply": _append_reply,
    "Install": _install,
    "InstallReply": _install_reply,
    "TimeoutNow": lambda found, _: f"the word to stand for election at once, term {found['term']}",
    "Hail": lambda found, _: "the answer whom it has met" if found["answer"] else "the question whether they have met",
    "Relay": lambda found, _: f"a request of its client ({found['request']['type']})",
    "RelayReply": lambda found, _: f"the outcome of its client's request: {found['outcome']['kind']}",
    "Ping": lambda _found, _: "the word that it lives",
}
