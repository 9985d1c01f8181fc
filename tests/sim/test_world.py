"""The simulated world runs the real server: it elects, replicates and survives, and its faults are what they say."""

from __future__ import annotations

import pytest

from raftsim.check.violation import InvariantViolated
from raftsim.core.output import RoleChanged
from raftsim.node.requests import LINK_LOST, REFUSED, UNKNOWN, UNREACHABLE, Outcome, RemovePeer
from raftsim.sim.delays import Exponential
from raftsim.sim.network import NetworkModel
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, get, index_of, members, put, settle
from raftsim.trace.events import ROLE, Event


@pytest.mark.parametrize("nodes", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("raft_protocol", [2, 3])
def test_elects_and_replicates(nodes: int, raft_protocol: int) -> None:
    world = World(nodes, seed=nodes, raft_protocol=raft_protocol)
    elected(world)
    for number, name in enumerate(world.names):
        written = world.ask(name, put("key", str(number)))
        assert written.kind == "ok"
        assert index_of(world.ask(world.names[0], get("key"))) == index_of(written)
    assert world.run_until(lambda: converged(world), 5)


def test_names_ids_and_addresses() -> None:
    plain, uuids = World(2), World(["left", "right"], seed=1, raft_protocol=3)
    assert plain.ids == {"n1": "127.0.0.1:4647", "n2": "127.0.0.1:4657"}
    assert list(uuids.ids) == ["left", "right"]
    assert all(len(id) == 36 and id == id.lower() for id in uuids.ids.values())
    assert uuids.ids == World(["left", "right"], seed=1, raft_protocol=3).ids
    assert [uuids.name_of(id) for id in uuids.ids.values()] == ["left", "right"]


def test_a_crashed_leader_is_replaced_and_comes_back() -> None:
    world = World(5, seed=2)
    old = elected(world)
    assert world.ask(old, put("key", "1")).kind == "ok"
    world.crash(old)
    assert old not in world.alive
    assert world.status(old) is None
    assert world.run_until(lambda: world.leader() not in {None, old}, 10)
    assert world.ask(world.alive[0], put("key", "2")).kind == "ok"
    world.restart(old)
    settle(world)


def test_a_crash_breaks_the_connections_of_clients() -> None:
    world = World(3, seed=3)
    leader = elected(world)
    pending = world.submit(leader, put("key", "1"))
    world.step()
    world.crash(leader)
    assert pending.outcome is not None
    assert (pending.outcome.kind, pending.outcome.reason) == (UNKNOWN, LINK_LOST)
    refused = world.ask(leader, get("key"))
    assert (refused.kind, refused.reason, refused.detail) == (REFUSED, UNREACHABLE, world.hosts[leader].info.address)


def test_an_isolated_leader_commits_nothing_and_steps_down() -> None:
    world = World(5, seed=4)
    old = elected(world)
    world.run(1)
    before = world.status(old)
    world.isolate(old)
    pending = world.submit(old, put("key", "lost"))
    assert world.run_until(lambda: world.leader() not in {None, old}, 10)
    world.run(5)
    after = world.status(old)
    assert before is not None
    assert after is not None
    assert after["commit_index"] == before["commit_index"]
    assert after["role"] != "leader"
    assert pending.outcome is not None
    assert pending.outcome.kind == UNKNOWN
    assert sum(count for link, count in world.network.cut_drops.items() if world.ids[old] in link) > 0
    settle(world)


def test_no_majority_no_progress() -> None:
    world = World(5, seed=5)
    elected(world)
    world.partition([["n1", "n2"], ["n3", "n4"]])  # n5 is the third group
    world.run(3)
    assert all(world.ask(name, put("key", name)).kind != "ok" for name in world.names)
    settle(world)


def test_a_cut_is_one_way() -> None:
    world = World(2, seed=6)
    elected(world)
    world.cut("n1", "n2")
    world.run(3)
    assert set(world.network.cut_drops) == {(world.ids["n1"], world.ids["n2"])}


def test_a_paused_leader_wakes_up_deposed() -> None:
    world = World(3, seed=7)
    old = elected(world)
    world.run(1)
    world.pause(old)
    read: list[Outcome] = []
    world.submit(old, get("key"), read.append)
    assert world.run_until(lambda: world.leader() not in {None, old}, 10)
    written = world.ask(world.leader() or "", put("key", "new"))
    assert read == []
    world.resume(old)
    assert world.run_until(lambda: bool(read), 10)
    assert index_of(read[0]) == index_of(written)


def test_a_removed_server_leaves_the_configuration() -> None:
    world = World(4, seed=8)
    leader = elected(world)
    gone = next(name for name in world.names if name != leader)
    assert world.ask(leader, RemovePeer(id=world.ids[gone])).kind == "ok"
    assert world.run_until(lambda: converged(world), 5)
    assert gone not in members(world)
    assert world.ask(leader, RemovePeer(id=world.ids[leader])).kind == "ok"
    settle(world)
    assert leader not in members(world)


def test_a_stopped_server_keeps_what_it_wrote() -> None:
    world = World(1, seed=9)
    elected(world)
    pending = world.submit("n1", put("key", "1"))
    world.step()
    world.stop("n1")
    assert pending.outcome is not None
    world.restart("n1")
    elected(world)
    assert index_of(world.ask("n1", get("key"))) > 0


def test_survives_a_bad_network() -> None:
    world = World(5, seed=10, network=NetworkModel(Exponential(0.02), loss=0.2, duplicate=0.2))
    for number in range(30):
        world.submit(world.names[number % 5], put("key", str(number)))
        world.run(0.5)
    assert world.network.dropped["loss"] > 0
    assert world.network.duplicated > 0
    settle(world)


def test_a_strict_world_stops_at_the_first_violation() -> None:
    def lie(event: Event) -> None:
        if event.kind == ROLE and event.subject.role == "leader":
            world.judges.observe(Event(event.time, "n9", ROLE, RoleChanged("follower", -1, None)))  # type: ignore[union-attr]

    world = World(3, observers=[lie])
    with pytest.raises(InvariantViolated, match=r"^ordering, at 0\.\d+ s: n9 went back from term 0 to -1$"):
        world.run(10)
    stopped_at = world.now
    assert stopped_at < 10
    lenient = World(3, observers=[lie], strict=False)
    world = lenient
    lenient.run(10)
    assert lenient.now == 10
    assert [violation.invariant for violation in lenient.violations] == ["ordering"]


def test_an_exception_in_a_server_is_a_violation_and_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(3, strict=False)
    elected(world)
    node = world.hosts["n1"].node

    def fail() -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(node, "turn", fail)
    world.run(1)
    assert [violation.invariant for violation in world.violations] == ["no exception"]
    assert "n1 failed: RuntimeError: planted" in world.violations[0].sentence
    assert world.alive == ("n2", "n3")


def test_without_judges_nothing_is_judged() -> None:
    world = World(3, judges=False)
    elected(world)
    assert world.judges is None
    assert world.violations == []
