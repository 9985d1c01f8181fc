"""For the trace validation of etcd's TLA+ specification (etcd-io/raft, tla/README.md): one event a line, in the form of
its `state_trace.go`.

Events say the state of their server, which is folded from the records here. What etcd does and raftsim does not is made
up, so that the specification finds what it waits for: the message in which a server tells itself its vote or its log,
and a `Ready` at the end of each turn. Terms count from 1, as etcd's do when a cluster begins: all are raised by one.
What the specification does not know is left out: pre-votes, transfers, and the questions of servers that begin.

Three things raftsim does otherwise, and a run in which they matter is not one of etcd's: a configuration is in force
when it is appended, not when it is applied; a server that restarts has forgotten its commit index; and a follower takes
what is new in an Append that begins below its commit index, where etcd's only says how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from raftsim.trace import events
from raftsim.trace.file import Record
from raftsim.trace.names import Names
from raftsim.trace.record import compact

_ROLES: Final = {"leader": "StateLeader", "candidate": "StateCandidate"}  # a pre-candidate still follows
_FOLLOWER: Final = "StateFollower"
_NOBODY: Final = "0"

Json = dict[str, Any]


@dataclass(slots=True)
class _Server:
    id: str
    term: int = 0
    vote: str | None = None
    role: str = _FOLLOWER
    commit: int = 0
    log: int = 0
    applied: tuple[list[str], list[str]] = ([], [])  # the voters in force when applied, and those being left
    appended: Mapping[str, Any] | None = None  # the configuration in the log
    acting: bool = False  # since its last Ready
    to_itself: list[tuple[int, str, Json]] = field(default_factory=list)  # told when the write is durable


def lines(records: Iterable[Record], names: Names) -> Iterator[str]:
    """The events. In the order of `names`, servers are called 1, 2 and so on."""
    fold = _Fold(names.ids)
    turn: tuple[str, float] | None = None
    for record in records:
        if turn is not None and turn != (record.node, record.time):
            yield from map(_line, fold.ready(turn[0]))
        turn = record.node, record.time
        if record.node:
            yield from map(_line, fold.events(record))
    if turn is not None:
        yield from map(_line, fold.ready(turn[0]))


def _line(event: Json) -> str:
    return compact({"tag": "trace", "event": event})


class _Fold:
    def __init__(self, ids: Mapping[str, str]) -> None:
        self._numbers: dict[str, str] = {}
        self._servers = {name: _Server(id) for name, id in ids.items()}
        for id in ids.values():
            self._number(id)
        self._floor = 0  # the first configuration counts as committed: etcd begins so
        self._rules: dict[str, Callable[[_Server, Any], Iterator[Json]]] = {
            events.START: self._start,
            events.ROLE: self._role,
            events.WRITE: self._write,
            events.SYNCED: self._synced,
            events.COMMIT: self._commit,
            events.APPLY: self._apply,
            events.RESTORE: self._restore,
            events.SEND: lambda server, found: self._message(server, "Send", found),
            events.DELIVER: lambda server, found: self._message(server, "Receive", found),
        }

    def events(self, record: Record) -> Iterator[Json]:
        rule = self._rules.get(record.kind)
        if rule is not None:
            server = self._servers.setdefault(record.node, _Server(record.node))
            yield from rule(server, record.fields)

    def ready(self, node: str) -> Iterator[Json]:
        """The turn of this server has ended."""
        server = self._servers.get(node)
        if server is not None and server.acting:
            yield self._event(server, "Ready")
            server.acting = False

    def _number(self, id: str) -> str:
        return self._numbers.setdefault(id, str(len(self._numbers) + 1))

    def _event(self, server: _Server, name: str, message: Json | None = None, change: Json | None = None) -> Json:
        server.acting = True
        vote = _NOBODY if server.vote is None else self._number(server.vote)
        incoming, outgoing = server.applied
        event = {
            "name": name,
            "nid": self._number(server.id),
            "state": {"term": server.term, "vote": vote, "commit": server.commit},
            "role": server.role,
            "log": server.log,
            "conf": [list(map(self._number, incoming)), list(map(self._number, outgoing))],
        }
        if message is not None:
            event["msg"] = message
        if change is not None:
            event["prop"] = {"cc": change}
        return event

    # what a server does

    def _start(self, server: _Server, found: Mapping[str, Any]) -> Iterator[Json]:
        entries, snapshot = found["entries"], found["snapshot"]
        genesis = found["base_index"] == 0 and entries and entries[0]["term"] == 0 and type(entries[0]["data"]) is dict
        if genesis:
            self._floor = 1
        first = server.log == 0
        server.role, server.to_itself = _FOLLOWER, []
        server.term, server.vote = _term(found["hard"]["term"]), found["hard"]["vote"]
        server.log = found["base_index"] + len(entries)
        server.commit = min(server.log, self._floor) if snapshot is None else snapshot["index"]
        config = snapshot["config"] if snapshot is not None else entries[0]["data"] if genesis else None
        yield self._event(server, "InitState")
        if config is not None:
            server.appended = config
            if first:
                yield self._event(server, "BecomeFollower")
                yield self._applies(server, config)
            server.applied = config["voters"], config["outgoing"]
        server.acting = False

    def _role(self, server: _Server, found: Mapping[str, Any]) -> Iterator[Json]:
        role, term = _ROLES.get(found["role"], _FOLLOWER), _term(found["term"])
        if (role, term) == (server.role, server.term):
            return
        if term != server.term:
            server.vote = server.id if role == "StateCandidate" else None
        server.role, server.term = role, term
        yield self._event(server, f"Become{role.removeprefix('State')}")
        if role == "StateCandidate":
            yield self._tells_itself(server, "RequestVote", self._own("MsgVoteResp", server, 0))

    def _write(self, server: _Server, found: Mapping[str, Any]) -> Iterator[Json]:
        hard, chunk = found["hard"], found["chunk"]
        if hard is not None:
            server.vote = hard["vote"]
        if server.role == "StateLeader":
            for entry in found["entries"]:
                yield self._appends(server, entry)
                server.log += 1
            if found["entries"]:
                yield self._tells_itself(server, "AppendEntries", self._own("MsgAppResp", server, server.log))
        elif found["entries"]:
            server.log = found["first_index"] + len(found["entries"]) - 1
            for entry in found["entries"]:
                if type(entry["data"]) is dict:
                    server.appended = entry["data"]
        if chunk is not None and chunk["last"]:
            server.log = max(server.log, chunk["meta"]["index"])
        server.to_itself = [(seq or found["seq"], name, message) for seq, name, message in server.to_itself]

    def _tells_itself(self, server: _Server, kind: str, message: Json) -> Json:
        """It is received when the write that follows, or is being made, is durable."""
        server.to_itself.append((0, f"Receive{kind}Response", message))
        return self._event(server, f"Send{kind}Response", message)

    def _synced(self, server: _Server, durable: int) -> Iterator[Json]:
        arrived = [found for found in server.to_itself if 0 < found[0] <= durable]
        server.to_itself = [found for found in server.to_itself if not 0 < found[0] <= durable]
        for _, name, message in arrived:
            if message["term"] == server.term:
                yield self._event(server, name, message)

    def _commit(self, server: _Server, found: Mapping[str, Any]) -> Iterator[Json]:
        server.commit = max(server.commit, found["index"])
        if server.role == "StateLeader":
            yield self._event(server, "Commit")

    def _apply(self, server: _Server, found: Any) -> Iterator[Json]:
        index, entry = found
        if index > self._floor and type(entry["data"]) is dict:
            yield self._applies(server, entry["data"])
            server.applied = entry["data"]["voters"], entry["data"]["outgoing"]

    def _restore(self, server: _Server, meta: Mapping[str, Any]) -> Iterator[Json]:
        server.applied = meta["config"]["voters"], meta["config"]["outgoing"]
        server.appended = meta["config"]
        server.commit = max(server.commit, meta["index"])
        yield from ()

    # configurations

    def _applies(self, server: _Server, config: Mapping[str, Any]) -> Json:
        return self._event(server, "ApplyConfChange", None, {"newconf": list(map(self._number, config["voters"]))})

    def _appends(self, server: _Server, entry: Mapping[str, Any]) -> Json:
        if type(entry["data"]) is not dict:
            return self._event(server, "Replicate")
        before, server.appended = server.appended, entry["data"]
        return self._event(server, "ChangeConf", None, {"changes": self._changes(before, entry["data"])})

    def _changes(self, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Json]:
        old: Mapping[str, Any] = before or {"voters": [], "learners": [], "servers": []}
        stay = [server["id"] for server in after["servers"]]
        changes = [("AddNewServer", id) for id in after["voters"] if id not in old["voters"]]
        changes += [("AddLearner", id) for id in after["learners"] if id not in old["learners"]]
        changes += [("RemoveServer", server["id"]) for server in old["servers"] if server["id"] not in stay]
        return [{"nid": self._number(id), "action": action} for action, id in changes]

    # messages

    def _message(self, server: _Server, verb: str, found: Mapping[str, Any]) -> Iterator[Json]:
        form = _FORMS.get(found["type"])
        if form is None or found.get("pre") or not found.get("last", True) or not found.get("done", True):
            return
        kind, type, fields = form[0], form[1], form[2](found)
        if "commit" in fields:
            fields["commit"] = min(max(fields["commit"], self._floor), fields["index"] + fields["entries"])
        ends = self._number(found["src"]), self._number(found["dst"])
        yield self._event(server, verb + kind, _msg(type, _term(found["term"]), ends, **fields))

    def _own(self, type: str, server: _Server, index: int) -> Json:
        number = self._number(server.id)
        return _msg(type, server.term, (number, number), index=index)


def _msg(
    type: str,
    term: int,
    ends: tuple[str, str],
    *,
    entries: int = 0,
    log_term: int = 0,
    index: int = 0,
    commit: int = 0,
    reject: bool = False,
    hint: int = 0,
) -> Json:
    return {
        "type": type,
        "term": term,
        "from": ends[0],
        "to": ends[1],
        "entries": entries,
        "logTerm": log_term,
        "index": index,
        "commit": commit,
        "vote": _NOBODY,
        "reject": reject,
        "rejectHint": hint,
    }


def _term(term: int) -> int:
    return term + 1


def _term_at(index: int, term: int) -> int:
    """The term of an entry; there is none at 0."""
    return _term(term) if index else 0


def _vote(found: Mapping[str, Any]) -> Json:
    return {"index": found["last_index"], "log_term": _term_at(found["last_index"], found["last_term"])}


def _append(found: Mapping[str, Any]) -> Json:
    log_term = _term_at(found["prev_index"], found["prev_term"])
    place = {"index": found["prev_index"], "log_term": log_term}
    return {**place, "entries": len(found["entries"]), "commit": found["commit"]}


def _append_reply(found: Mapping[str, Any]) -> Json:
    if found["ok"]:
        return {"index": found["index"]}
    log_term = _term_at(found["hint_index"], found["hint_term"])
    return {"index": found["index"], "reject": True, "hint": found["hint_index"], "log_term": log_term}


_FORMS: Final = {
    "Vote": ("RequestVoteRequest", "MsgVote", _vote),
    "VoteReply": ("RequestVoteResponse", "MsgVoteResp", lambda found: {"reject": not found["granted"]}),
    "Append": ("AppendEntriesRequest", "MsgApp", _append),
    "AppendReply": ("AppendEntriesResponse", "MsgAppResp", _append_reply),
    "Install": ("AppendEntriesRequest", "MsgSnap", lambda found: {"entries": found["meta"]["index"]}),
    "InstallReply": ("AppendEntriesResponse", "MsgAppResp", lambda found: {"index": found["index"]}),
}
