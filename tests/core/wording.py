"""How transcripts put messages and events into words."""

from __future__ import annotations

from collections.abc import Callable

from raftsim.core.config import Config
from raftsim.core.messages import Append, AppendReply, Install, InstallReply, Message, TimeoutNow, Vote, VoteReply
from raftsim.core.output import Committed, ConfigChanged, Event, RoleChanged


def place(index: int, term: int) -> str:
    return f"{index}/{term}"


def config(config: Config) -> str:
    groups = (("voters", config.voters), ("outgoing", config.outgoing), ("non-voters", config.learners))
    said = [f"{name} {' '.join(ids)}" for name, ids in (*groups, ("non-voters next", config.learners_next)) if ids]
    return ", ".join(said) or "no members"


def describe_event(event: Event) -> str:
    if isinstance(event, RoleChanged):
        leader = f", following {event.leader}" if event.role == "follower" and event.leader else ""
        return f"is {event.role} in term {event.term}{leader}"
    if isinstance(event, ConfigChanged):
        return f"has configuration {event.index}: {config(event.config)}"
    assert isinstance(event, Committed)
    return f"has committed {event.index}"


def describe(message: Message) -> str:
    said = WORDS[type(message)](message)
    return f"{message.src} -> {message.dst} term {message.term} {said}"


def _append(message: Append) -> str:
    entries = " ".join(str(entry.term) for entry in message.entries)
    return f"append after {place(message.prev_index, message.prev_term)} [{entries}] commit {message.commit}"


def _append_reply(message: AppendReply) -> str:
    hint = place(message.hint_index, message.hint_term)
    return f"matched {message.index}" if message.ok else f"refused at {message.index}, hint {hint}"


def _vote(message: Vote) -> str:
    kind = "pre-vote" if message.pre else "vote by force" if message.force else "vote"
    return f"{kind}? log {place(message.last_index, message.last_term)}"


def _vote_reply(message: VoteReply) -> str:
    kind = "pre-vote" if message.pre else "vote"
    return f"{kind} granted" if message.granted else f"{kind} refused: {message.reason}"


def _install(message: Install) -> str:
    end = ", the last" if message.last else ""
    return (
        f"install {place(message.meta.index, message.meta.term)} from {message.offset} {len(message.data)} bytes{end}"
    )


def _install_reply(message: InstallReply) -> str:
    return f"installed {message.index}" if message.done else f"of {message.index} next {message.offset}"


WORDS: dict[type, Callable[..., str]] = {
    Vote: _vote,
    VoteReply: _vote_reply,
    Append: _append,
    AppendReply: _append_reply,
    Install: _install,
    InstallReply: _install_reply,
    TimeoutNow: lambda _: "stand now",
}
