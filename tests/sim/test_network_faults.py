"""What can be done to links, beside loss and cuts: long tails, bandwidth, clogs, zones, and messages held by hand."""

from __future__ import annotations

from random import Random
from statistics import median

import pytest

from raftsim.core.messages import Append, AppendReply, Hail, Install, InstallReply, Message, TimeoutNow, Vote, VoteReply
from raftsim.core.settings import Settings
from raftsim.node.requests import OK
from raftsim.sim.delays import LongTail, Uniform
from raftsim.sim.holds import KINDS, Match, index_of, kind_of
from raftsim.sim.network import CLOG, DROPPED, QUEUE, SENT, THIN, NetworkModel
from raftsim.sim.world import World
from raftsim.sim.zones import zoned
from raftsim.swarm.settle import elected, put, settle
from raftsim.trace.digest import Digest
from raftsim.trace.events import DELIVER, DROP, SEND, Event
from tests.core.harness import command


def follower(world: World) -> str:
    return next(name for name in world.names if name != world.leader())


def link(world: World, src: str, dst: str) -> tuple[str, str]:
    return world.ids[src], world.ids[dst]


# delay


def test_a_long_tail_has_its_median_and_its_worst_hundredth() -> None:
    rng = Random(1)
    drawn = sorted(LongTail(0.01, 0.2).draw(rng) for _ in range(20_000))
    assert median(drawn) == pytest.approx(0.01, rel=0.05)
    assert drawn[19_800] == pytest.approx(0.2, rel=0.15)
    assert drawn[-1] > 0.5  # it is a tail


@pytest.mark.parametrize(("middle", "worst"), [(0, 1), (2, 1)])
def test_what_is_no_tail(middle: float, worst: float) -> None:
    with pytest.raises(ValueError, match="a long tail needs"):
        LongTail(middle, worst)


def test_a_cluster_lives_with_a_long_tail() -> None:
    for seed in range(10):
        world = World(5, seed=seed, network=NetworkModel(LongTail(0.005, 0.4)))
        elected(world)
        world.run(5)
        settle(world)


# bandwidth


def test_what_is_sent_waits_for_what_was_sent_before() -> None:
    world = World(3, seed=1)
    leader = elected(world)
    thin = follower(world)
    world.link(leader, thin, NetworkModel(bytes_per_s=100_000))
    began = world.now
    for number in range(10):
        assert world.ask(leader, put("key", f"{number}" * 10_000)).kind == OK  # the other one is a majority with it
    assert world.now - began < 0.2
    last = world.status(leader)
    assert last is not None
    done = world.run_until(lambda: (world.status(thin) or {})["last_log_index"] == last["last_log_index"], 5)
    assert done
    assert 0.9 < world.now - began < 1.2  # 100,000 bytes
    assert world.network.felt[link(world, leader, thin), THIN] > 10
    settle(world)


def test_a_full_queue_loses_and_what_is_larger_than_the_queue_waits_for_an_empty_one() -> None:
    world = World(3, seed=2)
    leader = elected(world)
    thin = follower(world)
    world.link(leader, thin, NetworkModel(bytes_per_s=100_000, queue_bytes=5000))
    for number in range(10):
        assert world.ask(leader, put("key", f"{number}" * 10_000)).kind == OK
    assert world.network.dropped[QUEUE] > 0
    assert world.network.felt[link(world, leader, thin), QUEUE] == world.network.dropped[QUEUE]
    settle(world)


@pytest.mark.parametrize("model", [{"bytes_per_s": 0}, {"queue_bytes": -1}])
def test_a_link_carries_something(model: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="bandwidth and queue must be positive"):
        NetworkModel(**model)  # type: ignore[arg-type]


# clogs


