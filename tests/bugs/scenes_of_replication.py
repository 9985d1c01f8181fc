"""Replication, commitment, membership and clients: each bug shows in its scene when it is planted, and only then."""

from __future__ import annotations

from typing import Any

from raftsim.core import membership, reads, replication
from raftsim.core import raft as raft_module
from raftsim.core.config import LEARNER, REMOVE, Change, of
from raftsim.core.durable import Durable
from raftsim.core.entry import COMMAND, Entry, HardState
from raftsim.core.errors import CHANGE_IN_FLIGHT, Rejected
from raftsim.core.messages import Append, AppendReply, VoteReply
from raftsim.core.output import LEADER
from raftsim.core.progress import Progress
from raftsim.core.raft import Raft
from raftsim.machine.sessions import Sessions, register_command, session_command
from raftsim.machine.sessiontable import Session
from raftsim.machine.variables import Variables, put_command
from raftsim.node.clients import Clients
from raftsim.node.requests import LEADERSHIP_LOST, UNKNOWN, Command, Outcome
from tests.bugs.bug import Bug, Patch
from tests.core.harness import PLAIN, Cluster, Host, command, log_of, terms_of
from tests.node.harness import leader_of_three

ABC = of("a", "b", "c")


def an_append_comes_again_after_a_longer_one() -> None:
    host = Host("b", log_of(ABC), hard=HardState(1))
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2), command(1, 3)], 0, 0))
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 0, 0))
    assert terms_of(host.raft) == [0, 1, 1]


def any_append_truncates(patch: Patch) -> None:
    def cutting(raft: Raft, message: Append, now: float) -> None:
        if message.prev_index < raft.log.last_index:
            raft.log.truncate(message.prev_index + 1)
            raft.durable.cut(message.prev_index)
        replication.on_append(raft, message, now)

    patch.setitem(raft_module.HANDLERS, Append, cutting)


def a_heartbeat_with_a_commit_index_beyond_what_is_known_to_agree() -> None:
    host = Host("b", log_of(ABC, 1, 1), hard=HardState(1))  # the leader has other entries at 2 and 3
    host.receive(Append(2, "a", "b", 1, 0, [], 3, 0))
    assert host.raft.commit == 1


def commit_index_of_a_heartbeat_believed(patch: Patch) -> None:
    def trusting(raft: Raft, message: Append, now: float) -> None:
        replication.on_append(raft, message, now)
        raft.commit_to(max(raft.commit, min(message.commit, raft.log.last_index)))

    patch.setitem(raft_module.HANDLERS, Append, trusting)


def an_old_acknowledgement_comes_late() -> None:
    cluster = Cluster(*"abc")
    leader = cluster.elect("a")
    leader.propose(b"x", b"y")
    cluster.run()
    match = leader.raft.progress["b"].match
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=True, index=match - 1))
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=False, index=match - 1))
    assert leader.raft.progress["b"].match == match


def match_index_goes_back(patch: Patch) -> None:
    def matched(progress: Progress, index: int, _: int) -> None:
        progress.match, progress.next = index, index + 1

    patch.setattr(Progress, "matched", matched)


def a_single_voter_with_a_slow_disk() -> None:
    host = Host("a", log_of(of("a")), settings=PLAIN, slow_disk=True)
    host.time_out()
    host.sync()
    host.sync()
    host.propose(b"x")
    assert b"x" not in host.state
    host.sync()
    assert b"x" in host.state


def applied_before_it_is_durable(patch: Patch) -> None:
    append = replication.append_own

    def hasty(raft: Raft, entry: Entry) -> int:
        raft.durable.index = append(raft, entry)
        replication.advance_commit(raft, 0.0)
        return raft.durable.index

    patch.setattr(replication, "append_own", hasty)


def a_write_finishes_after_its_entry_was_replaced() -> None:
    """An entry is written, cut off and replaced at the same index: the first write's end says nothing of the second."""
    host = Host("b", log_of(ABC), settings=PLAIN, slow_disk=True)
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 0, 0))
    host.receive(Append(2, "c", "b", 1, 0, [command(2, 2)], 0, 0))
    host.sync_one()
    assert host.raft.durable.index < 2
    host.sync()
    assert host.raft.durable.index == 2


def cut_forgotten_for_what_is_on_its_way(patch: Patch) -> None:
    def cut(durable: Durable, index: int) -> None:
        durable.index = min(durable.index, index)

    patch.setattr(Durable, "cut", cut)


def an_append_from_below_the_base_of_the_log() -> None:
    host = Host("b", log_of(ABC, 1, 1, 1), hard=HardState(1))
    host.receive(Append(1, "a", "b", 4, 1, [], 3, 0))
    host.snapshot()
    assert host.raft.log.base_index == 3
    host.receive(Append(1, "a", "b", 1, 0, [command(1, 2)], 3, 0))
    assert host.raft.log.last_index == 4


def what_is_compacted_taken_for_a_conflict(patch: Patch) -> None:
    def cutting(raft: Raft, message: Append, now: float) -> None:
        if message.prev_index < raft.log.base_index:
            raft.log.truncate(raft.log.base_index + 1)
            raft.durable.cut(raft.log.base_index)
        replication.on_append(raft, message, now)

    patch.setitem(raft_module.HANDLERS, Append, cutting)


def a_change_while_another_is_in_flight() -> None:
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


