"""Replication, membership and clients, seen from core and node: the moments in which known bugs would show."""

from __future__ import annotations

from raftsim.core.config import LEARNER, REMOVE, Change, of
from raftsim.core.entry import COMMAND, Entry, HardState
from raftsim.core.errors import CHANGE_IN_FLIGHT, Rejected
from raftsim.core.messages import Append, AppendReply, VoteReply
from raftsim.core.output import LEADER
from raftsim.machine.sessions import Sessions, register_command, session_command
from raftsim.machine.variables import Variables, put_command
from raftsim.node.requests import LEADERSHIP_LOST, UNKNOWN, Command, Outcome
from tests.core.harness import PLAIN, Cluster, Host, command, log_of, terms_of
from tests.node.harness import leader_of_three

ABC = of("a", "b", "c")


def test_b25_an_append_comes_again_after_a_longer_one() -> None:
    host = Host("b", log_of(ABC), hard=HardState(1))
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2), command(1, 3)], 0, 0))
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 0, 0))
    assert terms_of(host.raft) == [0, 1, 1]


def test_b28_a_heartbeat_with_a_commit_index_beyond_what_is_known_to_agree() -> None:
    host = Host("b", log_of(ABC, 1, 1), hard=HardState(1))  # the leader has other entries at 2 and 3
    host.receive(Append(2, "a", "b", 1, 0, [], 3, 0))
    assert host.raft.commit == 1


def test_b29_an_old_acknowledgement_comes_late() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    leader.propose(b"x", b"y")
    cluster.run()
    match = leader.raft.progress["b"].match
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=True, index=match - 1))
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=False, index=match - 1))
    assert leader.raft.progress["b"].match == match


def test_b39_a_single_voter_with_a_slow_disk() -> None:
    host = Host("a", log_of(of("a")), settings=PLAIN, slow_disk=True)
    host.time_out()
    host.sync()
    host.sync()
    host.propose(b"x")
    assert b"x" not in host.state
    host.sync()
    assert b"x" in host.state


def test_b35_a_write_finishes_after_its_entry_was_replaced() -> None:
    """An entry is written, cut off and replaced at the same index: the first write's end says nothing of the second."""
    host = Host("b", log_of(ABC), settings=PLAIN, slow_disk=True)
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 0, 0))
    host.receive(Append(2, "c", "b", 1, 0, [command(2, 2)], 0, 0))
    host.sync_one()
    assert host.raft.durable.index < 2
    host.sync()
    assert host.raft.durable.index == 2


def test_b50_an_append_from_below_the_base_of_the_log() -> None:
    host = Host("b", log_of(ABC, 1, 1, 1), hard=HardState(1))
    host.receive(Append(1, "a", "b", 4, 1, [], 3, 0))
    host.snapshot()
    assert host.raft.log.base_index == 3
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 3, 0))
    assert host.raft.log.last_index == 4


def test_b55_a_change_while_another_is_in_flight() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    leader.raft.change([Change(REMOVE, "c")], leader.time.now)
    assert refusal_of(leader, Change(LEARNER, "d", "d")) == CHANGE_IN_FLIGHT


def refusal_of(leader: Host, change: Change) -> str:
    """Why it is refused; empty if it is not."""
    try:
        leader.raft.change([change], leader.time.now)
    except Rejected as rejected:
        return rejected.reason
    return ""


def test_b58_a_leader_removes_itself() -> None:
    cluster = Cluster(*"ab")
    leader = cluster.elect("a")
    cluster.down.add("b")
    index, _ = leader.raft.change([Change(REMOVE, "a")], leader.time.now)
    leader.turn()
    assert leader.raft.commit < index


def elected_with_the_commit_index_behind() -> Host:
    """a leads; nothing is committed as far as it knows, though the others know more."""
    cluster = Cluster(*"abc", logs={id: [1, 1] for id in "abc"}, term=1, settings=PLAIN)
    leader = cluster["a"]
    leader.time_out()
    leader.receive(VoteReply(leader.raft.term, "b", "a", granted=True, pre=False))
    assert leader.raft.role == LEADER
    return leader


def test_b66_a_read_before_the_first_commit_of_the_term() -> None:
    leader = elected_with_the_commit_index_behind()
    leader.read(7)
    leader.time_out()
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=False, index=3, round=leader.raft.round))
    assert leader.reads == [(7, leader.raft.term_start_index)]


def test_b67_an_answer_to_an_earlier_heartbeat_comes_late() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    cluster.beat("a")
    earlier = leader.raft.round
    cluster.down |= {"b", "c"}  # they may have elected another one by now
    leader.read(7)
    leader.time_out()
    assert leader.raft.round > earlier
    last = leader.raft.log.last_index
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=True, index=last, round=earlier))
    assert leader.reads == []


def test_b69_a_command_that_comes_again() -> None:
    machine = Sessions(Variables())
    session = machine.apply(1, register_command(0))["value"]
    put = session_command(session, 1, put_command("default", "a", {"k": "v"}, 0, 0))
    assert machine.apply(2, put) == machine.apply(3, put)


def test_b70_the_entry_of_a_client_is_overwritten() -> None:
    station = leader_of_three()
    outcomes = station.ask(Command(b"x"))
    station.sync()
    station.receive(Append(2, "b", "a", 2, 1, [Entry(2, COMMAND, b"y")], 3, 0))
    station.sync()
    assert outcomes == [Outcome(UNKNOWN, reason=LEADERSHIP_LOST)]