def test_a_clogged_link_delivers_nothing_and_then_everything() -> None:
    arrived: list[tuple[str, str, float]] = []

    def observe(event: Event) -> None:
        if event.kind == DELIVER:
            arrived.append((event.subject.src, event.subject.dst, event.time))

    world = World(3, seed=3, observers=[observe])
    leader = elected(world)
    clogged = follower(world)
    world.run(1)
    arrived.clear()
    began = world.now
    world.clog(leader, clogged, 0.3)
    for number in range(5):
        assert world.ask(leader, put("key", str(number))).kind == OK
    world.run(0.4)
    waited = world.network.felt[link(world, leader, clogged), CLOG]
    times = [time for *way, time in arrived if tuple(way) == link(world, leader, clogged)]
    assert times[:waited] == [began + 0.3] * waited
    assert waited >= 5
    assert times[waited] > began + 0.3
    assert not world.network.clogs
    settle(world)


def test_what_travels_over_a_connection_waits_too() -> None:
    """A server that is started behind a clogged link is met when it ends."""
    world = World(3, seed=4)
    leader = elected(world)
    name = follower(world)
    world.crash(name)
    world.run(1)
    world.clog(name, leader, 2.0)
    world.restart(name)
    world.run(1.9)
    assert world.ids[name] not in world.hosts[leader].connected
    world.run(0.2)
    assert world.ids[name] in world.hosts[leader].connected
    settle(world)


# zones


def test_zones_and_their_matrix() -> None:
    near, far = NetworkModel(Uniform(0.001, 0.001)), NetworkModel(Uniform(0.05, 0.05))
    links = zoned({"n1": "eu", "n2": "eu", "n3": "us"}, {("eu", "eu"): near, ("us", "eu"): far})
    assert links == {
        ("n1", "n2"): near,
        ("n2", "n1"): near,
        ("n1", "n3"): far,
        ("n3", "n1"): far,
        ("n2", "n3"): far,
        ("n3", "n2"): far,
    }
    took = []

    def observe(event: Event) -> None:
        if event.kind == SEND and event.node == "n1" and isinstance(event.subject, Vote):
            took.append((event.time, event.subject.dst))
        elif event.kind == DELIVER and isinstance(event.subject, Vote) and event.subject.src == world.ids["n1"]:
            took.append((event.time, event.node))

    world = World(3, seed=5, links=links, observers=[observe])
    assert world.run_until(lambda: any(name in {"n2", "n3"} for _, name in took), 30)
    world.run(1)
    first = {name: time for time, name in reversed(took)}
    assert first["n2"] - first[world.ids["n2"]] == pytest.approx(0.001)
    assert first["n3"] - first[world.ids["n3"]] == pytest.approx(0.05)
    world.link("n1", "n3", NetworkModel(loss=1.0))
    world.link("n1", "n3", None)
    assert world.network.models[link(world, "n1", "n3")] is far
    assert world.network.felt[link(world, "n1", "n3"), SENT] > 0
    settle(world)


# holds


def test_the_kinds_and_indexes_of_messages() -> None:
    one, two, meta = "a", "b", World(1).status("n1")
    assert meta is not None
    votes = [Vote(2, one, two, 7, 1, pre=pre) for pre in (False, True)]
    replies: list[Message] = [VoteReply(2, one, two, granted=True, pre=pre) for pre in (False, True)]
    rest: list[tuple[Message, str, int | None]] = [
        (Append(2, one, two, 5, 1, [command(1, 6), command(1, 7)]), "append", 7),
        (Append(2, one, two, 5, 1), "heartbeat", 5),
        (AppendReply(2, one, two, ok=True, index=9), "append-reply", 9),
        (InstallReply(2, one, two, 4, 0, done=False), "install-reply", 4),
        (TimeoutNow(2, one, two), "timeout-now", None),
        (Hail(2, one, two, 1, 0, begun=False), "hail", None),
    ]
    assert [(kind_of(vote), index_of(vote)) for vote in votes] == [("vote", 7), ("pre-vote", 7)]
    assert [(kind_of(reply), index_of(reply)) for reply in replies] == [("vote-reply", None), ("pre-vote-reply", None)]
    assert [(message, kind_of(message), index_of(message)) for message, *_ in rest] == rest
    assert {kind_of(m) for m in (*votes, *replies, *(message for message, *_ in rest))} | {"install"} == set(KINDS)
    assert Install.__name__ == "Install"


