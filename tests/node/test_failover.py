"""What clients see when leadership goes from one server to another: handed over, or lost with its process."""

from __future__ import annotations

from raftsim.core.config import LEARNER
from raftsim.core.settings import Settings
from raftsim.node.requests import (
    OK,
    REFUSED,
    STOPPED,
    UNKNOWN,
    ChangeMembership,
    Command,
    Outcome,
    Relay,
    RelayReply,
    RemovePeer,
    TransferLeadership,
)
from tests.node.harness import ALL, acknowledge, follower_of_b, heartbeat, leader_of_three
from tests.node.test_transfer import silent, taken_by
from tests.node.world import World

# what others see of it


def test_commands_wait_and_are_done_by_the_next_leader() -> None:
    station = leader_of_three()
    station.ask(TransferLeadership(id="b"))
    outcomes = station.ask(Command(b"x"), Command(b"y"))
    assert (outcomes, station.node.raft.log.last_index) == ([], 2)
    taken_by(station, "b")
    assert (outcomes, station.took(Relay)) == ([], [])
    station.receive(heartbeat(station, term=2, leader="b"))
    station.sync()
    relays = station.took(Relay)
    assert [(relay.dst, relay.request) for relay in relays] == [("b", Command(b"x")), ("b", Command(b"y"))]
    for relay in relays:
        station.receive(RelayReply("b", "a", relay.id, Outcome(OK, 7)))
    assert outcomes == [Outcome(OK, 7, forwarded=True)] * 2


def test_commands_wait_and_are_done_here_if_nobody_takes_over() -> None:
    station = leader_of_three()
    station.ask(TransferLeadership(id="b"))
    outcomes = station.ask(Command(b"x"))
    silent(station, 1.3)
    station.sync()
    acknowledge(station, by="c")
    assert [outcome.kind for outcome in outcomes] == [OK]
    assert station.machine.commands == [b"x"]


def test_a_relayed_command_that_waits_is_sent_back_to_whoever_asked() -> None:
    station = leader_of_three()
    station.ask(TransferLeadership(id="b"))
    station.receive(Relay("c", "a", 9, Command(b"x")))
    assert station.took(RelayReply) == []
    taken_by(station, "b")
    station.receive(heartbeat(station, term=2, leader="b"))
    (reply,) = station.took(RelayReply)
    assert (reply.dst, reply.id, reply.outcome.reason) == ("c", 9, "not leader")


def test_reads_go_on() -> None:
    station = leader_of_three()
    station.ask(TransferLeadership(id="b"))
    outcomes = station.ask(ALL)
    acknowledge(station, by="c")
    assert outcomes == [Outcome(OK, ())]


def test_a_change_of_members_waits_for_the_end_of_it() -> None:
    station = leader_of_three(settings=Settings(check_quorum=False))
    station.ask(TransferLeadership(id="b"))
    outcomes = station.ask(RemovePeer(id="b"), ChangeMembership(((LEARNER, "d", "host:4"),)))
    silent(station, 1.3)
    for _ in range(2):
        station.sync()
        acknowledge(station, by="c")
    assert outcomes == [Outcome(OK), Outcome(OK)]
    assert station.node.raft.config.members() == ("a", "c", "d")


def test_a_stop_leaves_nobody_without_an_answer() -> None:
    station = leader_of_three()
    station.ask(TransferLeadership(id="b"))
    outcomes = station.ask(Command(b"x"))
    station.node.stop()
    assert outcomes == [Outcome(REFUSED, reason=STOPPED)]


# servers together


def test_in_a_cluster_no_command_is_lost_or_done_twice() -> None:
    world = World("a", "b", "c")
    leader = world.leader()
    outcomes: list[Outcome] = []
    for number in range(6):
        for id in "abc":
            world[id].node.request(Command(b"%d%s" % (number, id.encode())), outcomes.append)
        if number % 2:
            asked = world["abc"[number % 3]]
            asked.node.request(TransferLeadership(), outcomes.append)
        world.run(0.3)
    last = world.leader()
    assert [outcome.kind for outcome in outcomes] == [OK] * 21
    assert len(last.machine.commands) == len(set(last.machine.commands)) == 18
    assert (last.node.raft.term, leader.node.raft.term) == (4, 4)


# a link that is refused


def test_a_refused_link_reaches_the_core() -> None:
    station = follower_of_b()
    far = station.deadline
    station.node.link_refused("c")
    station.turn()
    assert (station.node.raft.leader, station.deadline) == ("b", far)
    station.node.link_refused("b")
    assert station.turn_wanted
    station.turn()
    assert (station.node.raft.leader, station.node.status()["leader"]) == (None, None)
    assert station.deadline <= station.clock.time + station.settings.failover_delay_max_s


def test_requests_under_way_to_a_leader_that_is_gone_are_not_refused_for_that() -> None:
    """The command may have been done; the read is asked again."""
    station = follower_of_b()
    command, query = station.ask(Command(b"x")), station.ask(ALL)
    station.node.link_lost("b")
    station.node.link_refused("b")
    station.turn()
    assert ([outcome.kind for outcome in command], query) == ([UNKNOWN], [])
    station.took(object)
    station.receive(heartbeat(station, term=2, leader="c"))
    assert [relay.dst for relay in station.took(Relay)] == ["c"]
