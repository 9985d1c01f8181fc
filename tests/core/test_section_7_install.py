"""Section 7, a follower that receives a snapshot: which chunks it takes, and what it may say of them."""

from __future__ import annotations

import pytest

from raftsim.core.entry import SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Append, AppendReply, Install, InstallReply, Vote
from raftsim.core.output import CANDIDATE, FOLLOWER, Committed
from raftsim.core.settings import Settings
from tests.core.arriving import FOUR, META, STATE, THREE, answers, chunk, follower, whole
from tests.core.harness import command, terms_of
from tests.core.members import settled

# chunks


def test_chunks_in_order_become_the_state() -> None:
    host = follower()
    for offset, answer in ((0, (4, False)), (4, (8, False)), (8, (9, True))):
        host.receive(chunk(offset))
        assert answers(host) == [answer]
    assert (host.restored, host.state) == ([META], [b"one", b"two", b"x"])
    raft = host.raft
    assert (raft.commit, raft.log.last_index, raft.log.last_term, raft.log.base_index) == (5, 5, 2, 5)
    assert (raft.snapshot, raft.durable.index, raft.incoming, raft.installing) == (META, 5, None, None)
    assert host.events[-1] == Committed(5, FOLLOWER, 2)


OTHERS = [META, SnapshotMeta(6, 2, THREE, 1), SnapshotMeta(5, 1, THREE, 1), SnapshotMeta(5, 2, FOUR, 4)]

SEQUENCES = [  # chunks: (offset, which of OTHERS, term) -> the answer to each: (offset of the next, done)
    ([(4, 0, 2)], [(0, False)]),  # not from its beginning
    ([(0, 0, 2), (8, 0, 2)], [(4, False), (4, False)]),  # one is missing
    ([(0, 0, 2), (0, 0, 2)], [(4, False), (4, False)]),  # twice
    ([(0, 0, 2), (4, 0, 2), (0, 0, 2), (8, 0, 2)], [(4, False), (8, False), (8, False), (9, True)]),
    ([(0, 0, 2), (4, 1, 2)], [(4, False), (0, False)]),  # of another snapshot: never behind the bytes of the first
    ([(0, 0, 2), (4, 2, 2)], [(4, False), (0, False)]),
    ([(0, 0, 2), (4, 3, 2)], [(4, False), (0, False)]),
    ([(0, 0, 2), (4, 0, 3)], [(4, False), (0, False)]),  # of another leader, which may have cut it otherwise
    ([(0, 0, 2), (0, 1, 2), (4, 1, 2), (8, 1, 2)], [(4, False), (4, False), (8, False), (9, True)]),
    ([(0, 0, 2), (4, 0, 2), (8, 0, 2), (8, 0, 2)], [(4, False), (8, False), (9, True), (0, True)]),
]


@pytest.mark.parametrize(("sent", "expected"), SEQUENCES)
def test_only_the_next_chunk_of_the_same_snapshot_is_taken(
    sent: list[tuple[int, int, int]], expected: list[tuple[int, bool]]
) -> None:
    """Chunks of two snapshots, put together by their offsets alone, were a state that no server had ever had."""
    host = follower()
    for (offset, which, term), answer in zip(sent, expected, strict=True):
        host.receive(chunk(offset, meta=OTHERS[which], term=term, src="a" if term == 2 else "c"))
        assert answers(host) == [answer]
    assert host.state in ([], STATE.split(b"|"))


def test_of_several_chunks_in_a_turn_one_is_taken_and_the_next_is_asked_for() -> None:
    host = follower()
    host.receive(chunk(0), chunk(4), chunk(8))
    assert answers(host) == [(4, False)] * 3
    host.receive(chunk(4), chunk(4))
    host.receive(chunk(8), chunk(8))
    assert answers(host) == [(8, False), (8, False), (9, True), (9, True)]
    assert host.state == STATE.split(b"|")


def test_an_empty_state_is_a_state() -> None:
    host = follower()
    host.receive(Install(2, "a", "b", META, 0, b"", last=True))
    assert (answers(host), host.restored, host.raft.commit) == ([(0, True)], [META], 5)


def test_nothing_is_done_before_it_is_taken_even_if_it_is_empty() -> None:
    """The chunk of another snapshot is being written: this one is asked for again, and not called done."""
    host = follower(slow_disk=True)
    empty = SnapshotMeta(6, 2, THREE, 1)
    host.receive(chunk(0), Install(2, "a", "b", empty, 0, b"", last=True))
    host.sync()
    assert [(reply.index, reply.done) for reply in host.took(InstallReply)] == [(5, False), (6, False)]


# terms and leaders


