"""Section 7, a leader that sends a snapshot: what changes meanwhile, and answers that no correct follower gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raftsim.core.errors import ProtocolViolation
from raftsim.core.messages import Append, AppendReply, Install, InstallReply
from raftsim.core.output import LEADER
from raftsim.core.progress import REPLICATE, SNAPSHOT
from tests.core.harness import Host
from tests.core.members import settled
from tests.core.sending import CHUNKS, COMMANDS, all_agree, asked, compacted, offsets


def test_a_transfer_is_finished_even_if_a_newer_snapshot_was_taken() -> None:
    """Begun anew with every snapshot, the transfer to a slow follower of a busy leader never came to its end."""
    cluster, leader = compacted()
    asked(cluster, leader)
    old = leader.raft.snapshot
    leader.slow_reads = True
    leader.propose(b"five")
    cluster.deliver(lambda message: message.src != "c" and message.dst != "c")
    cluster.deliver(lambda message: message.src != "c" and message.dst != "c")
    assert leader.snapshot().index == 7
    for offset in CHUNKS:
        assert [(wanted.index, wanted.offset) for wanted in leader.wanted] == [(6, offset)]
        leader.read_chunks()
        cluster["c"].receive(leader.only(Install))
        leader.receive(cluster["c"].only(InstallReply))
    assert (cluster["c"].restored, cluster["c"].state) == ([old], COMMANDS)
    leader.slow_reads = False
    all_agree(cluster, leader)


def test_a_snapshot_that_is_gone_is_replaced_by_the_newest() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.slow_reads = True
    leader.read_chunks()
    cluster["c"].receive(leader.only(Install))
    leader.receive(cluster["c"].only(InstallReply))
    for data in (b"five", b"six"):
        leader.propose(data)
        cluster.deliver(lambda message: message.src != "c" and message.dst != "c")
        cluster.deliver(lambda message: message.src != "c" and message.dst != "c")
        leader.snapshot()
    assert [(wanted.index, wanted.offset) for wanted in leader.wanted] == [(6, 4)]
    leader.read_chunks()
    assert [(wanted.index, wanted.offset) for wanted in leader.wanted] == [(8, 0)]
    leader.slow_reads = False
    leader.read_chunks()
    cluster.run()
    assert cluster["c"].restored == [leader.raft.snapshot]
    assert cluster["c"].state == [*COMMANDS, b"five", b"six"]


def test_a_snapshot_that_is_not_there_any_more_is_begun_anew() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    (wanted,) = leader.wanted
    leader.wanted.clear()
    leader.slow_reads = True
    leader.raft.chunk(wanted, None, last=False, now=cluster.time.now)
    leader.turn()
    assert offsets(leader) == []
    assert leader.wanted == [wanted]
    leader.slow_reads = False
    leader.read_chunks()
    all_agree(cluster, leader)


def test_a_new_leader_begins_its_own_transfer() -> None:
    """The chunks of the old leader's snapshot and those of the new one's were put together."""
    cluster, leader = compacted()
    cluster["b"].receive(Append(1, "a", "b", 6, 1, [], 6, 1))
    cluster["b"].snapshot(trailing=1)
    asked(cluster, leader)
    leader.read_chunks()
    cluster["c"].receive(leader.only(Install))
    assert cluster["c"].only(InstallReply).offset == 4
    cluster["b"].chunk_bytes = 5
    cluster.down.add("a")
    new = cluster.elect("b")
    cluster.beat("b")
    assert (cluster["c"].state, new.raft.progress["c"].state) == (COMMANDS, REPLICATE)
    leader.slow_reads = True
    cluster.down.clear()
    leader.restart()
    all_agree(cluster, new)


def test_who_leads_no_more_sends_no_chunk() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.receive(AppendReply(5, "b", "a", ok=False, index=0))
    leader.take()
    leader.read_chunks()
    assert leader.take() == []


def test_a_chunk_that_is_not_wanted_any_more_is_not_sent() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.slow_reads = True
    assert leader.raft.snapshot is not None
    leader.receive(InstallReply(1, "c", "a", leader.raft.snapshot.index, 0, done=True))
    leader.take()
    leader.read_chunks()
    assert offsets(leader) == []
    assert leader.raft.progress["c"].state == REPLICATE


def test_a_follower_that_catches_up_otherwise_is_fed_from_the_log() -> None:
    """Left in its snapshot, the follower's refusals went unheard, and nothing was sent that it could take."""
    cluster, leader = settled("a", "b", "c")
    cluster.blocked = {("a", "c")}
    leader.propose(*COMMANDS)
    delayed = [message for message in leader.sent if message.dst == "c"]
    cluster.run()
    leader.propose(b"five")
    cluster.run()
    leader.snapshot(trailing=2)  # the base is 5, the snapshot at 7
    cluster.blocked.clear()
    asked(cluster, leader)
    leader.wanted.clear()
    cluster["c"].receive(*delayed)
    reply = cluster["c"].only(AppendReply)
    assert (reply.ok, reply.index) == (True, 6)
    leader.receive(reply)
    leader.take()  # what the leader makes of that is lost
    for _ in range(20):
        cluster.beat("a")
    assert cluster.raft("c").commit == leader.raft.commit
    all_agree(cluster, leader)