def test_a_hold_keeps_what_fits_and_nothing_else() -> None:
    world = World(3, seed=6, settings=Settings(check_quorum=False))
    leader = elected(world)
    world.run(1)
    name = follower(world)
    hold = world.hold(Match(kinds={"append"}, dst={world.ids[name]}))
    before = world.status(name)
    for number in range(3):
        assert world.ask(leader, put("key", str(number))).kind == OK
    world.run(2)
    status = world.status(name)
    assert before is not None
    assert status is not None
    assert status["last_log_index"] == before["last_log_index"]
    assert status["term"] == before["term"]  # heartbeats arrive
    assert hold.caught == len(hold.held) > 0
    assert hold.deliver() == hold.caught
    assert world.network.holds == []
    settle(world)


def test_held_messages_are_delivered_dropped_and_doubled_one_by_one() -> None:
    seen: list[Event] = []
    world = World(3, seed=7, observers=[lambda event: seen.append(event) if event.kind in (DELIVER, DROP) else None])
    leader = elected(world)
    world.run(1)
    name = follower(world)
    hold = world.hold(Match(src={world.ids[leader]}, dst={world.ids[name]}), limit=3)
    assert world.run_until(lambda: len(hold.held) == 3, 2)
    first, second, third = (message for _, message in hold.held)
    seen.clear()
    assert hold.deliver(1, newest=True) == 1
    assert hold.duplicate(1) == 1
    assert hold.drop(1) == 1
    assert hold.deliver(5) == 1
    world.run(0.0)
    assert [(event.kind, event.subject) for event in seen if event.node == name][:4] == [
        (DROP, (first, DROPPED)),
        (DELIVER, third),
        (DELIVER, first),
        (DELIVER, second),
    ]
    world.run(1)
    assert hold.caught == 3  # no more than its limit
    assert world.network.dropped[DROPPED] == 1
    settle(world)


def test_what_was_held_arrives_whatever_is_cut_unless_the_server_is_gone() -> None:
    world = World(3, seed=8)
    leader = elected(world)
    world.run(1)
    name = follower(world)
    hold = world.hold(Match(kinds={"heartbeat"}, dst={world.ids[name]}), limit=2)
    assert world.run_until(lambda: len(hold.held) == 2, 2)
    world.isolate(name)
    delivered = world.network.delivered
    hold.deliver(1)
    world.run(0.0)
    assert world.network.delivered == delivered + 1
    world.crash(name)
    hold.deliver()
    world.run(0.0)
    assert world.network.delivered == delivered + 1
    assert world.leader() == leader
    settle(world)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), True),
        (Match(kinds={"append"}), True),
        (Match(kinds={"heartbeat", "vote"}), False),
        (Match(src={"a"}, dst={"b"}), True),
        (Match(src={"b"}), False),
        (Match(dst={"a"}), False),
        (Match(term=lambda term: term == 2), True),
        (Match(term=lambda term: term > 2), False),
        (Match(index=lambda index: index == 6), True),
        (Match(index=lambda index: index == 5), False),
    ],
)
def test_what_a_match_looks_at(match: Match, fits: bool) -> None:
    assert match.fits(Append(2, "a", "b", 5, 1, [command(1, 6)])) is fits
    assert not Match(index=lambda _: True).fits(TimeoutNow(2, "a", "b"))


def test_all_of_it_is_the_same_for_the_same_seed() -> None:
    def digest() -> str:
        told = Digest()
        links = {("n1", "n2"): NetworkModel(LongTail(0.002, 0.1), bytes_per_s=20_000, queue_bytes=2000)}
        world = World(3, seed=9, links=links, observers=[told])
        elected(world)
        hold = world.hold(Match(kinds={"append-reply", "vote"}), limit=7)
        for number in range(20):
            world.submit(world.names[number % 3], put("key", str(number) * 200))
            world.clog("n2", "n3", 0.2)
            world.run(0.3)
        hold.deliver()
        world.run(1)
        return told.hexdigest()

    assert digest() == digest()