def test_a_leader_of_an_earlier_term_is_told_and_not_obeyed() -> None:
    host = follower()
    host.receive(whole(term=1))
    reply = host.only(InstallReply)
    assert (reply.term, reply.offset, reply.done, reply.round) == (2, 0, False, 0)
    assert (host.raft.commit, host.restored, host.raft.leader) == (0, [], None)


def test_a_chunk_is_a_sign_of_life_of_the_leader() -> None:
    """A transfer that took longer than the election timeout was broken off by the election of the very follower."""
    host = follower()
    host.time_out()
    assert host.raft.role != FOLLOWER
    host.take()
    host.receive(chunk(0, term=3))
    assert (host.raft.role, host.raft.leader, host.raft.term) == (FOLLOWER, "a", 3)
    assert host.raft.deadline >= host.time.now + host.settings.election_timeout_min_s
    host.receive(Vote(9, "c", "b", 9, 8))
    assert host.raft.term == 3


def test_no_second_leader_of_a_term() -> None:
    _, leader = settled("a", "b", "c")
    with pytest.raises(ProtocolViolation):
        leader.raft.receive(Install(1, "b", "a", META, 0, STATE, last=True), 0.0)


def test_the_answer_echoes_the_round_it_was_asked_in() -> None:
    host = follower()
    host.receive(chunk(0))
    reply = host.only(InstallReply)
    assert (reply.term, reply.index, reply.round) == (2, META.index, 3)


# the disk


def test_nothing_is_promised_or_installed_before_it_is_durable() -> None:
    host = follower(slow_disk=True)
    host.receive(chunk(0, size=8))
    assert answers(host) == []
    host.sync()
    assert answers(host) == [(8, False)]
    host.receive(chunk(8))
    assert (answers(host), host.raft.commit, host.restored) == ([], 0, [])
    host.sync()
    assert (answers(host), host.raft.commit, host.restored) == ([(9, True)], 5, [META])


@pytest.mark.parametrize(("surviving", "commit"), [(0, 0), (1, 5)])
def test_a_crash_leaves_all_of_it_or_nothing(surviving: int, commit: int) -> None:
    host = follower(1, 1, 1, 1, 1, 1, slow_disk=True)
    host.receive(chunk(0, size=8))
    host.sync()
    host.receive(chunk(8, size=8))
    host.restart(surviving_writes=surviving)
    host.turn()
    assert (host.raft.commit, host.raft.incoming) == (commit, None)
    assert terms_of(host.raft) == ([] if surviving else [0, 1, 1, 1, 1, 1, 1])
    host.receive(chunk(8))
    assert answers(host)[0][1] == bool(surviving)


def test_a_restart_in_the_middle_begins_anew() -> None:
    host = follower()
    host.receive(chunk(0))
    host.restart()
    host.receive(chunk(4))
    assert answers(host) == [(0, False)]
    for offset in (0, 4, 8):
        host.receive(chunk(offset))
    assert host.state == STATE.split(b"|")


def test_writes_under_way_when_the_log_is_replaced_vouch_for_nothing() -> None:
    """The entries of a write that ended later stood where the log now held others, and were taken for durable."""
    host = follower(slow_disk=True)
    host.receive(whole(term=3))
    old = [command(1, index) for index in range(2, 9)]
    host.receive(Append(3, "a", "b", 1, 0, old, 0, 4))  # on its way behind the snapshot, in conflict with it
    host.sync_one()
    assert (host.raft.log.last_index, host.raft.durable.index) == (5, 5)
    host.receive(Append(3, "a", "b", 5, 2, [command(3, 6), command(3, 7)], 0, 5))
    host.take()
    host.sync_one()
    assert host.raft.durable.index == 5
    host.sync_one()
    assert (host.raft.durable.index, host.took(AppendReply)[-1].index) == (7, 7)


def test_what_arrives_while_one_is_installed_waits_its_turn() -> None:
    host = follower(slow_disk=True)
    host.receive(whole())
    newer = SnapshotMeta(9, 2, THREE, 1)
    host.receive(whole(newer))
    assert [write.chunk.meta for write in host.unsynced if write.chunk] == [META]
    host.sync()
    assert answers(host) == [(9, True), (0, False)]
    assert (host.raft.commit, host.restored) == (5, [META])
    host.receive(whole(newer))
    host.sync()
    assert (host.raft.commit, host.restored) == (9, [META, newer])


def test_a_candidate_that_installs_goes_on_with_its_election() -> None:
    host = follower(slow_disk=True)
    host.settings = host.raft.settings = Settings(pre_vote=False)
    host.receive(whole())
    host.time_out()
    assert host.raft.role == CANDIDATE
    host.sync()
    assert (host.raft.role, host.raft.commit, host.restored) == (CANDIDATE, 5, [META])
