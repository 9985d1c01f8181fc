"""Section 5.3: what a server writes, and what the end of a write says."""

from __future__ import annotations

from raftsim.core.config import of
from raftsim.core.entry import HardState
from raftsim.core.messages import Append, AppendReply, Vote
from raftsim.core.settings import Settings
from tests.core.harness import Cluster, Host, command, log_of, terms_of

THREE = of("a", "b", "c")


def follower(*terms: int, hard: HardState | None = None, slow_disk: bool = False) -> Host:
    """`b`, whose log has these terms from index 2 on."""
    return Host("b", log_of(THREE, *terms), hard=hard, slow_disk=slow_disk)


def append(term: int, prev: int, prev_term: int, *terms: int, commit: int = 0) -> Append:
    """From `a`; `terms` are those of the entries after `prev`."""
    entries = [command(each, index) for index, each in enumerate(terms, prev + 1)]
    return Append(term, "a", "b", prev, prev_term, entries, commit, 1)


def test_a_turn_is_one_write() -> None:
    host = follower(1, 1, 1, hard=HardState(1), slow_disk=True)
    host.receive(append(2, 3, 1, 2), append(2, 4, 2, 2), append(2, 5, 2, 2))
    (write,) = host.unsynced
    assert (write.first_index, [entry.term for entry in write.entries], write.hard) == (4, [2, 2, 2], HardState(2))


def test_two_cuts_in_a_turn_write_what_stands_at_the_end() -> None:
    host = follower(1, 1, 1, hard=HardState(1), slow_disk=True)
    host.receive(append(2, 3, 1, 2), Append(3, "c", "b", 2, 1, [command(3, 3)], 0, 1))
    (write,) = host.unsynced
    assert (write.first_index, [entry.term for entry in write.entries]) == (3, [3])
    host.sync()
    assert [entry.term for entry in host.disk.entries] == terms_of(host.raft) == [0, 1, 3]


def test_a_late_write_never_vouches_for_an_entry_that_was_replaced() -> None:
    """Entry 2 of term 1 is being written, is replaced by entry 2 of term 2: the end of the first write said nothing of
    the second, and yet it made a leader count it."""
    cluster = Cluster("a", "b", "c", settings=Settings(pre_vote=False, stickiness=False), slow_disk=True)
    host = cluster["b"]
    host.receive(append(1, 1, 0, 1, 1))  # write 1: entries 2 and 3 of term 1
    host.receive(Append(2, "c", "b", 1, 0, [command(2, 2), command(2, 3)], 0, 1))  # write 2: the same places
    host.sync_one()
    assert host.raft.durable.index == 1
    assert [message.term for message in host.took(AppendReply)] == [1]  # the old leader's, and only that
    host.sync_one()
    assert host.raft.durable.index == 3


def test_a_leader_does_not_count_a_late_write_of_an_earlier_term() -> None:
    """The same as a leader sees it: its copy is durable when this term's write is, not when an old one ends."""
    host = Host("a", log_of(THREE), settings=Settings(pre_vote=False, check_quorum=False), slow_disk=True)
    host.receive(Append(1, "b", "a", 1, 0, [command(1, 2), command(1, 3)], 0, 1))
    host.receive(Append(2, "b", "a", 1, 0, [command(2, 2)], 0, 1))
    host.time_out()
    host.sync_one()
    assert (host.raft.durable.index, host.took(Vote)) == (1, [])
    host.sync()
    assert (host.raft.durable.index, len(host.took(Vote))) == (2, 2)
