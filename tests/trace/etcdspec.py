"""The actions of etcd's TLA+ specification, as its trace validation takes them, in Python: one event, one action.

Written after etcd-io/raft, tla/etcdraft.tla and tla/Traceetcdraft.tla. Without restarts and changes of the membership.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
Message = tuple[Any, ...]  # type, term, from, to, and what the validation compares

BOOTSTRAP = {"InitState", "BecomeFollower", "ApplyConfChange"}
FOLLOWER, CANDIDATE, LEADER = "StateFollower", "StateCandidate", "StateLeader"


@dataclass
class Server:
    nid: str
    term: int
    role: str
    vote: str
    log: list[int]  # terms
    commit: int
    config: set[str]
    granted: set[str] = field(default_factory=set)
    match: Counter[str] = field(default_factory=Counter)
    bootstrapped: bool = False
    received: Event | None = None  # what its last event has received


class Spec:
    def __init__(self) -> None:
        self.servers: dict[str, Server] = {}
        self.pending: Counter[Message] = Counter()
        self.messages: Counter[Message] = Counter()
        self.entries: dict[Message, list[int]] = {}  # of an append, which the events only count

    def take(self, event: Event) -> None:
        """The action that the event tells. Raises AssertionError where the specification has none."""
        nid, name = event["nid"], event["name"]
        server = self.servers.get(nid)
        if server is None or (name in BOOTSTRAP and not server.bootstrapped):
            assert name in BOOTSTRAP
            log = [1] * event["log"]
            config = set(event["prop"]["cc"]["newconf"]) if name == "ApplyConfChange" else set(event["conf"][0])
            state = event["state"]
            self.servers[nid] = Server(nid, state["term"], event["role"], state["vote"], log, state["commit"], config)
            return
        server.bootstrapped = True
        ACTIONS[name](self, server, event)
        server.received = event if name.startswith("Receive") else None

    def _is(self, server: Server, event: Event) -> None:
        state = event["state"]
        found = (server.term, server.role, server.vote, len(server.log), server.commit, server.config)
        told = (state["term"], event["role"], state["vote"], event["log"], state["commit"], set(event["conf"][0]))
        assert found == told

    def _quorum(self, server: Server, servers: set[str]) -> bool:
        return len(servers & server.config) * 2 > len(server.config)

    def become_candidate(self, server: Server, event: Event) -> None:
        assert server.role in (FOLLOWER, CANDIDATE)
        assert server.nid in server.config
        server.term, server.role, server.vote, server.granted = server.term + 1, CANDIDATE, server.nid, set()
        self._is(server, event)

    def become_leader(self, server: Server, event: Event) -> None:
        assert server.role == CANDIDATE
        assert self._quorum(server, server.granted)
        server.role, server.match = LEADER, Counter({server.nid: len(server.log)})
        self._is(server, event)

    def become_follower(self, server: Server, event: Event) -> None:
        received = server.received
        if received is not None and received["msg"]["term"] == event["state"]["term"]:
            newer = received["state"]["term"] < received["msg"]["term"]
            assert newer or received["role"] == CANDIDATE
            return  # it has become that by the message
        assert server.role in (LEADER, CANDIDATE)
        server.role = FOLLOWER
        self._is(server, event)

    def replicate(self, server: Server, _: Event) -> None:
        assert server.role == LEADER
        server.log.append(server.term)

    def commit(self, server: Server, event: Event) -> None:
        assert server.role == LEADER
        agreed = max(
            index
            for index in range(len(server.log) + 1)
            if self._quorum(server, {peer for peer in server.config if server.match[peer] >= index})
        )
        if agreed and server.log[agreed - 1] == server.term:
            server.commit = agreed
        self._is(server, event)

    def ready(self, _: Server, __: Event) -> None:
        self.messages += self.pending
        self.pending.clear()

    def send_request_vote_request(self, server: Server, event: Event) -> None:
        assert server.role == CANDIDATE
        last = server.log[-1] if server.log else 0
        message = ("MsgVote", server.term, server.nid, event["msg"]["to"], len(server.log), last)
        assert message == told(event["msg"])
        self.pending[message] += 1
        self._is(server, event)

    def send_request_vote_response(self, server: Server, event: Event) -> None:
        if event["msg"]["to"] == server.nid:
            assert server.role == CANDIDATE
            message = ("MsgVoteResp", server.term, server.nid, server.nid, True)
            assert message == told(event["msg"])
            self.pending[message] += 1
            self._is(server, event)

    def send_append_entries_request(self, server: Server, event: Event) -> None:
        found = event["msg"]
        assert server.role == LEADER
        index, end = found["index"], found["index"] + found["entries"]
        assert server.match[found["to"]] <= index <= end <= len(server.log)
        term = server.log[index - 1] if index else 0
        message = ("MsgApp", server.term, server.nid, found["to"], min(server.commit, end), term, index, end - index)
        assert message == told(found)
        self.entries[message] = server.log[index:end]
        self.pending[message] += 1
        self._is(server, event)

    def send_append_entries_response(self, server: Server, event: Event) -> None:
        if event["msg"]["to"] == server.nid:
            assert server.role == LEADER
            message = ("MsgAppResp", server.term, server.nid, server.nid, True, len(server.log))
            assert message == told(event["msg"])
            self.pending[message] += 1
            self._is(server, event)

    def _receive(self, server: Server, event: Event) -> Message:
        self._is(server, event)
        message = told(event["msg"])
        assert self.messages[message] > 0, "a message that was not sent"
        self.messages[message] -= 1
        if message[1] > server.term:
            server.term, server.role, server.vote = message[1], FOLLOWER, "0"
        return message

    def receive_request_vote_request(self, server: Server, event: Event) -> None:
        _, term, src, _, index, last = self._receive(server, event)
        ok = (last, index) >= (server.log[-1] if server.log else 0, len(server.log))
        grant = term == server.term and ok and server.vote in ("0", src)
        server.vote = src if grant else server.vote
        self.pending["MsgVoteResp", server.term, server.nid, src, grant] += 1

    def receive_request_vote_response(self, server: Server, event: Event) -> None:
        _, term, src, _, granted = self._receive(server, event)
        if term == server.term and granted:
            server.granted.add(src)

    def receive_append_entries_request(self, server: Server, event: Event) -> None:
        message = self._receive(server, event)
        _, term, src, _, commit, prev_term, prev, _ = message
        if term == server.term and server.role == CANDIDATE:
            server.role = FOLLOWER
        matches = prev == 0 or (prev <= len(server.log) and server.log[prev - 1] == prev_term)
        if term < server.term or not matches:
            self.pending["MsgAppResp", server.term, server.nid, src, False, 0] += 1
            return
        assert server.role == FOLLOWER
        entries = self.entries[message]
        if prev + 1 <= server.commit:
            self.pending["MsgAppResp", server.term, server.nid, src, True, server.commit] += 1
            return
        end = prev + len(entries)
        if server.log[prev:end] != entries:
            assert prev >= server.commit
            server.log[prev:] = entries
        server.commit = min(commit, end) if entries or commit > server.commit else server.commit
        self.pending["MsgAppResp", server.term, server.nid, src, True, end] += 1

    def receive_append_entries_response(self, server: Server, event: Event) -> None:
        _, term, src, _, ok, index = self._receive(server, event)
        if term == server.term and ok:
            server.match[src] = max(server.match[src], index)


def follow(events: Iterable[Event]) -> Spec:
    """Take all of them."""
    spec = Spec()
    for event in events:
        spec.take(event)
    return spec


def told(found: Event) -> Message:
    """What the validation compares of a message."""
    begin = (found["type"], found["term"], found["from"], found["to"])
    match found["type"]:
        case "MsgVote":
            return (*begin, found["index"], found["logTerm"])
        case "MsgVoteResp":
            return (*begin, not found["reject"])
        case "MsgApp":
            return (*begin, found["commit"], found["logTerm"], found["index"], found["entries"])
        case "MsgAppResp":
            return (*begin, not found["reject"], 0 if found["reject"] else found["index"])
    raise AssertionError(found["type"])


ACTIONS: dict[str, Callable[[Spec, Server, Event], None]] = {
    "BecomeCandidate": Spec.become_candidate,
    "BecomeLeader": Spec.become_leader,
    "BecomeFollower": Spec.become_follower,
    "Replicate": Spec.replicate,
    "Commit": Spec.commit,
    "Ready": Spec.ready,
    "SendRequestVoteRequest": Spec.send_request_vote_request,
    "SendRequestVoteResponse": Spec.send_request_vote_response,
    "SendAppendEntriesRequest": Spec.send_append_entries_request,
    "SendAppendEntriesResponse": Spec.send_append_entries_response,
    "ReceiveRequestVoteRequest": Spec.receive_request_vote_request,
    "ReceiveRequestVoteResponse": Spec.receive_request_vote_response,
    "ReceiveAppendEntriesRequest": Spec.receive_append_entries_request,
    "ReceiveAppendEntriesResponse": Spec.receive_append_entries_response,
}