def two_changes_in_flight(patch: Patch) -> None:
    gate = membership._gate

    def open_gate(raft: Raft) -> None:
        try:
            gate(raft)
        except Rejected as rejected:
            if rejected.reason != CHANGE_IN_FLIGHT:
                raise

    patch.setattr(membership, "_gate", open_gate)


def a_leader_removes_itself() -> None:
    cluster = Cluster(*"ab")
    leader = cluster.elect("a")
    cluster.down.add("b")
    index, _ = leader.raft.change([Change(REMOVE, "a")], leader.time.now)
    leader.turn()
    assert leader.raft.commit < index


def removed_leader_counts_itself(patch: Patch) -> None:
    def with_own(voters: Any, _: object, copies: dict[str, int]) -> int:
        found = sorted((copies.get(id, 0) for id in {*voters, "a"}), reverse=True)
        return found[len(voters) // 2]

    patch.setattr(replication, "committed_index", with_own)


def elected_with_the_commit_index_behind() -> Host:
    """a leads; nothing is committed as far as it knows, though the others know more."""
    cluster = Cluster(*"abc", logs={id: [1, 1] for id in "abc"}, term=1, settings=PLAIN)
    leader = cluster["a"]
    leader.time_out()
    leader.receive(VoteReply(leader.raft.term, "b", "a", granted=True, pre=False))
    assert leader.raft.role == LEADER
    return leader


def a_read_before_the_first_commit_of_the_term() -> None:
    leader = elected_with_the_commit_index_behind()
    leader.read(7)
    leader.time_out()
    leader.receive(AppendReply(leader.raft.term, "b", "a", ok=False, index=3, round=leader.raft.round))
    assert leader.reads == [(7, leader.raft.term_start_index)]


def read_index_is_the_commit_index_of_the_moment(patch: Patch) -> None:
    begin = reads.begin_round

    def early(raft: Raft, now: float) -> None:
        start, raft.term_start_index = raft.term_start_index, 0
        begin(raft, now)
        raft.term_start_index = start

    patch.setattr(reads, "begin_round", early)


def an_answer_to_an_earlier_heartbeat_comes_late() -> None:
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


def any_answer_confirms_any_read(patch: Patch) -> None:
    def generous(raft: Raft, progress: Progress, _: int) -> None:
        progress.round = raft.round
        reads.confirm(raft)

    patch.setattr(reads, "answered", generous)


def a_command_that_comes_again() -> None:
    machine = Sessions(Variables())
    session = machine.apply(1, register_command(0))["value"]
    put = session_command(session, 1, put_command("default", "a", {"k": "v"}, 0, 0))
    assert machine.apply(2, put) == machine.apply(3, put)


def answers_not_remembered(patch: Patch) -> None:
    patch.setattr(Session, "remember", lambda *_: None)


def the_entry_of_a_client_is_overwritten() -> None:
    station = leader_of_three()
    outcomes = station.ask(Command(b"x"))
    station.sync()
    station.receive(Append(2, "b", "a", 2, 1, [Entry(2, COMMAND, b"y")], 3, 0))
    station.sync()
    assert outcomes == [Outcome(UNKNOWN, reason=LEADERSHIP_LOST)]


def clients_answered_by_index_alone(patch: Patch) -> None:
    applied = Clients.applied

    def trusting(clients: Clients, index: int, entry: Entry) -> None:
        job = clients._proposed.get(index)
        if job is not None:
            job.term = entry.term
        applied(clients, index, entry)

    patch.setattr(Clients, "applied", trusting)
    patch.setattr(Clients, "role_changed", lambda _: None)


BUGS = [
    Bug("B25", "an old append truncates", an_append_comes_again_after_a_longer_one, any_append_truncates),
    Bug(
        "B28",
        "commit index of a heartbeat believed",
        a_heartbeat_with_a_commit_index_beyond_what_is_known_to_agree,
        commit_index_of_a_heartbeat_believed,
    ),
    Bug("B29", "match index goes back", an_old_acknowledgement_comes_late, match_index_goes_back),
    Bug(
        "B35",
        "stale completion of a write",
        a_write_finishes_after_its_entry_was_replaced,
        cut_forgotten_for_what_is_on_its_way,
    ),
    Bug("B39", "applied before it is durable", a_single_voter_with_a_slow_disk, applied_before_it_is_durable),
    Bug(
        "B50",
        "compacted entries taken for a conflict",
        an_append_from_below_the_base_of_the_log,
        what_is_compacted_taken_for_a_conflict,
    ),
    Bug("B55", "two changes in flight", a_change_while_another_is_in_flight, two_changes_in_flight),
    Bug("B58", "removed leader counts itself", a_leader_removes_itself, removed_leader_counts_itself),
    Bug(
        "B66",
        "read before a commit of the term",
        a_read_before_the_first_commit_of_the_term,
        read_index_is_the_commit_index_of_the_moment,
    ),
    Bug(
        "B67",
        "late answer confirms a later read",
        an_answer_to_an_earlier_heartbeat_comes_late,
        any_answer_confirms_any_read,
    ),
    Bug("B69", "a retry applied twice", a_command_that_comes_again, answers_not_remembered),
    Bug(
        "B70",
        "a client answered by index alone",
        the_entry_of_a_client_is_overwritten,
        clients_answered_by_index_alone,
    ),
]
