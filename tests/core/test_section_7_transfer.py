"""Section 7, a leader whose follower needs what is compacted: chunk by chunk, whatever is lost or overtaken."""

from __future__ import annotations

from random import Random

import pytest

from raftsim.core.messages import Install, InstallReply
from raftsim.core.output import LEADER
from tests.core.sending import CHUNKS, COMMANDS, SETTINGS, all_agree, asked, compacted, offsets, pass_time


def test_a_follower_behind_the_log_gets_the_snapshot_in_chunks_and_then_the_rest() -> None:
    cluster, leader = compacted()
    leader.propose(b"five")
    sent = []
    leader.time_out()
    while cluster.collect():
        sent += [message.offset for message in cluster.net if isinstance(message, Install)]
        cluster.deliver()
    assert sent == CHUNKS
    assert (cluster["c"].restored, cluster.raft("c").log.base_index) == ([leader.raft.snapshot], 6)
    all_agree(cluster, leader)
    assert cluster["c"].state == [*COMMANDS, b"five", b"last"]


def test_a_new_server_gets_the_snapshot_too() -> None:
    cluster, leader = compacted()
    cluster["c"].disk.entries.clear()
    cluster["c"].restart()
    all_agree(cluster, leader)


# what is lost, late or twice


def test_a_lost_chunk_is_sent_again_after_an_election_timeout() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.read_chunks()
    assert offsets(leader) == [0]
    pass_time(cluster, SETTINGS.election_timeout_min_s * 0.7)
    assert not any(isinstance(message, Install) for message in cluster.net)
    pass_time(cluster, SETTINGS.election_timeout_min_s * 0.7)
    assert [message.offset for message in cluster.net if isinstance(message, Install)] == [0]
    all_agree(cluster, leader)


def test_a_lost_answer_costs_one_chunk_twice() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.read_chunks()
    cluster["c"].receive(leader.only(Install))
    assert cluster["c"].only(InstallReply).offset == 4
    pass_time(cluster, SETTINGS.election_timeout_min_s * 1.4)
    sent = []
    while cluster.collect():
        sent += [message.offset for message in cluster.net if isinstance(message, Install)]
        cluster.deliver()
    assert sent == CHUNKS
    all_agree(cluster, leader)


def test_an_old_answer_sends_an_old_chunk_and_the_follower_says_where_it_is() -> None:
    cluster, leader = compacted()
    asked(cluster, leader)
    leader.read_chunks()
    cluster["c"].receive(leader.only(Install))
    first = cluster["c"].only(InstallReply)
    leader.receive(first)
    cluster["c"].receive(leader.only(Install))
    second = cluster["c"].only(InstallReply)
    leader.receive(second)
    leader.receive(first)
    assert offsets(leader) == [8, 4]
    leader.receive(second)
    assert offsets(leader) == [8]
    leader.receive(second)
    assert offsets(leader) == []  # it is under way
    all_agree(cluster, leader)


@pytest.mark.parametrize("seed", range(40))
def test_losses_repetitions_overtaking_crashes_and_compactions(seed: int) -> None:
    """Whatever becomes of the messages, the state that arrives is one that the leader had."""
    rng = Random(seed)
    cluster, leader = compacted()
    for number in range(150):
        chance = rng.random()
        cluster.collect()
        if cluster.net and chance < 0.7:
            message = rng.choice(cluster.net)
            if chance > 0.1:
                cluster[message.dst].receive(message)
            if chance < 0.55:
                cluster.net.remove(message)
        elif chance < 0.9:
            cluster.time.now += 0.07
            leader.wake()
        elif chance < 0.96:
            cluster["c"].restart()
        elif leader.raft.role == LEADER:
            leader.propose(b"%d" % number)
            leader.snapshot(trailing=rng.randint(0, 2))
            leader.chunk_bytes = rng.randint(2, 9)
    cluster.net.clear()
    all_agree(cluster, leader if leader.raft.role == LEADER else cluster.elect("b"))
