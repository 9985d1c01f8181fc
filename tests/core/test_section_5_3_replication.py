"""Section 5.3: what a follower accepts, and what it says of it. The leader's side is in test_section_5_3_leader.py."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.config import of
from raftsim.core.entry import Entry, HardState
from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Append, AppendReply, Message
from raftsim.core.output import FOLLOWER, LEADER
from tests.core.harness import Cluster, Host, command, log_of, terms_of

THREE = of("a", "b", "c")


def follower(*terms: int, hard: HardState | None = None, slow_disk: bool = False) -> Host:
    """`b`, whose log has these terms from index 2 on."""
    return Host("b", log_of(THREE, *terms), hard=hard, slow_disk=slow_disk)


def append(term: int, prev: int, prev_term: int, *terms: int, commit: int = 0) -> Append:
    """From `a`; `terms` are those of the entries after `prev`."""
    entries = [command(each, index) for index, each in enumerate(terms, prev + 1)]
    return Append(term, "a", "b", prev, prev_term, entries, commit, 1)


# Figure 7

FIGURE_7 = {  # as in the paper, but for the configuration that stands before each at index 1
    "a": [1, 1, 1, 4, 4, 5, 5, 6, 6],
    "b": [1, 1, 1, 4],
    "c": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    "d": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    "e": [1, 1, 1, 4, 4, 4, 4],
    "f": [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    "leader": [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
}


def test_figure_7_every_follower_is_brought_to_the_leaders_log() -> None:
    cluster = Cluster(*FIGURE_7, logs=FIGURE_7, term=7)
    leader = cluster.elect("leader")
    cluster.beat("leader")
    assert leader.raft.term == 8
    assert terms_of(leader.raft) == [0, *FIGURE_7["leader"], 8]
    for id in FIGURE_7:
        assert cluster.raft(id).log.slice(0, 99) == leader.raft.log.slice(0, 99), id
        assert cluster[id].disk.entries == leader.disk.entries, id
        assert cluster.raft(id).commit == leader.raft.commit == 12


FIGURE_7_ANSWERS = [  # to the leader's first Append (prev: index 11, term 6): (ok, hint index, hint term)
    ("a", (False, 10, 6)),
    ("b", (False, 5, 4)),
    ("c", (True, 0, 0)),
    ("d", (True, 0, 0)),
    ("e", (False, 8, 4)),
    ("f", (False, 11, 3)),
]


@pytest.mark.parametrize(("id", "answer"), FIGURE_7_ANSWERS)
def test_figure_7_what_each_follower_answers_first(id: str, answer: tuple[bool, int, int]) -> None:
    host = Host("b", log_of(THREE, *FIGURE_7[id]), hard=HardState(7))
    host.receive(append(8, 11, 6, 8))
    reply = host.only(AppendReply)
    assert (reply.ok, reply.hint_index, reply.hint_term) == answer
    assert reply.index == (12 if reply.ok else 11)


APPENDS = [  # log 0 1 1 2 2 in term 2: (prev, prev term, new terms) -> (ok, index of the reply, log after)
    ((5, 2), [], (True, 5, [0, 1, 1, 2, 2])),
    ((5, 2), [3], (True, 6, [0, 1, 1, 2, 2, 3])),
    ((4, 2), [2], (True, 5, [0, 1, 1, 2, 2])),
    ((3, 1), [3], (True, 4, [0, 1, 1, 3])),
    ((3, 1), [2, 3], (True, 5, [0, 1, 1, 2, 3])),
    ((3, 1), [], (True, 3, [0, 1, 1, 2, 2])),
    ((1, 0), [1], (True, 2, [0, 1, 1, 2, 2])),
    ((6, 2), [3], (False, 6, [0, 1, 1, 2, 2])),
    ((5, 3), [3], (False, 5, [0, 1, 1, 2, 2])),
    ((3, 2), [3], (False, 3, [0, 1, 1, 2, 2])),
]


@pytest.mark.parametrize(("prev", "new", "answer"), APPENDS)
def test_append_table(prev: tuple[int, int], new: Sequence[int], answer: tuple[bool, int, list[int]]) -> None:
    host = follower(1, 1, 2, 2, hard=HardState(2))
    host.receive(append(3, *prev, *new))
    reply = host.only(AppendReply)
    assert (reply.ok, reply.index, terms_of(host.raft)) == answer
    assert (reply.term, reply.round) == (3, 1)
    assert [entry.term for entry in host.disk.entries] == answer[2]


# late, repeated, out of order


def test_a_late_append_never_cuts_what_a_later_one_brought() -> None:
    """Cutting at prev + 1 whatever stands there took back an entry that had been acknowledged and committed."""
    host = follower()
    host.receive(append(1, 1, 0, 1, 1))
    host.receive(append(1, 1, 0, 1))
    assert terms_of(host.raft) == [0, 1, 1]
    host.receive(append(1, 1, 0))
    assert terms_of(host.raft) == [0, 1, 1]
    assert [reply.index for reply in host.took(AppendReply)] == [3, 2, 1]


appends = st.tuples(st.integers(1, 8), st.integers(0, 4), st.integers(0, 9))


@given(st.lists(appends, max_size=20), st.sampled_from([[], [1], [1, 1, 2], [1, 2, 2, 2, 2, 2, 2, 2, 2]]))
def test_whatever_the_order_a_follower_only_comes_nearer_to_the_leaders_log(
    order: list[tuple[int, int, int]], start: list[int]
) -> None:
    """Appends of one leader in any order, any number of times: what was acknowledged is never lost or changed."""
    leader = log_of(THREE, 1, 1, 3, 3, 3, 4, 4)
    host, acknowledged = follower(*start, hard=HardState(4)), 0
    for prev, count, commit in order:
        entries = leader[prev : prev + count]
        host.receive(Append(5, "a", "b", prev, leader[prev - 1].term, entries, commit, 1))
        reply = host.only(AppendReply)
        if reply.ok:
            assert reply.index == prev + len(entries) or reply.index == host.raft.commit
            acknowledged = max(acknowledged, reply.index)
        assert host.disk.entries[:acknowledged] == leader[:acknowledged]
        assert host.raft.commit <= acknowledged
        assert host.applied == leader[: host.raft.commit]


def test_what_is_committed_needs_no_second_look() -> None:
    """An old Append that begins before the commit index is cut to what lies beyond it, and acknowledged."""
    host = follower()
    host.receive(append(1, 1, 0, 1, 1, commit=3))
    host.receive(append(1, 1, 0, 1, 1, 1))
    host.receive(append(1, 1, 0, 1))
    assert terms_of(host.raft) == [0, 1, 1, 1]
    assert [reply.index for reply in host.took(AppendReply)] == [3, 4, 2]


# commitment


def test_a_follower_commits_only_what_was_verified() -> None:
    """A follower that took its own last index for verified committed, and applied, entries of a dead leader."""
    host = follower(1, 1, 1, hard=HardState(1))  # 3 and 4 are nobody's but its own
    host.receive(append(2, 2, 1, commit=4))
    assert host.raft.commit == 2
    host.receive(append(2, 2, 1, 2, commit=4))
    assert (host.raft.commit, terms_of(host.raft)) == (3, [0, 1, 2])
    host.receive(append(2, 3, 2, commit=2))
    assert host.raft.commit == 3


def test_an_acknowledgement_names_what_matched_not_what_is_there() -> None:
    """With its last index in the acknowledgement, a follower's divergent end counted towards a majority."""
    host = follower(1, 1, 1, hard=HardState(1))
    host.receive(append(2, 2, 1))
    assert host.only(AppendReply).index == 2


