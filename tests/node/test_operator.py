"""What an operator asks: who is a member, and the removal of one."""

from __future__ import annotations

from raftsim.core.config import LEARNER, Change, Server, initial, of, simple
from raftsim.core.entry import CONFIG, Entry
from raftsim.core.messages import Append
from raftsim.core.output import FOLLOWER
from raftsim.core.settings import Settings
from raftsim.node.operator import removal
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import (
    LAST_VOTER,
    LEADERSHIP_LOST,
    NOT_FOUND,
    NOT_READY,
    OK,
    REFUSED,
    UNKNOWN,
    Outcome,
    ReadMembership,
    RemovePeer,
)
from tests.node.harness import acknowledge, depose, follower_of_b, leader_of_three

DONE = [Outcome(OK, None)]


def test_membership_is_the_configuration_in_force_with_what_was_seen_of_each_server() -> None:
    station = follower_of_b()
    four = simple(of("a", "b", "c"), [Change(LEARNER, "d", "host:4")])
    station.receive(Append(1, "b", "a", 1, 0, [Entry(1, CONFIG, four)], 1, 1))
    station.node.peer_seen(PeerInfo("b", "b.global", "b", 2))
    (outcome,) = station.ask(ReadMembership(stale=True))
    assert {key: outcome.value[key] for key in ("index", "committed", "leader")} == {
        "index": 2,
        "committed": False,
        "leader": "b",
    }
    servers = [tuple(server.values()) for server in outcome.value["servers"]]
    assert servers == [
        ("a", "a", "a.global", 3, False, True, False),
        ("b", "b", "b.global", 2, True, True, False),
        ("c", "c", None, None, False, True, False),
        ("d", "host:4", None, None, False, False, False),
    ]
    assert list(outcome.value["servers"][0]) == [
        "id",
        "address",
        "name",
        "raft_protocol",
        "leader",
        "voter",
        "returning",
    ]


def test_membership_that_is_not_stale_is_confirmed_like_any_read() -> None:
    station = leader_of_three()
    outcomes = station.ask(ReadMembership())
    assert outcomes == []
    acknowledge(station)
    assert (outcomes[0].kind, outcomes[0].value["leader"]) == (OK, "a")


def test_a_removal_is_ok_when_it_is_committed() -> None:
    station = leader_of_three()
    outcomes = station.ask(RemovePeer(id="c"))
    station.sync()
    assert outcomes == []
    acknowledge(station)
    assert outcomes == DONE
    assert station.node.raft.config.voters == ("a", "b")


def test_by_address_or_by_id() -> None:
    config = initial([Server("one", "host:1"), Server("two", "host:2")])
    assert (
        removal(config, RemovePeer(address="host:2"))
        == removal(config, RemovePeer(id="two"))
        == Change("remove", "two")
    )
    for request, wanted in (
        (RemovePeer(id="host:2"), {"id": "host:2"}),
        (RemovePeer(address="two"), {"address": "two"}),
    ):
        assert removal(config, request) == Outcome(REFUSED, reason=NOT_FOUND, detail=wanted)


def test_the_last_voter_stays() -> None:
    alone = simple(of("a"), [Change(LEARNER, "b", "host:2")])
    assert removal(alone, RemovePeer(id="a")) == Outcome(REFUSED, reason=LAST_VOTER, detail=[["b", "host:2"]])
    assert removal(alone, RemovePeer(id="b")) == Change("remove", "b")


def test_who_is_no_member_cannot_be_removed() -> None:
    station = leader_of_three()
    assert station.ask(RemovePeer(address="z")) == [Outcome(REFUSED, reason=NOT_FOUND, detail={"address": "z"})]
    assert station.node.raft.log.last_index == 2


def test_a_second_change_waits_for_the_first() -> None:
    """Refused outright, the second of two operators had to try again by hand."""
    station = leader_of_three()
    first, second = station.ask(RemovePeer(id="b")), station.ask(RemovePeer(id="c"))
    station.sync()
    assert (first, second, station.node.raft.config_index) == ([], [], 3)
    acknowledge(station, by="c")
    assert first == DONE
    assert (second, station.node.raft.config.voters) == ([], ("a",))
    station.sync()
    assert second == DONE


def test_what_waited_is_judged_by_what_it_then_finds() -> None:
    station = leader_of_three()
    first, again = station.ask(RemovePeer(id="c")), station.ask(RemovePeer(id="c"))
    station.sync()
    acknowledge(station)
    station.turn()
    assert first == DONE
    assert again == [Outcome(REFUSED, reason=NOT_FOUND, detail={"id": "c"})]


def test_a_change_waits_for_the_first_commit_of_the_term() -> None:
    station = leader_of_three(ready=False)
    outcomes = station.ask(RemovePeer(id="c"))
    assert station.node.raft.config_index == 1
    acknowledge(station)
    assert station.node.raft.config_index == 3
    station.sync()
    acknowledge(station)
    assert outcomes == DONE


def test_a_leader_that_is_not_ready_refuses_a_change_after_the_wait_for_a_leader() -> None:
    station = leader_of_three(ready=False, settings=Settings(check_quorum=False))
    outcomes = station.ask(RemovePeer(id="c"))
    station.wait(5.1)
    assert outcomes == [Outcome(REFUSED, reason=NOT_READY)]


def test_a_leader_may_remove_itself_and_says_so_before_it_goes() -> None:
    station = leader_of_three()
    outcomes = station.ask(RemovePeer(id="a"))
    station.sync()
    acknowledge(station, by="b")
    assert outcomes == []
    acknowledge(station, by="c")
    assert outcomes == DONE
    assert station.node.raft.role == FOLLOWER


def test_a_change_under_way_is_unknown_when_leadership_is_lost_and_one_that_waits_goes_on() -> None:
    station = leader_of_three()
    under_way, waiting = station.ask(RemovePeer(id="b")), station.ask(RemovePeer(id="c"))
    depose(station)
    assert under_way == [Outcome(UNKNOWN, reason=LEADERSHIP_LOST)]
    assert waiting == []
