"""The way to a state in sentences, one action each."""

from __future__ import annotations

from typing import Final

from raftsim.core.entry import NOOP, Entry
from raftsim.core.messages import Append, AppendReply, Message, Vote, VoteReply
from raftsim.explore.servers import CRASH, HEARTBEAT, PROPOSE, TIMEOUT
from raftsim.explore.world import DROP, Action, World, Worlds

_OWN: Final = {
    TIMEOUT: "{}'s election timer fires",
    HEARTBEAT: "{}'s heartbeat timer fires",
    PROPOSE: "a client proposes a command to {}",
    CRASH: "{} crashes and restarts",
}


def sentence(worlds: Worlds, before: World, action: Action) -> str:
    """What happened, and what became of the server it happened to."""
    name, step = worlds.names[action.place], action.step
    if action.kind == DROP:
        return f"a message to {name} is lost: {_message(worlds.table.messages[action.message])}"
    if action.kind in _OWN:
        text = _OWN[action.kind].format(name)
    else:
        message = worlds.table.messages[action.message]
        text = f"{name} receives from {message.src}: {_message(message)}"
    assert step is not None
    if step.error:
        return text
    if step.crashed and action.kind != CRASH:
        text += "; it answers, crashes before its write is durable, and restarts"
    old, new = worlds.table.views[before.servers[action.place]], worlds.table.views[step.state]
    changes = [f"it is {new.role} in term {new.term}"] * ((old.role, old.term) != (new.role, new.term))
    changes += [f"its log is {_terms(new.log)}"] * (old.log != new.log)
    changes += [f"it has committed up to {new.commit}"] * (new.commit > old.commit)
    return f"{text}: {', '.join(changes)}" if changes else text


def _message(message: Message) -> str:
    match message:
        case Vote():
            log = f"its log ends at {message.last_index} in term {message.last_term}"
            return f"a request for its vote in term {message.term}; {log}"
        case VoteReply():
            return f"a vote in term {message.term}" if message.granted else f"no vote, its term is {message.term}"
        case Append():
            place = f"after {message.prev_index} of term {message.prev_term}"
            what = ", ".join(map(_entry, message.entries)) or "nothing new"
            return f"{what} {place}, committed {message.commit}, term {message.term}"
        case AppendReply():
            word = "agrees" if message.ok else "does not agree"
            return f"its log {word} at {message.index}, term {message.term}"
    return str(message)


def _entry(entry: Entry) -> str:
    return f"the {'opening entry' if entry.kind == NOOP else 'command'} of term {entry.term}"


def _terms(log: tuple[int, ...]) -> str:
    return "[" + " ".join(map(str, log)) + "]"
