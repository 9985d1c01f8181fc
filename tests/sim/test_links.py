"""What servers learn of each other's links: a process that is gone is noticed at once, a silent one is not."""

from __future__ import annotations

import pytest

from raftsim.core.settings import Settings
from raftsim.node.server import Node
from raftsim.sim.world import World
from raftsim.swarm.settle import elected, settle

SOON_S = 0.3  # less than the shortest election timeout


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """(server, peer), whenever a server is told that the process of a peer is gone."""
    told: list[tuple[str, str]] = []
    link_refused = Node.link_refused

    def note(node: Node, peer: str) -> None:
        told.append((node.info.id, peer))
        link_refused(node, peer)

    monkeypatch.setattr(Node, "link_refused", note)
    return told


@pytest.mark.parametrize("end", ["crash", "stop"])
def test_all_others_are_told_that_a_process_is_gone(refused: list[tuple[str, str]], end: str) -> None:
    world = World(4, seed=1)
    elected(world)
    getattr(world, end)("n2")
    assert refused == []  # it takes a moment
    world.run(SOON_S)
    assert sorted(refused) == sorted((world.ids[name], world.ids["n2"]) for name in ("n1", "n3", "n4"))


def test_nobody_is_told_of_a_cut_or_a_pause(refused: list[tuple[str, str]]) -> None:
    world = World(4, seed=2)
    elected(world)
    world.isolate("n2")
    world.pause("n3")
    world.run(3)
    assert refused == []


def test_a_process_that_is_back_at_once_refuses_nobody(refused: list[tuple[str, str]]) -> None:
    world = World(4, seed=3)
    elected(world)
    world.crash("n2")
    world.restart("n2")
    world.run(3)
    assert refused == []


def test_nobody_is_told_over_a_cut(refused: list[tuple[str, str]]) -> None:
    world = World(3, seed=4)
    elected(world)
    world.cut("n2", "n1")  # what n2 sends does not reach n1
    world.cut("n3", "n2")  # what n3 sends does not reach n2, not even an attempt to make a link
    world.crash("n2")
    world.run(SOON_S)
    assert refused == []


def test_a_server_that_is_shut_out_is_the_only_one_to_be_told(refused: list[tuple[str, str]]) -> None:
    world = World(3, seed=5)
    elected(world)
    world.isolate("n2", refused=True)
    world.run(3)
    assert refused == [(world.ids["n2"], world.ids["n1"]), (world.ids["n2"], world.ids["n3"])]
    settle(world)


@pytest.mark.parametrize("fast_failover", [True, False])
def test_a_dead_leader_is_replaced_soon_only_with_fast_failover(fast_failover: bool) -> None:
    world = World(5, seed=6, settings=Settings(fast_failover=fast_failover))
    old = elected(world)
    world.run(1)
    world.crash(old)
    replaced = world.run_until(lambda: world.leader() is not None, SOON_S)
    assert replaced is fast_failover


@pytest.mark.parametrize("fault", ["isolate", "pause"])
def test_a_silent_leader_is_not_replaced_soon(fault: str) -> None:
    world = World(5, seed=7)
    old = elected(world)
    world.run(1)
    getattr(world, fault)(old)
    assert not world.run_until(lambda: world.leader() != old, SOON_S)
