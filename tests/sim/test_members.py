"""Changes of the membership, transfers and snapshots, from end to end."""

from __future__ import annotations

import pytest

from raftsim.core.config import LEARNER, REMOVE, VOTER
from raftsim.node.requests import LAGGING, OK, REFUSED, TransferLeadership
from raftsim.node.settings import NodeSettings
from raftsim.sim.world import World
from raftsim.swarm.settle import converged, elected, get, index_of, leading, members, put, settle
from raftsim.trace.events import RESTORE, SNAPSHOT, Event
from tests.sim.scenes import change, change_by_a_deposed_leader, joint_halves_apart

SMALL = NodeSettings(snapshot_threshold_entries=5, trailing_entries=2, snapshot_chunk_bytes=100)


def voters(world: World) -> set[str]:
    return {world.name_of(id) for id in leading(world).config.voters}


def test_a_new_server_has_an_empty_disk_and_is_in_no_configuration() -> None:
    world = World(3, seed=1, raft_protocol=3)
    world.add("n4")
    world.run(5)
    status = world.status("n4")
    assert status is not None
    assert (status["role"], status["last_log_index"], status["configuration"]["servers"]) == ("follower", 0, [])
    assert world.names == ("n1", "n2", "n3", "n4")
    assert len(set(world.ids.values())) == 4
    assert world.name_of(world.ids["n4"]) == "n4"
    assert members(world) == ["n1", "n2", "n3"]
    with pytest.raises(ValueError, match="there is a server n4 already"):
        world.add("n4")


def test_a_new_server_becomes_a_non_voter_and_then_a_voter() -> None:
    world = World(3, seed=2)
    elected(world)
    world.add("n4")
    early = change(world, n4=VOTER)
    assert (early.kind, early.reason) == (REFUSED, LAGGING)
    assert change(world, n4=LEARNER).kind == OK
    assert voters(world) == {"n1", "n2", "n3"}
    world.run(2)
    assert change(world, n4=VOTER).kind == OK
    assert voters(world) == {"n1", "n2", "n3", "n4"}
    settle(world)


def test_two_voters_are_replaced_at_once() -> None:
    world = World(3, seed=3)
    leader = elected(world)
    for name in ("n4", "n5"):
        world.add(name)
        assert change(world, **{name: LEARNER}).kind == OK
    world.run(2)
    one, other = (name for name in ("n1", "n2", "n3") if name != leader)
    assert change(world, **{one: REMOVE, other: LEARNER, "n4": VOTER, "n5": VOTER}).kind == OK
    assert world.run_until(lambda: converged(world), 5)
    assert voters(world) == {leader, "n4", "n5"}
    assert members(world) == [name for name in ("n1", "n2", "n3", "n4", "n5") if name != one]
    settle(world)


@pytest.mark.parametrize("seed", range(4))
def test_the_new_half_of_a_joint_configuration_does_not_elect_alone(seed: int) -> None:
    world = joint_halves_apart(seed)
    assert world.leader() not in {"n4", "n5"}
    settle(world)


@pytest.mark.parametrize("seed", range(4))
def test_a_change_that_came_to_nothing_is_rolled_back(seed: int) -> None:
    world = change_by_a_deposed_leader(seed)
    assert world.run_until(lambda: converged(world), 5)
    assert members(world) == ["n1", "n2", "n3"]
    settle(world)


@pytest.mark.parametrize("named", [True, False])
def test_leadership_is_handed_over(named: bool) -> None:
    world = World(5, seed=4)
    old = elected(world)
    target = next(name for name in world.names if name != old)
    world.run(1)
    outcome = world.ask(old, TransferLeadership(id=world.ids[target] if named else None))
    assert outcome.kind == OK
    assert outcome.value["noop"] is False
    assert world.run_until(lambda: world.leader() not in {None, old}, 0.4)
    assert world.ids[world.leader() or ""] == outcome.value["to"]["id"]
    settle(world)


def test_a_server_that_was_away_too_long_gets_a_snapshot() -> None:
    restored: list[str] = []
    digests: dict[int, set[str]] = {}

    def watch(event: Event) -> None:
        if event.kind == RESTORE:
            restored.append(event.node)
        elif event.kind == SNAPSHOT:
            meta, digest = event.subject
            digests.setdefault(meta.index, set()).add(digest)

    world = World(3, seed=5, node_settings=SMALL, observers=[watch])
    leader = elected(world)
    away = next(name for name in world.names if name != leader)
    world.crash(away)
    for number in range(40):
        assert world.ask(leader, put(f"key{number % 7}", str(number))).kind == OK
    assert restored == []
    world.restart(away)
    assert world.run_until(lambda: converged(world), 5)
    assert restored == [away]
    assert all(len(found) == 1 for found in digests.values())
    status = world.status(away)
    assert status is not None
    assert status["snapshot_index"] >= 5
    assert index_of(world.ask(away, get("key4"))) > 30


def test_a_whole_cluster_starts_from_its_snapshots() -> None:
    world = World(3, seed=6, node_settings=SMALL)
    leader = elected(world)
    for number in range(23):
        assert world.ask(leader, put(f"key{number % 7}", str(number))).kind == OK
    world.run(1)
    for name in world.names:
        world.stop(name)
        held = world.hosts[name].disk.restored()
        assert held.base_index >= 18
        assert held.snapshot is not None
    for name in world.names:
        world.restart(name)
    elected(world)
    found = world.ask("n1", get("key1"))
    assert found.value["variable"]["Items"] == {"value": "22"}
    settle(world)
