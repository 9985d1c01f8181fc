"""The turn: a group of inputs is one drain, promises wait for their write, links follow the membership."""

from __future__ import annotations

from raftsim.core.config import LEARNER, Change, of, simple
from raftsim.core.entry import CONFIG, Entry
from raftsim.core.messages import Append, AppendReply, Vote, VoteReply
from raftsim.core.output import LEADER
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import Command, RemovePeer
from raftsim.node.server import MAX_SEEN
from raftsim.trace.events import APPLY, COMMIT, OUTCOME, REQUEST, ROLE, SEND, SYNCED, WRITE
from raftsim.trace.events import CONFIG as CONFIGURATION
from tests.node.harness import ALL, Station, acknowledge, depose, follower_of_b, heartbeat, leader_of_three


def test_promises_leave_after_their_write_and_in_order() -> None:
    """A promise that overtook its write was broken by the next power cut."""
    station = follower_of_b()
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 0)], 0, 1))
    station.receive(Append(1, "b", "a", 2, 1, [Entry(1, 0)], 0, 2))
    station.receive(heartbeat(station, term=1, leader="b"))
    assert (len(station.unsynced), station.sent) == (2, [])
    station.sync(writes=1)
    assert [reply.index for reply in station.took(AppendReply)] == [2]
    station.sync(writes=1)
    assert [reply.index for reply in station.took(AppendReply)] == [3, 3]
    station.receive(heartbeat(station, term=1, leader="b"))
    assert [reply.index for reply in station.took(AppendReply)] == [3]  # nothing to wait for


def test_one_report_of_the_disk_stands_for_all_writes_before_it() -> None:
    station = follower_of_b()
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, 0)], 0, 1))
    station.receive(Append(1, "b", "a", 2, 1, [Entry(1, 0)], 0, 2))
    station.sync()
    assert [reply.index for reply in station.took(AppendReply)] == [2, 3]


def test_a_vote_waits_for_the_disk_too() -> None:
    station = Station("a", of("a", "b", "c"))
    station.receive(Vote(3, "b", "a", 5, 2))
    assert station.sent == []
    station.sync()
    assert [reply.granted for reply in station.took(VoteReply)] == [True]


def test_a_group_of_inputs_is_one_drain() -> None:
    """Three requests of one turn: one write, and one message for each follower."""
    station = leader_of_three()
    station.ask(Command(b"1"), Command(b"2"), Command(b"3"))
    assert [len(write.entries) for write in station.unsynced] == [3]
    appends = station.took(Append)
    assert [(append.dst, len(append.entries)) for append in appends] == [("b", 3), ("c", 3)]


def test_a_leaders_appends_do_not_wait_for_its_own_disk() -> None:
    station = leader_of_three()
    station.ask(Command(b"1"))
    assert len(station.unsynced) == 1
    assert len(station.took(Append)) == 2


def test_the_timer_is_set_for_whoever_needs_it_first() -> None:
    station = follower_of_b()
    assert station.deadline == station.node.raft.deadline
    station = Station("a", of("a"), settings=station.settings)
    station.linked.clear()
    station.ask(ALL)
    assert station.deadline == min(station.node.raft.deadline, 5.0)


def test_a_single_server_comes_to_lead_and_applies_after_its_disk() -> None:
    station = Station("a", of("a"))
    station.wait(1.0)
    station.sync()
    assert station.node.raft.role == LEADER
    station.sync()
    outcomes = station.ask(Command(b"x"))
    assert (outcomes, station.machine.commands) == ([], [])
    station.sync()
    assert [outcome.value for outcome in outcomes] == [(3, b"x")]
    assert station.machine.commands == [b"x"]


def test_a_long_log_is_applied_in_parts_and_answers_wait_for_theirs() -> None:
    station = leader_of_three(apply_batch_entries=2)
    outcomes = station.ask(*[Command(b"%d" % number) for number in range(5)], ALL)
    station.sync()
    raft, parts = station.node.raft, []
    station.node.receive(AppendReply(1, "b", "a", ok=True, index=7, round=raft.round))
    while station.turn_wanted:
        station.turn_wanted = False
        station.node.turn()
        parts.append(len(station.machine.commands))
    assert (raft.commit, parts) == (7, [2, 4, 5])
    assert [outcome.kind for outcome in outcomes] == ["ok"] * 6
    assert (station.node.applied_index, station.machine.commands[-1]) == (7, b"4")


# links


def test_links_go_to_the_members_of_the_configuration_in_force() -> None:
    station = follower_of_b()
    assert station.peers == {"b": "b", "c": "c"}
    four = simple(of("a", "b", "c"), [Change(LEARNER, "d", "host:4")])
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, CONFIG, four)], 0, 1))
    assert station.peers == {"b": "b", "c": "c", "d": "host:4"}


def test_a_server_being_removed_keeps_its_link_until_it_was_told() -> None:
    """Hung up on at once, a removed server never learned of it, and went on calling elections."""
    station = leader_of_three()
    station.ask(RemovePeer(id="c"))
    assert station.node.raft.config.voters == ("a", "b")
    assert station.peers == {"b": "b", "c": "c"}
    station.sync()
    station.used.clear()
    acknowledge(station)
    assert station.peers == {"b": "b"}
    last = [append for append in station.took(Append) if append.dst == "c"][-1]
    assert last.commit == station.node.raft.commit == 3
    assert station.used.index("Append") < station.used.index("set_peers")


def test_a_leader_that_is_deposed_lets_a_leaving_server_go() -> None:
    station = leader_of_three()
    station.ask(RemovePeer(id="c"))
    depose(station)
    assert station.peers == {"b": "b"}


# what is told


def test_the_observer_is_told_what_happens_in_order() -> None:
    station = leader_of_three()
    station.told.clear()
    station.ask(Command(b"x"))
    station.sync()
    acknowledge(station)
    assert [kind for kind, _ in station.told if kind != SEND] == [REQUEST, WRITE, SYNCED, COMMIT, APPLY, OUTCOME]
    assert [message.dst for kind, message in station.told if kind == SEND] == ["b", "c"]


def test_the_observer_is_told_of_the_start() -> None:
    station = Station("a", of("a", "b"))
    assert [kind for kind, _ in station.told] == [CONFIGURATION]
    station.wait(1.0)
    assert ROLE in [kind for kind, _ in station.told]


def test_status_says_what_an_operator_may_ask() -> None:
    station = leader_of_three()
    station.ask(Command(b"x"))
    status = station.node.status()
    assert {key: status[key] for key in ("id", "name", "address", "role", "term", "leader_address", "ready")} == {
        "id": "a",
        "name": "a.global",
        "address": "a",
        "role": "leader",
        "term": 1,
        "leader_address": "a",
        "ready": True,
    }
    numbers = ("commit_index", "applied_index", "last_log_index", "last_log_term", "pending_requests")
    assert [status[key] for key in numbers] == [2, 2, 3, 1, 1]
    assert status["last_contact_s"] == 0.0
    assert [(f["id"], f["match_index"], f["state"]) for f in status["followers"]] == [
        ("b", 2, "replicate"),
        ("c", 2, "replicate"),
    ]
    assert Station("z", of("a", "z")).node.status()["last_contact_s"] is None


def test_the_servers_seen_are_bounded() -> None:
    station = follower_of_b()
    for number in range(MAX_SEEN + 10):
        station.node.peer_seen(PeerInfo(f"x{number}", "x", f"host:{number}", 3))
    assert len(station.node.clients.seen) == MAX_SEEN
    station.node.peer_seen(PeerInfo("x0", "renamed", "host:0", 3))
    assert station.node.clients.seen["host:0"].name == "renamed"
