"""What led to what, in a run in which everything happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from raftsim.core.messages import Vote
from raftsim.core.output import RoleChanged, Write
from raftsim.trace import causes
from raftsim.trace.chain import Chain, pick
from raftsim.trace.events import (
    APPLY,
    COMMIT,
    CRASH,
    DELIVER,
    DROP,
    DUPLICATE,
    FAULT,
    HALT,
    OUTCOME,
    REQUEST,
    ROLE,
    SEND,
    START,
    SYNCED,
    WIPE,
    WRITE,
    Event,
)
from raftsim.trace.file import Record

RELAYED = {"Relay": REQUEST, "RelayReply": OUTCOME}


def pairs(records: list[Record], kind: str) -> list[tuple[Record, Record]]:
    """Events of this kind, each with its cause."""
    return [(record, records[record.cause - 1]) for record in records if record.kind == kind and record.cause]


def test_a_message_is_delivered_because_it_was_sent(eventful: list[Record]) -> None:
    for kind in (DELIVER, DROP):
        found = pairs(eventful, kind)
        assert found
        for record, cause in found:
            sent = record.fields if kind == DELIVER else record.fields[0]
            if sent["type"] in RELAYED:
                assert cause.kind == RELAYED[sent["type"]]
            else:
                assert (cause.kind, cause.fields) == (SEND, sent)
    raft = [record for record in eventful if record.kind == DELIVER and record.fields["type"] not in RELAYED]
    assert all(record.cause for record in raft)


def test_a_message_that_is_doubled_has_one_cause(eventful: list[Record]) -> None:
    doubled = {cause.seq for _, cause in pairs(eventful, DUPLICATE)}
    arrived = Counter(cause.seq for _, cause in pairs(eventful, DELIVER) if cause.kind == SEND)
    assert doubled
    assert {seq for seq, count in arrived.items() if count > 1} <= doubled
    assert max(arrived.values()) == 2


def test_a_write_is_durable_because_it_was_made(eventful: list[Record]) -> None:
    found = pairs(eventful, SYNCED)
    assert len(found) == sum(record.kind == SYNCED for record in eventful)
    for record, cause in found:
        assert (cause.kind, cause.node, cause.fields["seq"]) == (WRITE, record.node, record.fields)


def test_an_entry_is_applied_because_it_was_committed(eventful: list[Record]) -> None:
    found = pairs(eventful, APPLY)
    assert len(found) == sum(record.kind == APPLY for record in eventful)
    for record, cause in found:
        assert (cause.kind, cause.node) == (COMMIT, record.node)
        assert cause.fields["index"] >= record.fields[0]


def test_what_is_done_to_a_server_follows_from_the_hand_that_did_it(eventful: list[Record]) -> None:
    for kind in (CRASH, WIPE):
        found = pairs(eventful, kind)
        assert found
        assert {cause.kind for _, cause in found} <= {FAULT, HALT}
    again = [record for record in eventful if record.kind == START and record.time > 0]
    assert again
    assert all(record.cause and record.node in eventful[record.cause - 1].fields for record in again)


def test_every_answered_write_goes_back_to_its_request(calm: list[Record]) -> None:
    """Of a leader that was asked itself, unless a heartbeat took the entry along."""
    chain = Chain()
    for record in calm:
        chain.note(record)
    back = 0
    for record in calm:
        if record.kind == OUTCOME and record.fields[1]["kind"] == "ok":
            kinds = [calm[seq - 1].kind for seq in chain.back_from(record.seq)]
            assert kinds[1] != REQUEST  # it was not answered at once
            back += any(
                calm[seq - 1].kind == REQUEST and calm[seq - 1].fields[0] == record.fields[0]
                for seq in chain.back_from(record.seq)
            )
    assert back >= 4


def test_a_cause_is_earlier_and_of_the_same_server_unless_something_travelled(eventful: list[Record]) -> None:
    for record in eventful:
        if record.cause is not None:
            cause = eventful[record.cause - 1]
            assert cause.seq < record.seq
            assert cause.time <= record.time
            assert cause.node == record.node or record.kind in (DELIVER, DROP) or cause.kind == FAULT


def test_a_chain_is_picked_out_of_the_file(eventful_path: Path, eventful: list[Record]) -> None:
    chain = Chain()
    for record in eventful:
        chain.note(record)
    assert len(chain) == len(eventful)
    back = chain.back_from(eventful[-1].seq)
    assert len(back) > 1
    found = pick(str(eventful_path), set(back))
    assert [found[seq] for seq in back] == [eventful[seq - 1] for seq in back]
    assert found[back[-1]].cause is None


def test_old_messages_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(causes, "MAX_ON_THEIR_WAY", 2)
    found: Callable[[int, Event], int | None] = causes.Causes()
    messages = [Vote(term, "a", "b", 0, 0) for term in range(3)]
    for seq, message in enumerate(messages, 1):
        assert found(seq, Event(0.0, "a", SEND, message)) is None
    assert [found(seq, Event(1.0, "b", DELIVER, message)) for seq, message in enumerate(messages, 4)] == [None, 2, 3]


def test_a_relayed_request_follows_from_that_of_the_client(calm: list[Record]) -> None:
    carried = [(record, cause) for record, cause in pairs(calm, DELIVER) if record.fields["type"] in RELAYED]
    assert {record.fields["type"] for record, _ in carried} == set(RELAYED)
    for record, cause in carried:
        word = "request" if cause.kind == REQUEST else "outcome"
        assert cause.kind == RELAYED[record.fields["type"]]
        assert cause.fields[1] == record.fields[word]


def test_what_a_timer_does_follows_from_nothing() -> None:
    found = causes.Causes()
    vote = Vote(1, "a", "b", 0, 0)
    assert found(1, Event(0.0, "b", DELIVER, vote)) is None
    assert found(2, Event(0.0, "b", ROLE, RoleChanged("follower", 1, None))) == 1
    assert found(3, Event(0.5, "b", ROLE, RoleChanged("candidate", 2, None))) is None
    assert found(4, Event(0.5, "b", SEND, Vote(2, "b", "a", 0, 0))) == 3


def test_the_numbers_of_writes_begin_again_with_a_life() -> None:
    found = causes.Causes()
    for seq in (1, 2):
        found(seq, Event(0.0, "a", WRITE, Write(seq, None)))
    found(3, Event(0.1, "a", CRASH, 0))
    found(4, Event(0.2, "a", WRITE, Write(1, None)))
    assert found(5, Event(0.3, "a", SYNCED, 1)) == 4
