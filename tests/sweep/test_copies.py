"""Disks are lost and damaged as far as everything can be repaired; beyond that, what is broken is nobody's fault."""

from __future__ import annotations

from random import Random

import pytest

from raftsim.core.config import LEARNER, VOTER
from raftsim.core.log import Log
from raftsim.node.requests import OK
from raftsim.sim.disk import BYTES, DiskModel
from raftsim.sim.world import World
from raftsim.swarm.run import play
from raftsim.swarm.settle import converged, put, settle
from raftsim.swarm.sightings import ROTTEN, WIPED
from raftsim.swarm.storm import Storm
from raftsim.swarm.wipes import Copies, remember
from tests.sim.scenes import change

TWO_AT_ONCE = (52, 54)  # seeds of storms, of what is seen in them
DAMAGED = (62, 104)
SHORT_S = 15.0


def quiet(nodes: int, *, keep: bool = True) -> tuple[World, Copies]:
    world = World(nodes, seed=nodes)
    assert world.run_until(lambda: converged(world), 10)
    return world, Copies(world, Random(1), Random(2), keep=keep)


@pytest.mark.parametrize(("nodes", "most"), [(3, 1), (4, 1), (5, 2)])
def test_a_minority_is_chosen_and_no_more_before_all_is_well(nodes: int, most: int) -> None:
    world, copies = quiet(nodes)
    chosen = [copies.choose() for _ in range(30)]
    assert {len(names) for names in chosen} == set(range(1, most + 1))
    for name in max(chosen, key=len):
        copies.lose(name)
        world.wipe(name)
    assert copies.choose() == []
    for name in world.names:
        if name not in world.alive:
            world.restart(name)
    assert world.run_until(lambda: remember(world), 20)
    assert copies.whole
    assert copies.choose()
    assert not copies.beyond
    settle(world, copies=copies)


def test_one_of_the_first_servers_is_spared_or_they_would_begin_anew() -> None:
    world = World(1, seed=1)
    assert world.run_until(lambda: converged(world), 10)
    copies = Copies(world, Random(1), Random(2), keep=True)
    for name in ("n2", "n3"):
        world.add(name)
        for op in (LEARNER, VOTER):
            assert change(world, **{name: op}).kind == OK
            world.run(2)
    assert world.run_until(lambda: converged(world), 10)
    assert {tuple(copies.choose()) for _ in range(30)} == {(), ("n2",), ("n3",)}


def test_nothing_is_lost_before_all_first_servers_know_that_they_are() -> None:
    world = World(3, seed=1, founded=False)
    copies = Copies(world, Random(1), Random(2), keep=True, founded=False)
    assert copies.choose() == []
    assert world.run_until(lambda: remember(world) and converged(world), 20)
    assert copies.choose()


@pytest.mark.parametrize("nodes", [1, 2])
def test_few_servers_have_no_copy_to_spare(nodes: int) -> None:
    assert quiet(nodes)[1].choose() == []


def test_without_the_policy_anybody_may_be_lost_and_it_is_said_when_no_quorum_is_left() -> None:
    _, copies = quiet(3, keep=False)
    assert max(len(copies.choose()) for _ in range(30)) == 3
    said = []
    for name in ("n2", "n3"):
        copies.lose(name)
        said.append(copies.beyond)
    assert said == ["", "n2, n3 of n1, n2, n3 lost their disks: no quorum's copies were left"]


@pytest.mark.parametrize("seed", TWO_AT_ONCE)
def test_two_disks_may_be_lost_at_once(seed: int) -> None:
    storm = Storm(seed)
    sizes: list[int] = []
    choose = storm.copies.choose
    storm.copies.choose = lambda: sizes.append(len(found := choose())) or found  # type: ignore[method-assign, func-returns-value]
    storm.storm(SHORT_S)
    assert max(sizes) == 2
    settle(storm.world, retire=True, copies=storm.copies)


@pytest.mark.parametrize("seed", DAMAGED)
def test_a_damaged_log_is_refused_and_its_server_comes_back_on_an_empty_disk(seed: int) -> None:
    storm = Storm(seed)
    storm.storm(SHORT_S)
    assert storm.seen[ROTTEN]
    settle(storm.world, retire=True, copies=storm.copies)
    assert storm.world.run_until(lambda: remember(storm.world), 20)


def test_the_log_is_damaged_only_where_it_is_seen() -> None:
    """The last frame might be a torn write: only a file that another follows is certain."""
    assert World(1).disk("n1").rottable() == 0  # records
    world = World(1, disk=DiskModel(form=BYTES))
    assert world.disk("n1").rottable() == 0
    for number in range(20):
        world.ask("n1", put(f"key/{number}", "x" * 200))
    size = world.disk("n1").rottable()
    assert size > 0
    for offset in (0, size // 2, size - 1):
        world.crash("n1")
        world.disk("n1").rot_log(offset)
        world.restart("n1")
        assert world.hosts["n1"].halted
        world.disk("n1").rot_log(offset)  # the bit is what it was
        world.restart("n1")
        assert not world.hosts["n1"].halted


SEEDS = range(12)


def test_what_comes_of_lost_copies_is_not_a_bug() -> None:
    endings = [play(seed, 8.0, keep_copies=False) for seed in SEEDS]
    assert {ending.verdict for ending in endings} == {"pass", "unrecoverable"}
    assert all("no quorum's copies were left; at " in each.text for each in endings if each.verdict != "pass")
    assert any(WIPED in each.facts for each in endings if each.verdict == "pass")


def test_a_bug_is_a_bug_where_copies_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "is_up_to_date", lambda *_: True)
    assert "violated" in {play(seed, 8.0).verdict for seed in SEEDS}