def test_an_acknowledgement_waits_for_the_disk() -> None:
    """Sent on arrival, acknowledgements of a majority that then lost power had committed what nobody held any more."""
    host = follower(slow_disk=True)
    host.receive(append(1, 1, 0, 1))
    assert host.take() == []
    host.sync()
    assert host.only(AppendReply).index == 2
    assert len(host.disk.entries) == 2


def test_applied_in_order_each_once() -> None:
    host = follower()
    host.receive(append(1, 1, 0, 1, 1, 1, commit=2), append(1, 4, 1, 1, commit=4))
    host.receive(append(1, 4, 1, 1, commit=5))
    assert host.applied == host.raft.log.slice(0, 5)


# what no correct peer sends

HOSTILE: list[Message] = [
    Append(1, "a", "x", 1, 0),  # for someone else
    Append(1, "b", "b", 1, 0),  # from ourselves
    append(2, 1, 0, 3),  # an entry of a later term than its leader's
    append(2, 1, 0, 2, 1),  # terms fall
]


@pytest.mark.parametrize("message", HOSTILE)
def test_what_no_correct_peer_sends_is_a_violation_and_changes_no_log(message: Message) -> None:
    host = follower(1, hard=HardState(1))
    with pytest.raises(ProtocolViolation):
        host.receive(message)
    host.turn()
    assert (terms_of(host.raft), host.raft.role, host.took(AppendReply)) == ([0, 1], FOLLOWER, [])


def test_a_second_leader_of_the_term_is_a_violation() -> None:
    leader = Cluster("a", "b", "c").elect("a")
    with pytest.raises(ProtocolViolation, match="leads in term 1 as well"):
        leader.receive(Append(1, "b", "a", 1, 0))
    assert leader.raft.role == LEADER


@pytest.mark.parametrize(
    "reply",
    [
        AppendReply(1, "b", "a", ok=True, index=99),
        AppendReply(1, "b", "a", ok=True, index=2, round=99),
        AppendReply(1, "b", "a", ok=False, index=2, round=-1),
    ],
)
def test_an_answer_to_what_was_never_asked_is_a_violation(reply: AppendReply) -> None:
    leader = Cluster("a", "b", "c").elect("a")
    match = leader.raft.progress["b"].match
    with pytest.raises(ProtocolViolation):
        leader.receive(reply)
    assert (leader.raft.role, leader.raft.progress["b"].match) == (LEADER, match)


def test_entries_are_shared_but_never_changed() -> None:
    leader = Cluster("a", "b", "c").elect("a")
    leader.propose(b"x")
    message = leader.took(Append)[0]
    before = [Entry(entry.term, entry.kind, entry.data) for entry in message.entries]
    leader.propose(b"y")
    assert message.entries == before