# heartbeats go on


def test_during_a_transfer_the_follower_hears_its_leader_and_the_leader_its_follower() -> None:
    """A slow transfer, and no heartbeats beside it: the follower stood for election, or the leader resigned."""
    cluster, leader = compacted()
    cluster.down.add("b")
    asked(cluster, leader)
    leader.slow_reads = True
    for _ in range(40):
        leader.time_out()
        heartbeats = [message for message in cluster.collect() if isinstance(message, Append) and message.dst == "c"]
        assert [(message.prev_index, message.entries, message.commit) for message in heartbeats] == [(0, [], 0)]
        cluster.run()
        cluster["c"].wake()
    assert (leader.raft.role, leader.raft.term, cluster.raft("c").leader) == (LEADER, 1, "a")
    assert (leader.raft.progress["c"].match, leader.raft.progress["c"].state) == (2, SNAPSHOT)
    assert len(leader.wanted) > 1  # asked again, should the disk have forgotten
    leader.slow_reads = False
    leader.read_chunks()
    cluster.down.clear()
    all_agree(cluster, leader)


def test_an_installed_snapshot_counts_for_commitment() -> None:
    cluster, leader = compacted()
    cluster.down.add("b")
    cluster.beat("a")
    cluster.beat("a")
    leader.propose(b"x")
    cluster.run()
    assert leader.raft.commit == leader.raft.log.last_index == 7


# answers that no correct follower gives


def in_transfer() -> Host:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.read_chunks()
    leader.take()
    return leader


HOSTILE = [  # (index, offset, done, round) -> the offset that is wanted then; None: it is a violation
    ((6, 4, False, 0), 4),
    ((6, 1 << 62, False, 0), 1 << 62),  # it gets nothing, and says so
    ((0, 0, False, 0), 0),
    ((99, 4, False, 0), 0),  # of another snapshot
    ((5, 4, False, 0), 0),
    ((7, 0, True, 0), None),  # it has what we have not
    ((1 << 62, 0, True, 0), None),
    ((6, 0, True, 99), None),  # a round that never was
    ((6, 4, False, 99), None),
    ((6, 4, False, -1), None),
]


@pytest.mark.parametrize(("answer", "wanted"), HOSTILE)
def test_a_hostile_answer_is_a_violation_or_harmless(answer: tuple[int, int, bool, int], wanted: int | None) -> None:
    leader = in_transfer()
    index, offset, done, round = answer
    reply = InstallReply(1, "c", "a", index, offset, done, round)
    if wanted is None:
        with pytest.raises(ProtocolViolation):
            leader.receive(reply)
    else:
        leader.receive(reply)
    progress = leader.raft.progress["c"]
    assert (progress.match, progress.offset) == (2, wanted or 0)
    assert len(offsets(leader)) == bool(wanted)
    leader.time_out()
    assert leader.raft.role == LEADER


numbers = st.integers(0, 9) | st.integers(0, 1 << 63)


@given(st.lists(st.tuples(st.sampled_from("bcd"), numbers, numbers, st.booleans(), numbers), max_size=8))
def test_no_answer_at_all_breaks_a_leader(answers: list[tuple[str, int, int, bool, int]]) -> None:
    leader = in_transfer()
    for src, index, offset, done, round in answers:
        try:
            leader.receive(InstallReply(1, src, "a", index, offset, done, round))
        except ProtocolViolation:
            continue
    leader.time_out()
    assert leader.raft.role == LEADER
    assert all(progress.match <= 6 for progress in leader.raft.progress.values())
